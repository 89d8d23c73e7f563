//! The extension on the lab's host: its place, its environment, and how the server calls it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use nix::mount::{MsFlags, mount};
use nix::sys::stat::{Mode, umask};
use serde_json::{Map, Value, json};

use crate::lab::{Lab, SECRET_KEY, SECRET_PASSWORD};
use crate::outcome::{Outcome, Running};
use crate::payload::as_gson_writes;
use crate::place::{LAB_FOLDER, Place};

/// The extension's name: the folder the executable lies in.
pub const EXTENSION: &str = "lab-router";

/// The timeout in seconds that the server passes today, whatever the command.
const TIMEOUT: u32 = 60;

/// The build to test: the given one, unless the environment names another.
pub(crate) fn executable(given: &str) -> String {
    std::env::var("NETEXT_EXECUTABLE").unwrap_or_else(|_| given.to_owned())
}

/// Puts `executable` where a package would, without copying it: a copy that is still being written
/// while another test forks cannot be executed.
#[track_caller]
pub(crate) fn install(host: &Place, executable: &Path) {
    let folder = PathBuf::from(format!("{LAB_FOLDER}/{EXTENSION}"));
    host.run(|| {
        fs::create_dir(&folder).expect("the extension's folder");
        fs::create_dir(format!("{LAB_FOLDER}/payloads")).expect("the folder of payload files");
        for target in installed() {
            fs::write(&target, "").expect("a file to mount the executable on");
        }
        put_in_place(executable);
    });
}

/// The two names that the executable bears.
fn installed() -> [PathBuf; 2] {
    let folder = PathBuf::from(format!("{LAB_FOLDER}/{EXTENSION}"));
    [format!("{EXTENSION}.sh"), format!("{EXTENSION}-wrapper.sh")].map(|name| folder.join(name))
}

fn put_in_place(executable: &Path) {
    let none: Option<&str> = None;
    for target in installed() {
        if let Err(error) = mount(Some(executable), &target, none, MsFlags::MS_BIND, none) {
            panic!("{} on {}: {error}", executable.display(), target.display());
        }
    }
}

/// The details that the operator of the lab registered: everything local, and secrets to be kept.
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

impl Lab {
    /// Runs a command with a whole payload document, as it stands: no details are asked for or added.
    #[track_caller]
    pub fn run(&self, command: &str, document: &Value) -> Outcome {
        match &self.hypervisor {
            Some(host) => host.run(command, &as_gson_writes(document)),
            None => self.start(command, document).finish(),
        }
    }

    /// Starts a command with a whole payload document.
    #[track_caller]
    pub fn start(&self, command: &str, document: &Value) -> Running {
        self.start_with(command, &as_gson_writes(document), TIMEOUT)
    }

    /// Starts a command with the text of a payload file and a timeout in seconds.
    #[track_caller]
    pub fn start_with(&self, command: &str, text: &str, timeout: u32) -> Running {
        let path = payload_path(command);
        self.start_program(&program_path(), &[command, &path, &timeout.to_string()], Some((&path, text)))
    }

    /// Starts the extension with any arguments at all.
    #[track_caller]
    pub fn start_bare(&self, arguments: &[&str]) -> Running {
        self.start_program(&program_path(), arguments, None)
    }

    /// Runs a command by the name that the executable bears on KVM hosts (`<extension>-wrapper.sh`).
    #[track_caller]
    pub fn run_wrapper(&self, command: &str, document: &Value) -> Outcome {
        let path = format!("{LAB_FOLDER}/payloads/wrapper-{command}.json");
        let program = format!("{LAB_FOLDER}/{EXTENSION}/{EXTENSION}-wrapper.sh");
        let text = as_gson_writes(document);
        self.start_program(&program, &[command, &path, "60"], Some((&path, &text))).finish()
    }

    /// A command with a whole payload document, as the server runs it, for whoever spawns it again and again
    /// by themselves. It is to be spawned by a thread that is on the [server](Lab::server).
    #[track_caller]
    pub fn ready(&self, command: &str, document: &Value) -> Command {
        let path = payload_path(command);
        self.server().run(|| write_privately(&path, &as_gson_writes(document)));
        self.program(&program_path(), &[command, &path, &TIMEOUT.to_string()])
    }

    /// A command for operators, for whoever spawns it by themselves, on a thread that is on the
    /// [host](Lab::host).
    pub fn operator(&self, words: &[&str]) -> Command {
        self.program(&program_path(), words)
    }

