//! Calls of the extension, as the management server makes them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Instant;

use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, umask};
use nix::unistd::pipe2;
use serde_json::Value;

use super::Lab;
use crate::extension::{payload_path, program, wrapper, write_privately};
use crate::outcome::{CommandOutcome, RunningCommand};
use crate::payload::as_gson_writes;

/// The timeout in seconds that the server passes today for every command.
const TIMEOUT: u32 = 60;

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
        assert!(self.hypervisor.is_none(), "a machine runs one command after the other: use `run`");
        let mut command = self.program(program, arguments);
        let (pipe, output) = pipe2(OFlag::O_CLOEXEC).expect("a pipe");
        let errors = output.try_clone().expect("a second handle of a pipe");
        let begun = Instant::now();
        let child = self.server().run(|| {
            prepare();
            // The umask of this thread only.
            umask(Mode::from_bits_truncate(self.umask.load(Ordering::Relaxed)));
            command.stdout(output).stderr(errors).spawn()
        });
        // It holds the pipe, and only the child may hold it.
        drop(command);
        let child = child.unwrap_or_else(|error| panic!("{program}: {error}"));
        RunningCommand { command: arguments.join(" "), child, pipe: pipe.into(), begun }
    }
}
