//! A KVM host as the management server sees it: an address with an sshd behind it.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::accounts;
use super::sshd::{self, Sshd};
use crate::extension::EXTENSION;
use crate::place::{LAB_FOLDER, Place};
use crate::processes;

/// A KVM host with the extension deployed and an sshd, reached over a cable from the management server.
#[derive(Debug)]
pub struct KvmHost {
    place: Place,
    address: String,
    server: Place,
    cable: String,
    sshd: Mutex<Option<Sshd>>,
}

impl KvmHost {
    #[track_caller]
    pub(super) fn set_up(
        place: Place,
        address: &str,
        server: &Place,
        public_key: &str,
        executable: &str,
    ) -> Self {
        place.own_folder("/etc");
        accounts::set_up(&place, public_key);
        super::deploy(&place, executable);
        let cable = format!("to-{}", address.rsplit('.').next().unwrap_or_default());
        server.ip(&format!(
            "link add {cable} type veth peer name management netns {}\n\
             link set {cable} master management up\n",
            place.path()
        ));
        place.ip(&format!("address add {address}/24 dev management\nlink set management up\n"));
        let sshd = Mutex::new(Some(Sshd::start(&place, address)));
        Self { place, address: address.to_owned(), server: server.clone(), cable, sshd }
    }

    /// The host's address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its namespaces.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Whether it has a namespace of this name.
    pub fn has_namespace(&self, name: &str) -> bool {
        self.place.named_namespace(name).is_some()
    }

    /// The text of its extension's log; empty if it never ran.
    pub fn log(&self) -> String {
        let path = format!("{LAB_FOLDER}/log/{EXTENSION}/{EXTENSION}.log");
        self.place.run(|| fs::read_to_string(path)).unwrap_or_default()
    }

    /// What its sshd said.
    pub fn sshd_log(&self) -> String {
        self.place.run(|| fs::read_to_string(format!("{LAB_FOLDER}/sshd/log"))).unwrap_or_default()
    }

    /// Pulls the cable to the management server: what is sent is lost.
    pub fn is_cut_off(&self) {
        self.server.ip(&format!("link set {} nomaster\n", self.cable));
    }

    /// Plugs the cable in again.
    pub fn is_reached_again(&self) {
        self.server.ip(&format!("link set {} master management\n", self.cable));
    }

    /// Ends sshd with all of its connections, at once.
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
        *self.sshd.lock().expect("no panic while held") = Some(Sshd::start(&self.place, &self.address));
    }

    /// Starts it with another host key, as a host that was installed anew has it.
    #[track_caller]
    pub fn changes_its_host_key(&self) {
        self.loses_sshd();
        let key = sshd::key_path();
        self.place
            .run(|| fs::remove_file(&key).and_then(|()| fs::remove_file(format!("{key}.pub"))))
            .expect("a key");
        self.gets_sshd();
    }

    /// Its public host key, as a line of `known_hosts`.
    #[track_caller]
    pub fn known_hosts_line(&self) -> String {
        let key =
            self.place.run(|| fs::read_to_string(format!("{}.pub", sshd::key_path()))).expect("a host key");
        let words: Vec<_> = key.split_whitespace().take(2).collect();
        format!("{} {}", self.address, words.join(" "))
    }

    /// Whether a file lies on it.
    pub fn has_file(&self, path: &str) -> bool {
        self.place.run(|| Path::new(path).exists())
    }

    /// The sshd processes that serve a connection.
    fn sshd_sessions(&self, listener: Option<&Sshd>) -> Vec<i32> {
        let all = processes::within(std::slice::from_ref(&self.place)).into_iter();
        let sessions = all.filter(|(_, line)| line.starts_with("sshd: "));
        sessions
            .map(|(process, _)| process)
            .filter(|it| listener.is_none_or(|sshd| sshd.process() != *it))
            .collect()
    }
}