    fn program(&self, program: &str, arguments: &[&str]) -> Command {
        let variables = self.variables.lock().expect("no panic while held").clone();
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(variables).current_dir("/").stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn start_program(&self, program: &str, arguments: &[&str], file: Option<(&str, &str)>) -> Running {
        assert!(self.hypervisor.is_none(), "a machine carries out one command after the other: run it");
        let mut command = self.program(program, arguments);
        let (pipe, output) = std::io::pipe().expect("a pipe");
        let errors = output.try_clone().expect("a second handle of a pipe");
        let begun = Instant::now();
        let child = self.server().run(|| {
            if let Some((path, text)) = file {
                write_privately(path, text);
            }
            // Of this thread alone.
            umask(Mode::from_bits_truncate(self.umask.load(Ordering::Relaxed)));
            command.stdout(output).stderr(errors).spawn()
        });
        // It holds the pipe, which must have no holder but the child.
        drop(command);
        let child = child.unwrap_or_else(|error| panic!("{program}: {error}"));
        Running { command: arguments.join(" "), child, pipe, begun }
    }

    /// Sets a variable in the environment of the extension.
    pub fn set_variable(&self, name: &str, value: &str) {
        self.variables.lock().expect("no panic while held").insert(name.to_owned(), value.to_owned());
    }

    /// Has the server call the extension with another umask than 022.
    pub fn set_umask(&self, umask: u32) {
        self.umask.store(umask, Ordering::Relaxed);
    }

    /// Takes a variable out of the environment of the extension.
    pub fn unset_variable(&self, name: &str) {
        self.variables.lock().expect("no panic while held").remove(name);
    }

    /// Registers a detail of the physical network, instead of what it had by that name.
    pub fn register(&self, name: &str, value: &str) {
        self.physical_details.lock().expect("no panic while held").insert(name.to_owned(), value.into());
    }

    /// What is registered by a name.
    #[track_caller]
    pub fn detail(&self, name: &str) -> String {
        let value = self.registered().get(name).and_then(Value::as_str).map(str::to_owned);
        value.unwrap_or_else(|| panic!("{name} is not registered"))
    }

    /// Takes back a registered detail of the physical network.
    pub fn unregister(&self, name: &str) {
        self.physical_details.lock().expect("no panic while held").remove(name);
    }

    /// The path of the extension on the host, and the environment that it is to run in: for whoever plays the
    /// server instead of the lab. It is to be run by a thread that is on the [host](Lab::host).
    pub fn program_and_variables(&self) -> (String, BTreeMap<String, String>) {
        (program_path(), self.variables.lock().expect("no panic while held").clone())
    }

    /// What the operator registered on the physical network.
    pub fn registered(&self) -> Map<String, Value> {
        self.physical_details.lock().expect("no panic while held").clone()
    }

    /// Puts another build in the place of the executable: the same program in another file.
    #[track_caller]
    pub fn upgrades(&self) {
        let (old, new) = (installed()[0].display().to_string(), format!("{LAB_FOLDER}/another-build"));
        // By another process: a file that this one holds open for writing, or a child of it, cannot be executed.
        let copied = self.host().output("cp", &[&old, &new]);
        assert!(copied.status.success(), "{copied:?}");
        self.host().run(|| put_in_place(Path::new(&new)));
    }

    /// The folder of the extension's state, as a path on the host.
    pub fn state_folder(&self) -> String {
        format!("{LAB_FOLDER}/state/{EXTENSION}")
    }

    /// The text of the extension's log.
    pub fn log(&self) -> String {
        let path = format!("{LAB_FOLDER}/log/{EXTENSION}/{EXTENSION}.log");
        self.host().run(|| fs::read_to_string(path)).expect("the extension's log")
    }

    /// All files and folders under the extension's state and log: path, permissions, content.
    pub fn files(&self) -> Vec<(PathBuf, u32, String)> {
        self.host().run(|| {
            let mut found = Vec::new();
            let mut open = vec![
                PathBuf::from(format!("{LAB_FOLDER}/state/{EXTENSION}")),
                PathBuf::from(format!("{LAB_FOLDER}/log/{EXTENSION}")),
            ];
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

fn program_path() -> String {
    format!("{LAB_FOLDER}/{EXTENSION}/{EXTENSION}.sh")
}

/// The path of a payload file that no other command has.
fn payload_path(command: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{LAB_FOLDER}/payloads/{command}-{number}.json")
}

pub(crate) fn write_privately(path: &str, text: &str) {
    use std::io::Write;
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("the payload file");
}
