//! A KVM host as the management server sees it: an address where an sshd listens.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;

use nix::mount::umount;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::login::{Sshd, create_accounts, host_key_path};
use crate::extension::{deploy, deployed, log_file};
use crate::processes;
use crate::sandbox::{LAB_FOLDER, Sandbox};

/// A KVM host with the extension deployed and an sshd, reached over a cable from the management server.
#[derive(Debug)]
pub struct KvmHost {
    sandbox: Sandbox,
    address: String,
    server: Sandbox,
    cable: String,
    sshd: Mutex<Option<Sshd>>,
}

impl KvmHost {
    #[track_caller]
    pub(super) fn set_up(
        sandbox: Sandbox,
        address: &str,
        server: &Sandbox,
        public_key: &str,
        executable: &Path,
    ) -> Self {
        sandbox.own_folder("/etc");
        create_accounts(&sandbox, public_key);
        deploy(&sandbox, executable);
        let cable = format!("to-{}", address.rsplit('.').next().unwrap_or_default());
        server.ip(&format!(
            "link add {cable} type veth peer name lab-mgmt netns {}\n\
             link set {cable} master management up\n",
            sandbox.path()
        ));
        sandbox.ip(&format!("address add {address}/24 dev lab-mgmt\nlink set lab-mgmt up\n"));
        let sshd = Mutex::new(Some(Sshd::start(&sandbox, address)));
        Self { sandbox, address: address.to_owned(), server: server.clone(), cable, sshd }
    }

    /// The host's address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The host's namespaces.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Whether the host has a namespace of this name.
    pub fn has_namespace(&self, name: &str) -> bool {
        self.sandbox.named_namespace(name).is_some()
    }

    /// The text of the extension's log; empty if the extension never ran.
    pub fn log(&self) -> String {
        self.sandbox.text(&log_file())
    }

    /// The text of sshd's log.
    pub fn sshd_log(&self) -> String {
        self.sandbox.text(&format!("{LAB_FOLDER}/sshd/log"))
    }

    /// Unplugs the cable to the management server: packets are lost.
    pub fn is_cut_off(&self) {
        self.server.ip(&format!("link set {} nomaster\n", self.cable));
    }

    /// Plugs the cable in again.
    pub fn is_reached_again(&self) {
        self.server.ip(&format!("link set {} master management\n", self.cable));
    }

    /// Loses power: everything that runs on the host is gone without notice. Its disk stays as it is.
    pub fn loses_power(&self) {
        self.is_cut_off();
        *self.sshd.lock().expect("no panic while held") = None;
        processes::end_within(std::slice::from_ref(&self.sandbox));
        for name in self.namespaces() {
            self.sandbox.ip(&format!("netns delete {name}\n"));
        }
        // The kernel removes a namespace a moment later. Until then its routers would answer on their ports.
        let is_port = |name: &String| name.starts_with("vh") || name.starts_with("vph");
        for port in self.sandbox.names_in("/sys/class/net").into_iter().filter(is_port) {
            let _ = self.sandbox.try_ip(&format!("link delete {port}\n"));
        }
    }

    /// Boots and reconciles its routers, as the systemd unit does. Returns the output.
    pub fn boots(&self) -> String {
        self.runs("reconcile --all")
    }

    /// Runs a command for operators and returns its output.
    pub fn runs(&self, command: &str) -> String {
        let script = format!(
            "NETEXT_STATE_ROOT={LAB_FOLDER}/state NETEXT_LOG_ROOT={LAB_FOLDER}/log exec {} {command} 2>&1",
            deployed()
        );
        let ran = self.sandbox.output("sh", &["-c", &script]);
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }

    /// Removes the extension, as on a host where nothing was deployed yet.
    #[track_caller]
    pub fn loses_extension(&self) {
        let target = deployed();
        self.sandbox
            .run(|| {
                umount(target.as_str())?;
                fs::remove_dir_all("/etc/cloudstack").map_err(|_| nix::Error::last())
            })
            .expect("a host without the extension");
    }

    /// Replaces the extension by an older build, which has another size and works the same.
    #[track_caller]
    pub fn gets_older_build(&self) {
        let (older, target) = (format!("{LAB_FOLDER}/older-build"), deployed());
        // Another process writes it: a file that this process, or a child of it, holds open for writing cannot be executed.
        let script = format!(
            "cat {target} >{older} && echo older >>{older} && chmod 0755 {older} && umount {target} && mv {older} {target}"
        );
        let made = self.sandbox.output("sh", &["-c", &script]);
        assert!(made.status.success(), "{made:?}");
    }

    /// Replaces the extension by another program.
    #[track_caller]
    pub fn gets_instead(&self, script: &str) {
        self.loses_extension();
        let target = deployed();
        let folder = Path::new(&target).parent().expect("a folder");
        self.sandbox
            .run(|| {
                fs::create_dir_all(folder)?;
                fs::write(&target, script)?;
                fs::set_permissions(&target, Permissions::from_mode(0o755))
            })
            .expect("a program in place");
    }

    /// The files in the folder that the executable is deployed to, with their sizes.
    pub fn deployed(&self) -> Vec<(String, u64)> {
        let target = deployed();
        let folder = Path::new(&target).parent().expect("a folder");
        self.sandbox.run(|| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let sized = entries.filter_map(|entry| {
                let size = entry.metadata().ok()?.len();
                Some((entry.file_name().to_string_lossy().into_owned(), size))
            });
            sized.collect()
        })
    }

    /// The names of the host's namespaces.
    pub fn namespaces(&self) -> Vec<String> {
        let mut names = self.sandbox.namespaces();
        names.retain(|name| self.has_namespace(name));
        names
    }

    /// Ends sshd and all of its connections at once.
    pub fn loses_sshd(&self) {
        let sshd = self.sshd.lock().expect("no panic while held").take();
        let sessions = self.sshd_sessions(sshd.as_ref());
        drop(sshd);
        for process in sessions {
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
    }

    /// Starts sshd.
    #[track_caller]
    pub fn gets_sshd(&self) {
        *self.sshd.lock().expect("no panic while held") = Some(Sshd::start(&self.sandbox, &self.address));
    }

    /// Restarts sshd with another host key, like a host that was reinstalled.
    #[track_caller]
    pub fn changes_its_host_key(&self) {
        self.loses_sshd();
        let key = host_key_path();
        self.sandbox
            .run(|| fs::remove_file(&key).and_then(|()| fs::remove_file(format!("{key}.pub"))))
            .expect("a key");
        self.gets_sshd();
    }

    /// The public host key, as a line of `known_hosts`.
    #[track_caller]
    pub fn known_hosts_line(&self) -> String {
        let key =
            self.sandbox.run(|| fs::read_to_string(format!("{}.pub", host_key_path()))).expect("a host key");
        let words: Vec<_> = key.split_whitespace().take(2).collect();
        format!("{} {}", self.address, words.join(" "))
    }

    /// Whether the host has a file.
    pub fn has_file(&self, path: &str) -> bool {
        self.sandbox.run(|| Path::new(path).exists())
    }

    /// The sshd processes that serve a connection.
    fn sshd_sessions(&self, listener: Option<&Sshd>) -> Vec<i32> {
        let all = processes::within(std::slice::from_ref(&self.sandbox)).into_iter();
        let sessions = all.filter(|(_, line)| line.starts_with("sshd: "));
        sessions
            .map(|(process, _)| process)
            .filter(|it| listener.is_none_or(|sshd| sshd.process() != *it))
            .collect()
    }
}
