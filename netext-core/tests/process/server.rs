//! Runs the double as the management server runs an extension.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::alive::{WATCHDOG, process_in};
use crate::build::example;

/// The credentials in [`ScriptedServer::payload`]; none may ever be printed.
pub(crate) const SECRETS: [&str; 2] = ["hunter2-password", "hunter2-key"];

/// A management server with a folder for payloads, scripts and logs.
pub(crate) struct ScriptedServer {
    folder: TempDir,
}

/// The end of a command, as the server sees it.
#[derive(Debug)]
pub(crate) struct CommandEnd {
    /// The exit code, or none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Both streams, merged.
    pub(crate) stream: String,
    /// How long it took until the end of the stream.
    pub(crate) took: Duration,
}

impl CommandEnd {
    /// It succeeded and printed nothing.
    #[track_caller]
    pub(crate) fn assert_silent_success(&self) {
        assert_eq!((self.code, self.stream.as_str()), (Some(0), ""));
    }

    /// It failed with this code and exactly one line, which is returned.
    #[track_caller]
    pub(crate) fn failure(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:?}");
        let line = self.stream.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {self:?}"));
        assert!(!line.is_empty() && !line.contains(['\n', '\r']), "not one line: {self:?}");
        line
    }
}

/// A running command.
pub(crate) struct RunningCommand {
    child: Child,
    began: Instant,
    stream: mpsc::Receiver<Vec<u8>>,
}

impl RunningCommand {
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Reads the stream to its end, as the server does, and only then asks for the exit code.
    pub(crate) fn wait(mut self) -> CommandEnd {
        let stream = self.stream.recv_timeout(WATCHDOG).unwrap_or_else(|_| {
            let _ = self.child.kill();
            panic!("the stream was still open after {WATCHDOG:?}");
        });
        let took = self.began.elapsed();
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), None, "ended by a signal");
        CommandEnd { code: status.code(), stream: String::from_utf8(stream).unwrap(), took }
    }
}

impl ScriptedServer {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A payload for commands about a network, with credentials.
    pub(crate) fn payload(&self) -> PathBuf {
        self.payload_of(
            json!({
                "physical-network-extension-details": {
                    "hosts": "192.0.2.10", "password": SECRETS[0], "sshkey": SECRETS[1],
                },
                "network-extension-details": {},
                "payload": { "network_id": "209", "vpc_id": "7", "vlan": "1910" },
            })
            .to_string()
            .as_bytes(),
        )
    }

    pub(crate) fn payload_of(&self, payload: &[u8]) -> PathBuf {
        let path = self.path("payload.json");
        fs::write(&path, payload).unwrap();
        path
    }

    /// A command with the server's usual timeout.
    pub(crate) fn run(&self, command: &str, script: Value) -> CommandEnd {
        self.start(command, "60", script).wait()
    }

    pub(crate) fn start(&self, command: &str, timeout: &str, script: Value) -> RunningCommand {
        let payload = self.payload();
        self.start_with(&[command, payload.to_str().unwrap(), timeout], script)
    }

    pub(crate) fn start_with(&self, args: &[&str], script: Value) -> RunningCommand {
        let path = self.path("script.json");
        fs::write(&path, script.to_string()).unwrap();
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let child = Command::new(double())
            .args(args)
            .env("NETEXT_DOUBLE", path)
            .env("NETEXT_DOUBLE_LOG", self.log())
            .stdin(File::open("/dev/zero").unwrap())
            .stdout(writer.try_clone().unwrap())
            .stderr(writer)
            .spawn()
            .unwrap();
        let began = Instant::now();
        let (sender, stream) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            File::from(reader).read_to_end(&mut bytes).unwrap();
            let _ = sender.send(bytes);
        });
        RunningCommand { child, began, stream }
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path("log/acme/acme.log")
    }

    pub(crate) fn log_lines(&self) -> Vec<String> {
        fs::read_to_string(self.log()).unwrap().lines().map(str::to_owned).collect()
    }

    /// The process that a [`sleeper`](Self::sleeper) noted in a file; waits for it.
    pub(crate) fn process(&self, file: &str) -> Pid {
        process_in(&self.path(file))
    }

    /// A shell command that writes its process number to a file and then sleeps for a long time.
    pub(crate) fn sleeper(&self, file: &str) -> String {
        format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 300", self.path(file).display())
    }
}

/// The double's executable.
pub(crate) fn double() -> &'static Path {
    static DOUBLE: LazyLock<PathBuf> = LazyLock::new(|| example("netext-double"));
    &DOUBLE
}
