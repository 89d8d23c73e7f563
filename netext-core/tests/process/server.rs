//! Runs the double as the management server runs an extension.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::build::example;

/// How long the server is watched before the test gives up.
const WATCHDOG: Duration = Duration::from_secs(30);

/// The credentials that [`Server::payload`] holds; none may ever be seen.
pub(crate) const SECRETS: [&str; 2] = ["hunter2-password", "hunter2-key"];

/// A management server with a folder of its own for payloads, scripts and logs.
pub(crate) struct Server {
    folder: TempDir,
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The exit code, or none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Both streams, merged.
    pub(crate) stream: String,
    /// How long it took until the end of the stream.
    pub(crate) took: Duration,
}

impl Answer {
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

/// A command that is running.
pub(crate) struct Running {
    child: Child,
    began: Instant,
    stream: mpsc::Receiver<Vec<u8>>,
}

impl Running {
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Reads the stream to its end, as the server does, and only then asks for the exit code.
    pub(crate) fn wait(mut self) -> Answer {
        let stream = self.stream.recv_timeout(WATCHDOG).unwrap_or_else(|_| {
            let _ = self.child.kill();
            panic!("the stream was still open after {WATCHDOG:?}");
        });
        let took = self.began.elapsed();
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), None, "ended by a signal");
        Answer { code: status.code(), stream: String::from_utf8(stream).unwrap(), took }
    }
}

impl Server {
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
    pub(crate) fn run(&self, command: &str, script: Value) -> Answer {
        self.start(command, "60", script).wait()
    }

    pub(crate) fn start(&self, command: &str, timeout: &str, script: Value) -> Running {
        let payload = self.payload();
        self.start_with(&[command, payload.to_str().unwrap(), timeout], script)
    }

    pub(crate) fn start_with(&self, args: &[&str], script: Value) -> Running {
        let path = self.path("script.json");
        fs::write(&path, script.to_string()).unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
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
            reader.read_to_end(&mut bytes).unwrap();
            let _ = sender.send(bytes);
        });
        Running { child, began, stream }
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path("log/acme/acme.log")
    }

    pub(crate) fn log_lines(&self) -> Vec<String> {
        fs::read_to_string(self.log()).unwrap().lines().map(str::to_owned).collect()
    }

    /// The process whose number a shell wrote to a file; waits for it.
    pub(crate) fn process(&self, file: &str) -> Pid {
        let path = self.path(file);
        eventually(|| {
            let text = fs::read_to_string(&path).ok()?;
            text.strip_suffix('\n')?.parse().ok().and_then(Pid::from_raw)
        })
    }

    /// A shell command that notes its process number in a file and then sleeps for a long time.
    pub(crate) fn sleeper(&self, file: &str) -> String {
        format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 300", self.path(file).display())
    }
}

/// Asks until there is an answer.
#[track_caller]
pub(crate) fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < WATCHDOG, "still not so after {WATCHDOG:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is there and not merely waiting to be buried.
pub(crate) fn is_alive(process: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
    test_kill_process(process).is_ok() && !stat.contains(") Z ")
}

/// The double's executable.
pub(crate) fn double() -> &'static Path {
    static DOUBLE: LazyLock<PathBuf> = LazyLock::new(|| example("netext-double"));
    &DOUBLE
}
