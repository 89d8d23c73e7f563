//! A management server and KVM hosts that it reaches over SSH only.

mod accounts;
mod kvm_host;
mod sshd;

use std::fs;
use std::path::Path;
use std::process::Command;

use nix::mount::{MsFlags, mount};

use crate::extension::{self, EXTENSION};
use crate::lab::{Lab, PUBLIC_BRIDGE};
use crate::payload::as_gson_writes;
use crate::place::{LAB_FOLDER, Place};

pub use accounts::OPERATOR;
pub use kvm_host::KvmHost;

/// The management server's address.
pub const SERVER_ADDRESS: &str = "192.0.2.1";
/// The first host's address: that of [`Lab::host`].
pub const FIRST_HOST: &str = "192.0.2.10";
/// Root's home on the management server.
pub const SERVER_HOME: &str = "/run/lab/home";
/// The bridge of the default guest VLAN.
const GUEST_BRIDGE: &str = "brnone-1910";

/// The machine that the extension is called on.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) place: Place,
    /// What opens every host: the public half of the key that is registered.
    public_key: String,
    first: KvmHost,
}

impl Lab {
    /// A lab whose extension is called on a management server of its own, and reaches the host over SSH with the
    /// key that is registered. Further hosts can [join](Lab::join).
    #[track_caller]
    pub fn boot_with_server(extension: &str) -> Self {
        let mut lab = Self::boot_alone(extension);
        let executable = extension::executable(extension);
        let place = Place::machine("the management server");
        place.own_folder("/etc");
        accounts::have_home(&place, SERVER_HOME);
        extension::install(&place, Path::new(&executable));
        place.ip(&format!(
            "link set lo up\n\
             link add management type bridge\n\
             address add {SERVER_ADDRESS}/24 dev management\n\
             link set management up\n"
        ));
        let (private_key, public_key) = new_key(&place);
        lab.keep(place.clone());
        let first = KvmHost::set_up(lab.host().clone(), FIRST_HOST, &place, &public_key, &executable);
        lab.server = Some(Server { place, public_key, first });
        lab.unset_variable("NETEXT_ROLE");
        lab.unregister("password");
        lab.register("hosts", FIRST_HOST);
        lab.register("sshkey", &private_key);
        lab
    }

    /// The machine that the extension is called on: the management server, or the host itself where there is none.
    pub fn server(&self) -> &Place {
        self.server.as_ref().map_or(self.host(), |server| &server.place)
    }

    /// The host that the lab has from the start, as the management server sees it.
    #[track_caller]
    pub fn first_host(&self) -> &KvmHost {
        &self.server.as_ref().expect("a lab with a management server").first
    }

    /// Another KVM host at `address` (in 192.0.2.0/24), on the same public segment and the same default guest
    /// VLAN. It is not registered by that.
    #[track_caller]
    pub fn join(&self, address: &str) -> KvmHost {
        let server = self.server.as_ref().expect("a lab with a management server");
        let place = Place::machine(address);
        let executable = extension::executable(self.executable());
        self.keep(place.clone());
        place.ip("link set lo up\n");
        let host = KvmHost::set_up(place, address, &server.place, &server.public_key, &executable);
        self.trunk(&host, PUBLIC_BRIDGE);
        self.trunk(&host, GUEST_BRIDGE);
        host
    }

    /// Lays a cable between a host's bridge and the first host's of the same name, which are made if absent: the
    /// segment is the same on both.
    #[track_caller]
    pub fn trunk(&self, host: &KvmHost, bridge: &str) {
        self.have_bridge(bridge);
        host.place().ip(&format!("link add {bridge} type bridge\nlink set {bridge} up\n"));
        let (number, end) = (self.next_plug(), host.place());
        self.host().ip(&format!(
            "link add lab{number} type veth peer name lab{number} netns {}\n\
             link set lab{number} master {bridge} up\n",
            end.path()
        ));
        end.ip(&format!("link set lab{number} master {bridge} up\n"));
    }

    /// A private key that opens no host.
    #[track_caller]
    pub fn another_key(&self) -> String {
        new_key(self.server()).0
    }

    /// Gives the account that the extension runs as a key of its own.
    #[track_caller]
    pub fn have_key_of_its_own(&self, private_key: &str) {
        self.server().run(|| {
            let folder = format!("{SERVER_HOME}/.ssh");
            fs::create_dir_all(&folder).expect("a folder for keys");
            extension::write_privately(&format!("{folder}/id_ed25519"), private_key);
        });
    }

    /// Gives the account that the extension runs as an agent that has a key.
    #[track_caller]
    pub fn have_agent(&self, private_key: &str) {
        let (socket, file) = (format!("{LAB_FOLDER}/agent"), format!("{LAB_FOLDER}/agent-key"));
        let began = self.server().output("ssh-agent", &["-a", &socket]);
        assert!(began.status.success(), "ssh-agent: {began:?}");
        let added = self.server().run(|| {
            extension::write_privately(&file, private_key);
            let added = Command::new("ssh-add").arg(&file).env("SSH_AUTH_SOCK", &socket).output();
            fs::remove_file(&file).and(added)
        });
        assert!(added.as_ref().is_ok_and(|it| it.status.success()), "ssh-add: {added:?}");
        self.set_variable("SSH_AUTH_SOCK", &socket);
    }

    /// The management server no longer distrusts hosts that failed a moment ago, as after some time.
    pub fn forget_failures(&self) {
        self.forget_memories(&["failed-"]);
    }

    /// The management server remembers nothing of networks and hosts, as one that never served them.
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

    /// Has a payload file as the management server would write it now, and tells where.
    #[track_caller]
    pub fn payload_file(&self) -> String {
        let path = format!("{LAB_FOLDER}/payloads/fleet.json");
        let document = self.network(209).document(&serde_json::json!({}));
        self.server().run(|| extension::write_privately(&path, &as_gson_writes(&document)));
        path
    }

    /// The text of the extension's log on the management server.
    pub fn server_log(&self) -> String {
        let path = format!("{LAB_FOLDER}/log/{EXTENSION}/{EXTENSION}.log");
        self.server().run(|| fs::read_to_string(path)).unwrap_or_default()
    }

    /// What the management server keeps of hosts and connections.
    pub fn proxy_folder(&self) -> String {
        format!("{}/proxy", self.state_folder())
    }
}

/// A fresh key pair: the private half in PEM, the public half as `authorized_keys` has it.
#[track_caller]
fn new_key(place: &Place) -> (String, String) {
    let file = format!("{LAB_FOLDER}/key");
    let made = place.output("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", &file]);
    assert!(made.status.success(), "ssh-keygen: {made:?}");
    place.run(|| {
        let read = |path: &str| fs::read_to_string(path).expect("a key that was just made");
        let halves = (read(&file), read(&format!("{file}.pub")));
        fs::remove_file(&file)
            .and_then(|()| fs::remove_file(format!("{file}.pub")))
            .expect("removing the key");
        halves
    })
}

/// Where the executable is deployed to on KVM hosts.
fn deployed() -> String {
    format!("/etc/cloudstack/extensions/{EXTENSION}/{EXTENSION}-wrapper.sh")
}

/// Puts it there.
fn deploy(host: &Place, executable: &str) {
    let folder = format!("/etc/cloudstack/extensions/{EXTENSION}");
    host.run(|| {
        let none: Option<&str> = None;
        let target = deployed();
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&target, ""))
            .expect("a place for the executable");
        mount(Some(executable), target.as_str(), none, MsFlags::MS_BIND, none)
            .expect("the executable in place");
    });
}
