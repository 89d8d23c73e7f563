//! The lab with a management server: its hosts, its keys, and what it remembers.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Lab;
use crate::extension::{log_file, write_privately};
use crate::fleet::{KeyPair, KvmHost, ManagementServer, SERVER_HOME};
use crate::sandbox::LAB_FOLDER;

impl Lab {
    /// The host that the lab has from the start, as the management server sees it.
    #[track_caller]
    pub fn first_host(&self) -> &KvmHost {
        self.management_server().first()
    }

    /// Another KVM host at `address` (in 192.0.2.0/24), on the same public segment and the same default guest VLAN.
    /// It is not registered.
    #[track_caller]
    pub fn join(&self, address: &str) -> KvmHost {
        self.management_server().join(self, address)
    }

    #[track_caller]
    fn management_server(&self) -> &ManagementServer {
        self.server.as_ref().expect("the lab was booted with a management server")
    }

    /// Lays a cable between a host's bridge and the first host's bridge of the same name; both are created if absent.
    #[track_caller]
    pub fn trunk(&self, host: &KvmHost, bridge: &str) {
        self.trunk_to(host.sandbox(), bridge);
    }

    /// A private key that no host accepts.
    #[track_caller]
    pub fn another_key(&self) -> String {
        KeyPair::generate(self.server()).private
    }

    /// Gives the account that the extension runs as its own key.
    #[track_caller]
    pub fn have_key_of_its_own(&self, private_key: &str) {
        self.server().run(|| {
            let folder = Path::new(SERVER_HOME).join(".ssh");
            fs::create_dir_all(&folder).expect("a folder for keys");
            write_privately(&folder.join("id_ed25519"), private_key);
        });
    }

    /// Gives the account that the extension runs as an agent that has a key.
    #[track_caller]
    pub fn have_agent(&self, private_key: &str) {
        let (socket, file) = (format!("{LAB_FOLDER}/agent"), Path::new(LAB_FOLDER).join("agent-key"));
        let began = self.server().output("ssh-agent", &["-a", &socket]);
        assert!(began.status.success(), "ssh-agent: {began:?}");
        let added = self.server().run(|| {
            write_privately(&file, private_key);
            let added = Command::new("ssh-add").arg(&file).env("SSH_AUTH_SOCK", &socket).output();
            fs::remove_file(&file).and(added)
        });
        assert!(added.as_ref().is_ok_and(|it| it.status.success()), "ssh-add: {added:?}");
        self.set_variable("SSH_AUTH_SOCK", &socket);
    }

    /// Makes the management server forget that hosts failed a moment ago, as after some time.
    pub fn forget_failures(&self) {
        self.forget_memories(&["failed-"]);
    }

    /// Makes the management server forget all networks and hosts, like a server that never served them.
    pub fn forget_everything(&self) {
        self.forget_memories(&["failed-", "place-of-", "copy-of-", "left-by-", "owed-to-"]);
    }

    fn forget_memories(&self, prefixes: &[&str]) {
        let folder = self.proxy_folder();
        self.server().run(|| {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let (name, path) = (entry.file_name(), entry.path());
                if prefixes.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                    let removed =
                        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
                    removed.expect("something to forget");
                }
            }
        });
    }

    /// The text of the extension's log on the management server.
    pub fn server_log(&self) -> String {
        self.server().text(&log_file())
    }

    /// The management server's folder about hosts and connections.
    pub fn proxy_folder(&self) -> String {
        format!("{}/proxy", self.state_folder())
    }
}
