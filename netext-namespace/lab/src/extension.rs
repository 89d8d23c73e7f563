//! The extension's files on a machine: the executable under its names, its environment, its state and its log.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::mount::{MsFlags, mount};
use serde_json::{Map, Value, json};

use crate::sandbox::{LAB_FOLDER, Sandbox};

/// The extension's name: the folder of the executable.
pub const EXTENSION: &str = "lab-router";
/// The password in the registered details; it must never be shown anywhere.
pub const SECRET_PASSWORD: &str = "pa55-w0rd-never-to-be-seen";
/// A line of the SSH key in the registered details; it must never be shown anywhere.
pub const SECRET_KEY: &str = "a2V5LW5ldmVyLXRvLWJlLXNlZW4=";

/// The build to test: `given`, unless `NETEXT_EXECUTABLE` names another one.
pub(crate) fn executable(given: &str) -> String {
    std::env::var("NETEXT_EXECUTABLE").unwrap_or_else(|_| given.to_owned())
}

/// The path of the executable where the management server calls it.
pub(crate) fn program() -> String {
    format!("{LAB_FOLDER}/{EXTENSION}/{EXTENSION}.sh")
}

/// The path of the executable under its name for KVM hosts.
pub(crate) fn wrapper() -> String {
    format!("{LAB_FOLDER}/{EXTENSION}/{EXTENSION}-wrapper.sh")
}

/// The path of the executable on a KVM host that it was deployed to.
pub(crate) fn deployed() -> String {
    format!("/etc/cloudstack/extensions/{EXTENSION}/{EXTENSION}-wrapper.sh")
}

/// The folder of the extension's state.
pub(crate) fn state_folder() -> String {
    format!("{LAB_FOLDER}/state/{EXTENSION}")
}

/// The folder of the extension's log.
pub(crate) fn log_folder() -> String {
    format!("{LAB_FOLDER}/log/{EXTENSION}")
}

/// The extension's log.
pub(crate) fn log_file() -> String {
    format!("{}/{EXTENSION}.log", log_folder())
}

/// Puts `executable` where a package would put it, and makes a folder for payload files.
#[track_caller]
pub(crate) fn install(machine: &Sandbox, executable: &Path) {
    machine.run(|| {
        fs::create_dir(format!("{LAB_FOLDER}/payloads")).expect("the folder of payload files");
        for target in [program(), wrapper()] {
            mount_at(executable, &target);
        }
    });
}

/// Replaces the installed executable by a copy of it: the same program in another file.
#[track_caller]
pub(crate) fn upgrade(machine: &Sandbox) {
    let copy = format!("{LAB_FOLDER}/another-build");
    // Another process copies it: a file that this process, or a child of it, holds open for writing cannot be executed.
    let copied = machine.output("cp", &[&program(), &copy]);
    assert!(copied.status.success(), "{copied:?}");
    machine.run(|| {
        for target in [program(), wrapper()] {
            mount_at(Path::new(&copy), &target);
        }
    });
}

/// Puts `executable` where `fleet deploy` puts it on KVM hosts.
#[track_caller]
pub(crate) fn deploy(host: &Sandbox, executable: &Path) {
    host.run(|| mount_at(executable, &deployed()));
}

/// Mounts the executable instead of copying it: a copy that is still being written while another test forks cannot be
/// executed.
#[track_caller]
fn mount_at(executable: &Path, target: &str) {
    let folder = Path::new(target).parent().expect("a path with a folder");
    fs::create_dir_all(folder).expect("a folder for the executable");
    if !Path::new(target).exists() {
        fs::write(target, "").expect("a file to mount the executable on");
    }
    let none: Option<&str> = None;
    if let Err(error) = mount(Some(executable), target, none, MsFlags::MS_BIND, none) {
        panic!("{} on {target}: {error}", executable.display());
    }
}

/// The details that the lab's operator registered, with secrets that must stay secret.
pub(crate) fn physical_details() -> Map<String, Value> {
    let details = json!({
        "hosts": "192.0.2.10,192.0.2.11",
        "username": "root",
        "password": SECRET_PASSWORD,
        "port": "22",
        "sshkey": format!("-----BEGIN SAMPLE KEY-----\n{SECRET_KEY}\n-----END SAMPLE KEY-----\n"),
        "guest.network.device": "none",
        "public.network.device": "none",
        "physicalnetworkname": "Physical Network 1",
    });
    details.as_object().cloned().expect("written as an object")
}

/// The environment of the extension.
pub(crate) fn variables() -> BTreeMap<String, String> {
    let given = [
        ("NETEXT_ROLE", "host".to_owned()),
        ("NETEXT_STATE_ROOT", format!("{LAB_FOLDER}/state")),
        ("NETEXT_LOG_ROOT", format!("{LAB_FOLDER}/log")),
    ];
    let mut variables: BTreeMap<_, _> = given.map(|(name, value)| (name.to_owned(), value)).into();
    for name in ["PATH", "LLVM_PROFILE_FILE", "RUST_BACKTRACE"] {
        if let Ok(value) = std::env::var(name) {
            variables.insert(name.to_owned(), value);
        }
    }
    variables
}

/// The path of a payload file that no other command has.
pub(crate) fn payload_path(command: &str) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    PathBuf::from(format!("{LAB_FOLDER}/payloads/{command}-{number}.json"))
}

/// Writes a file that only its owner may read.
pub(crate) fn write_privately(path: &Path, text: &str) {
    use std::io::Write;
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
