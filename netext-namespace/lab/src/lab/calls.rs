//! Calls of the extension, as the management server makes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, umask};
use nix::unistd::pipe2;
use serde_json::Value;

use super::Lab;
use crate::extension::{deployed, payload_path, program, wrapper, write_privately};
use crate::faults::{self, Fault, Recording, STARTER, Trace, TracedCommand};
use crate::outcome::{BegunProgram, CommandOutcome, RunningCommand};
use crate::payload::as_gson_writes;
use crate::sandbox::Sandbox;

/// The timeout in seconds that the server passes today for every command.
const TIMEOUT: u32 = 60;

/// A call of the extension that can be made more than once: a command of the server, or one of an operator.
#[derive(Clone, Debug)]
pub struct Call {
    words: Vec<String>,
    payload: Option<PayloadFile>,
    patience: Duration,
    /// The most descriptors that the command may have open.
    descriptors: Option<u32>,
}

/// The payload file of a command. It is written before every run.
#[derive(Clone, Debug)]
struct PayloadFile {
    path: PathBuf,
    text: String,
}

impl Call {
    /// A command with a whole payload document and a timeout in seconds.
    pub fn command(name: &str, document: &Value, timeout: u32) -> Self {
        let path = payload_path(name);
        let words = vec![name.to_owned(), path.to_string_lossy().into_owned(), timeout.to_string()];
        // A command may use its whole timeout, and then clean up.
        let patience = Duration::from_secs(u64::from(timeout) + 3);
        Self {
            words,
            payload: Some(PayloadFile { path, text: as_gson_writes(document) }),
            patience,
            descriptors: None,
        }
    }

    /// A command for operators, which has to end within `patience`.
    pub fn operator(words: &[&str], patience: Duration) -> Self {
        Self {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            payload: None,
            patience,
            descriptors: None,
        }
    }

    /// The same call, with at most this many open descriptors.
    pub fn with_descriptors(self, number: u32) -> Self {
        Self { descriptors: Some(number), ..self }
    }

    /// The name of the command.
    pub fn name(&self) -> &str {
        self.words.first().map(String::as_str).unwrap_or_default()
    }

    /// Whether it is a command for operators, which may print a report.
    pub fn is_of_operator(&self) -> bool {
        self.payload.is_none()
    }

    fn write_payload(&self) {
        if let Some(PayloadFile { path, text }) = &self.payload {
            write_privately(path, text);
        }
    }
}

impl Lab {
    /// Runs a command with a whole payload document; asks for no details and adds none.
    #[track_caller]
    pub fn run(&self, command: &str, document: &Value) -> CommandOutcome {
        match &self.hypervisor {
            Some(host) => host.run(command, &as_gson_writes(document)),
            None => self.start(command, document).finish(),
        }
    }

    /// Starts a command with a whole payload document.
    #[track_caller]
    pub fn start(&self, command: &str, document: &Value) -> RunningCommand {
        self.start_with(command, &as_gson_writes(document), TIMEOUT)
    }

    /// Starts a command with the text of a payload file and a timeout in seconds.
    #[track_caller]
    pub fn start_with(&self, command: &str, text: &str, timeout: u32) -> RunningCommand {
        self.start_command(&program(), command, text, timeout)
    }

    /// Starts the extension with the given arguments.
    #[track_caller]
    pub fn start_bare(&self, arguments: &[&str]) -> RunningCommand {
        self.start_program(&program(), arguments, || ())
    }

    /// Runs a command by the executable's name on KVM hosts (`<extension>-wrapper.sh`).
    #[track_caller]
    pub fn run_wrapper(&self, command: &str, document: &Value) -> CommandOutcome {
        self.start_command(&wrapper(), command, &as_gson_writes(document), TIMEOUT).finish()
    }

    /// Makes a call.
    #[track_caller]
    pub fn call(&self, call: &Call) -> CommandOutcome {
        let words: Vec<_> = call.words.iter().map(String::as_str).collect();
        self.start_program(&program(), &words, || call.write_payload()).finish()
    }

    /// Makes a call that a fault strikes.
    #[track_caller]
    pub fn call_with(&self, call: &Call, fault: Fault) -> TracedCommand {
        self.traced(call, fault, Recording::Off)
    }

    /// Makes a call, and keeps its system calls.
    #[track_caller]
    pub fn record(&self, call: &Call) -> TracedCommand {
        self.traced(call, Fault::None, Recording::On)
    }

