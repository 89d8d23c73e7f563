//! The lab: a testbed, and the extension that runs on it.

mod calls;
mod fleet;

pub use calls::Call;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Map, Value};

use crate::extension;
use crate::fleet::ManagementServer;
use crate::hypervisor::Hypervisor;
use crate::sandbox::Sandbox;
use crate::testbed::Testbed;

/// A KVM host with a public segment, and the extension that is called on it.
#[derive(Debug)]
pub struct Lab {
    /// The first field: when the lab is dropped, the testbed ends all processes before anything else is taken down.
    testbed: Testbed,
    executable: String,
    server: Option<ManagementServer>,
    hypervisor: Option<Hypervisor>,
    physical_details: Mutex<Map<String, Value>>,
    variables: Mutex<BTreeMap<String, String>>,
    umask: AtomicU32,
}

/// Everything that can be done on a testbed can be done on the lab.
impl Deref for Lab {
    type Target = Testbed;

    fn deref(&self) -> &Testbed {
        &self.testbed
    }
}

impl Lab {
    /// A lab whose host has the executable `extension` installed, as by its package.
    ///
    /// `NETEXT_EXECUTABLE` in the environment names another build to test instead. `NETEXT_LAB=fleet` calls every
    /// command on a management server, as [`Lab::boot_with_server`] does.
    #[track_caller]
    pub fn boot(extension: &str) -> Self {
        if std::env::var("NETEXT_LAB").is_ok_and(|kind| kind == "fleet") {
            return Self::boot_with_server(extension);
        }
        Self::boot_alone(extension)
    }

    #[track_caller]
    fn boot_alone(extension: &str) -> Self {
        let mut lab = Self::without_extension();
        extension.clone_into(&mut lab.executable);
        extension::install(lab.host(), Path::new(&extension::executable(extension)));
        lab
    }

    /// A lab whose extension is called on a management server of its own, and reaches the host over SSH with the
    /// registered key. Further hosts can [join](Lab::join).
    #[track_caller]
    pub fn boot_with_server(extension: &str) -> Self {
        let mut lab = Self::boot_alone(extension);
        let server = ManagementServer::boot(&lab, Path::new(&extension::executable(extension)));
        lab.unset_variable("NETEXT_ROLE");
        lab.unregister("password");
        lab.register("hosts", server.first().address());
        lab.register("sshkey", server.private_key());
        lab.server = Some(server);
        lab
    }

    /// A lab whose extension runs on an [emulated machine](Hypervisor), where guest and public traffic leaves `eth1`
    /// with one of the tags `vlans`. The lab's other machines are plugged into the switch's access port of a VLAN:
    /// bridge `brnone-1910` here is `breth1-1910` there.
    ///
    /// The lab does not look into that host: ask [`Lab::hypervisor`].
    #[track_caller]
    pub fn boot_machine(extension: &str, vlans: &[u16]) -> Self {
        let mut lab = Self::without_extension();
        lab.register("guest.network.device", "eth1");
        lab.register("public.network.device", "eth1");
        lab.hypervisor = Some(Hypervisor::boot(&lab, Path::new(&extension::executable(extension)), vlans));
        lab
    }

    /// A lab whose host has no extension.
    #[track_caller]
    pub fn without_extension() -> Self {
        Self {
            testbed: Testbed::new(),
            executable: String::new(),
            server: None,
            hypervisor: None,
            physical_details: Mutex::new(extension::physical_details()),
            variables: Mutex::new(extension::variables()),
            umask: AtomicU32::new(0o022),
        }
    }

    /// The extension's executable, as given to the lab.
    pub fn executable(&self) -> &str {
        &self.executable
    }

    /// The machine that the extension is called on: the management server if there is one, else the host.
    pub fn server(&self) -> &Sandbox {
        self.server.as_ref().map_or(self.host(), ManagementServer::sandbox)
    }

    /// The KVM host that is an emulated machine.
    #[track_caller]
    pub fn hypervisor(&self) -> &Hypervisor {
        self.hypervisor.as_ref().expect("the lab was booted with a machine")
    }

    /// Sets a variable in the environment of the extension.
    pub fn set_variable(&self, name: &str, value: &str) {
        self.variables.lock().expect("no panic while held").insert(name.to_owned(), value.to_owned());
    }

    /// Removes a variable from the environment of the extension.
    pub fn unset_variable(&self, name: &str) {
        self.variables.lock().expect("no panic while held").remove(name);
    }

    /// Makes the server call the extension with another umask than 022.
    pub fn set_umask(&self, umask: u32) {
        self.umask.store(umask, Ordering::Relaxed);
    }

    /// Registers a detail of the physical network; it replaces an earlier value.
    pub fn register(&self, name: &str, value: &str) {
        self.physical_details.lock().expect("no panic while held").insert(name.to_owned(), value.into());
    }

    /// Removes a registered detail of the physical network.
    pub fn unregister(&self, name: &str) {
        self.physical_details.lock().expect("no panic while held").remove(name);
    }

    /// The details that the operator registered on the physical network.
    pub fn registered(&self) -> Map<String, Value> {
        self.physical_details.lock().expect("no panic while held").clone()
    }

    /// The value of a registered detail.
    #[track_caller]
    pub fn detail(&self, name: &str) -> String {
        let value = self.registered().get(name).and_then(Value::as_str).map(str::to_owned);
        value.unwrap_or_else(|| panic!("{name} is not registered"))
    }

    /// Replaces the executable by another build: the same program in another file.
    #[track_caller]
    pub fn upgrades(&self) {
        extension::upgrade(self.host());
    }

    /// The folder of the extension's state, as a path on the host.
    pub fn state_folder(&self) -> String {
        extension::state_folder()
    }

    /// The text of the extension's log on the host.
    pub fn log(&self) -> String {
        self.host().run(|| fs::read_to_string(extension::log_file())).expect("the extension's log")
    }

    /// All files and folders of the extension's state and log: path, permissions, content.
    pub fn files(&self) -> Vec<(PathBuf, u32, String)> {
        self.host().run(|| {
            let mut found = Vec::new();
            let mut open =
                vec![PathBuf::from(extension::state_folder()), PathBuf::from(extension::log_folder())];
            while let Some(path) = open.pop() {
                let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
                let content = fs::read(&path).unwrap_or_default();
                let mode = metadata.permissions().mode() & 0o7777;
                if metadata.is_dir() {
                    open.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|it| it.path()));
                }
                found.push((path, mode, String::from_utf8_lossy(&content).into_owned()));
            }
            found
        })
    }
}
