//! Calls to hosts, over connections that outlive the command.
//!
//! The first call to a host runs `ssh`, which logs in and stays in the background behind a socket
//! (`ControlMaster`); every later call, of any process, is a session over the same connection. It ends when it was
//! not used for some minutes, or when the host goes silent; the next call then begins another one.

pub mod askpass;
mod command_line;
mod complaint;
mod folder;
mod master;
mod remote_command;
mod secret;
mod session;

use std::path::Path;
use std::time::{Duration, Instant};

use super::error::HostError;
use super::target::{Fleet, Host};
use crate::programs::last_line;
use crate::relay::{self, Answer, Call};
use folder::{Connection, Folder};
pub use remote_command::RemoteCommand;
use session::{Ended, Heard, NoSession, Running};

/// How many connections to one host there may be. A host carries 10 sessions over each, unless its `MaxSessions`
/// says otherwise.
const CONNECTIONS: usize = 8;
/// How long it may take to reach a host and to be greeted by it.
const CONNECT: Duration = Duration::from_secs(10);
/// How long to wait for a session to become free, where all connections are full: longer every time.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The way to the hosts.
#[derive(Debug)]
pub struct Ssh<'a> {
    fleet: &'a Fleet,
    folder: Folder,
}

/// What came of a command that is not a call.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code.
    pub exit: u32,
    /// What it printed.
    pub output: Vec<u8>,
    /// What it said beside that.
    words: String,
}

impl Ran {
    /// How it ended, in words.
    pub fn ending(&self) -> String {
        format!("exit code {}, {}", self.exit, last_line(&self.words))
    }
}

impl<'a> Ssh<'a> {
    /// The way to the hosts of a fleet; sockets and noted host keys lie in a folder.
    pub fn new(fleet: &'a Fleet, folder: &Path) -> Result<Self, HostError> {
        Ok(Self { fleet, folder: Folder::open(folder)? })
    }

    /// Asks a host, for as long as `patience` lasts. `call` is made when the host listens, so that it can say how
    /// much time is left. Dropped before the host has answered, it calls off what the host does.
    pub async fn ask(
        &self,
        host: &Host,
        call: impl FnOnce() -> Call,
        payload: &[u8],
        patience: Duration,
    ) -> Result<Answer, HostError> {
        let asking = async {
            let running = self.start(host, RemoteCommand::Relay(&self.fleet.path), patience).await?;
            let heard = running.ask(&relay::to_line(&call()), payload).await;
            self.understand(host, heard.map_err(|source| local("talk to", self.fleet.path.as_str(), source))?)
        };
        self.within(patience, host, asking).await
    }

    /// Runs a command on a host, for as long as `patience` lasts, and reads all that it prints. `input` is what it
    /// reads; `written` hears how many more bytes of that were handed over.
    pub async fn run(
        &self,
        host: &Host,
        command: RemoteCommand<'_>,
        input: &[u8],
        written: impl FnMut(usize),
        patience: Duration,
    ) -> Result<Ran, HostError> {
        let running = async {
            let running = self.start(host, command, patience).await?;
            let ended = running.finish(input, written).await;
            let Ended { exit, output, words } =
                ended.map_err(|source| local("hear", &command.to_string(), source))?;
            match exit {
                Some(exit) => Ok(Ran { exit, output, words }),
                None => Err(lost(host, &words)),
            }
        };
        self.within(patience, host, running).await
    }

    async fn within<T>(
        &self,
        patience: Duration,
        host: &Host,
        work: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, HostError> {
        let begun = Instant::now();
        if let Ok(done) = tokio::time::timeout(patience, work).await {
            return done;
        }
        self.abandon_connections(host);
        Err(HostError::Silent { host: host.to_string(), after: begun.elapsed() })
    }

    /// Has the next call begin a new connection: one over which nothing came may need long to recover, even if the
    /// host is back. Whoever uses the old one still does.
    fn abandon_connections(&self, host: &Host) {
        for number in 0..CONNECTIONS {
            if let Ok(connection) = self.folder.connection(host, &self.fleet.login, number) {
                // Most are not there.
                let _ = std::fs::remove_file(connection.socket);
            }
        }
    }

    /// Starts a command on the host, over whichever connection has room.
    async fn start(
        &self,
        host: &Host,
        command: RemoteCommand<'_>,
        patience: Duration,
    ) -> Result<Running, HostError> {
        let command = command.line(&self.fleet.login.user);
        let mut wait = FIRST_WAIT;
        loop {
            for number in 0..CONNECTIONS {
                let connection = self.folder.connection(host, &self.fleet.login, number)?;
                if let Some(running) =
                    self.start_over(&connection, host, &command, patience.min(CONNECT)).await?
                {
                    return Ok(running);
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Starts a command over one connection; `None` if that one is full.
    async fn start_over(
        &self,
        connection: &Connection,
        host: &Host,
        command: &str,
        patience: Duration,
    ) -> Result<Option<Running>, HostError> {
        for _ in 0..2 {
            match session::start(&connection.socket, command).await {
                Ok(running) => return Ok(Some(running)),
                Err(NoSession::Full) => return Ok(None),
                Err(NoSession::Local(source)) => return Err(local("use", "a pipe", source)),
                // Nothing was started yet, so beginning again is harmless.
                Err(NoSession::NoConnection) => {
                    master::begin(&self.folder, connection, host, &self.fleet.login, patience).await?;
                }
            }
        }
        Err(HostError::Lost {
            host: host.to_string(),
            words: " (the connection ended as soon as it was up)".into(),
        })
    }

    fn understand(&self, host: &Host, heard: Heard) -> Result<Answer, HostError> {
        let name = host.to_string();
        match heard {
            Heard::Answer(line) => match relay::from_line(&line) {
                Ok(answer) => Ok(answer),
                Err(problem) => Err(HostError::Incompatible { host: name, problem }),
            },
            Heard::Nothing { exit: None, words } => Err(lost(host, &words)),
            Heard::Nothing { exit: Some(code), words } => Err(HostError::NoExtension {
                host: name,
                path: RemoteCommand::Relay(&self.fleet.path).line(&self.fleet.login.user),
                words: format!("exit code {code}, {}", last_line(&words)),
            }),
        }
    }
}

fn lost(host: &Host, words: &str) -> HostError {
    let words = if words.trim().is_empty() { String::new() } else { format!(" ({})", last_line(words)) };
    HostError::Lost { host: host.to_string(), words }
}

fn local(action: &'static str, path: &str, source: std::io::Error) -> HostError {
    HostError::Local { action, path: path.into(), source }
}