    /// Runs a command for operators on the host, even where the extension is called on a management server.
    #[track_caller]
    pub fn operate(&self, words: &[&str]) -> CommandOutcome {
        let program = if self.server.is_some() { deployed() } else { program() };
        let begun = self.begin_on(self.host(), &program, words, || ());
        RunningCommand { command: words.join(" "), program: begun }.finish()
    }

    /// Waits until the host has ended what a management server began there.
    #[track_caller]
    pub fn await_idle_host(&self) {
        let deadline = Instant::now() + Duration::from_secs(TIMEOUT.into());
        let is_relay = |(_, line): &(i32, String)| line.starts_with(&deployed()) && line.ends_with(" relay");
        while self.server.is_some() && self.processes().iter().any(is_relay) {
            assert!(Instant::now() < deadline, "the host still works: {:?}", self.processes());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    fn traced(&self, call: &Call, fault: Fault, recording: Recording) -> TracedCommand {
        let program = program();
        let limit = call.descriptors.map(|number| format!("ulimit -n {number}; ")).unwrap_or_default();
        let starter = format!("{limit}{STARTER}");
        let words = call.words.iter().map(String::as_str);
        let words: Vec<_> = ["-c", &starter, &program].into_iter().chain(words).collect();
        let begun = self.begin_program("/bin/sh", &words, || call.write_payload());
        faults::run(call.name(), begun, Trace { fault, recording, patience: call.patience })
    }

    /// A command with a whole payload document as the server runs it, for a caller that spawns it repeatedly, on a
    /// thread in the [server](Lab::server).
    #[track_caller]
    pub fn ready(&self, command: &str, document: &Value) -> Command {
        let path = payload_path(command);
        self.server().run(|| write_privately(&path, &as_gson_writes(document)));
        self.program(&program(), &[command, &path.to_string_lossy(), &TIMEOUT.to_string()])
    }

    /// A command for operators, for a caller that spawns it on a thread in the [host](crate::Testbed::host).
    pub fn operator(&self, words: &[&str]) -> Command {
        self.program(&program(), words)
    }

    /// The path and the environment of the extension, for a caller that plays the server instead of the lab, on a
    /// thread in the [host](crate::Testbed::host).
    pub fn program_and_variables(&self) -> (String, BTreeMap<String, String>) {
        (program(), self.variables.lock().expect("no panic while held").clone())
    }

    fn program(&self, program: &str, arguments: &[&str]) -> Command {
        let variables = self.variables.lock().expect("no panic while held").clone();
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(variables).current_dir("/").stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn start_command(&self, program: &str, command: &str, text: &str, timeout: u32) -> RunningCommand {
        let path = payload_path(command);
        let arguments = [command, &path.to_string_lossy(), &timeout.to_string()];
        self.start_program(program, &arguments, || write_privately(Path::new(&path), text))
    }

    /// Starts a program on the server after `prepare` has run there.
    #[track_caller]
    fn start_program(
        &self,
        program: &str,
        arguments: &[&str],
        prepare: impl FnOnce() + Send,
    ) -> RunningCommand {
        let begun = self.begin_program(program, arguments, prepare);
        RunningCommand { command: arguments.join(" "), program: begun }
    }

    #[track_caller]
    fn begin_program(
        &self,
        program: &str,
        arguments: &[&str],
        prepare: impl FnOnce() + Send,
    ) -> BegunProgram {
        self.begin_on(self.server(), program, arguments, prepare)
    }

    #[track_caller]
    fn begin_on(
        &self,
        machine: &Sandbox,
        program: &str,
        arguments: &[&str],
        prepare: impl FnOnce() + Send,
    ) -> BegunProgram {
        assert!(self.hypervisor.is_none(), "a machine runs one command after the other: use `run`");
        let mut command = self.program(program, arguments);
        let (pipe, output) = pipe2(OFlag::O_CLOEXEC).expect("a pipe");
        let errors = output.try_clone().expect("a second handle of a pipe");
        let begun = Instant::now();
        let child = machine.run(|| {
            prepare();
            // The umask of this thread only.
            umask(Mode::from_bits_truncate(self.umask.load(Ordering::Relaxed)));
            command.stdout(output).stderr(errors).spawn()
        });
        // It holds the pipe, and only the child may hold it.
        drop(command);
        let child = child.unwrap_or_else(|error| panic!("{program}: {error}"));
        BegunProgram { child, pipe: pipe.into(), begun }
    }
}
