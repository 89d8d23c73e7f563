//! A KVM host as the management server sees it: an address with an sshd behind it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;

use nix::mount::umount;
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
            "link add {cable} type veth peer name lab-mgmt netns {}\n\
             link set {cable} master management up\n",
            place.path()
        ));
        place.ip(&format!("address add {address}/24 dev lab-mgmt\nlink set lab-mgmt up\n"));
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

    /// Loses its power: everything that runs on it is gone, and nobody is told. Its disk stays as it is.
    pub fn loses_power(&self) {
        self.is_cut_off();
        *self.sshd.lock().expect("no panic while held") = None;
        processes::end_within(std::slice::from_ref(&self.place));
        for name in self.namespaces() {
            self.place.ip(&format!("netns delete {name}\n"));
        }
    }

    /// Has power again, boots and brings its routers back, as the unit does; tells what that printed.
    pub fn boots(&self) -> String {
        self.runs("reconcile --all")
    }

    /// Runs a command of the extension for people, and tells what it printed.
    pub fn runs(&self, command: &str) -> String {
        let program = format!("/etc/cloudstack/extensions/{EXTENSION}/{EXTENSION}-wrapper.sh");
        let script = format!(
            "NETEXT_STATE_ROOT={LAB_FOLDER}/state NETEXT_LOG_ROOT={LAB_FOLDER}/log exec {program} {command} 2>&1"
        );
        let ran = self.place.output("sh", &["-c", &script]);
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }

    /// Is a host that nothing was deployed to yet.
    #[track_caller]
    pub fn loses_extension(&self) {
        let target = super::deployed();
        self.place
            .run(|| {
                umount(target.as_str())?;
                fs::remove_dir_all("/etc/cloudstack").map_err(|_| nix::Error::last())
            })
            .expect("a host without the extension");
    }

    /// Has an older build of the extension in place: one that differs from the newer one and does the same.
    #[track_caller]
    pub fn gets_older_build(&self) {
        let (older, target) = (format!("{LAB_FOLDER}/older-build"), super::deployed());
        // By another process: a file that this one holds open for writing, or a child of it, cannot be executed.
        let script = format!(
            "cat {target} >{older} && echo older >>{older} && chmod 0755 {older} && umount {target} && mv {older} {target}"
        );
        let made = self.place.output("sh", &["-c", &script]);
        assert!(made.status.success(), "{made:?}");
    }

    /// Has some other program in place.
    #[track_caller]
    pub fn gets_instead(&self, script: &str) {
        self.loses_extension();
        let target = super::deployed();
        let folder = Path::new(&target).parent().expect("a folder");
        self.place
            .run(|| {
                fs::create_dir_all(folder)?;
                fs::write(&target, script)?;
                fs::set_permissions(&target, Permissions::from_mode(0o755))
            })
            .expect("a program in place");
    }

    /// What is in the folder that the executable is deployed to: names, and how large each file is.
    pub fn deployed(&self) -> Vec<(String, u64)> {
        let target = super::deployed();
        let folder = Path::new(&target).parent().expect("a folder");
        self.place.run(|| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let sized = entries.filter_map(|entry| {
                let size = entry.metadata().ok()?.len();
                Some((entry.file_name().to_string_lossy().into_owned(), size))
            });
            sized.collect()
        })
    }

    /// The names of its namespaces.
    pub fn namespaces(&self) -> Vec<String> {
        let entries = self.place.run(|| {
            let entries = fs::read_dir("/run/netns").into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
        });
        entries.into_iter().filter(|name| self.has_namespace(name)).collect()
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
