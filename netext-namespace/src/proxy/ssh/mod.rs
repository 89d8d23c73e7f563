//! Commands on hosts, over connections that outlive the command that began them.
//!
//! The first command for a host runs `ssh`, which logs in and stays in the background behind a socket
//! (`ControlMaster`). Later commands of any process are sessions over the same connection. It ends some minutes after
//! its last use, or when the host falls silent; the next command then begins another one.

mod connection;
pub mod login;

use std::path::Path;
use std::time::{Duration, Instant};

use super::error::HostError;
use super::fleet::Fleet;
use super::remote::{HostAddress, RemoteCommand};
use crate::files::failed;
use crate::programs::last_line;
use crate::relay::{self, RelayReply, RelayRequest};
use connection::{RemoteSession, SessionEnd, SessionError, SshConnection, SshFolder};

/// How many connections to one host there may be. A host accepts 10 sessions over each, unless its `MaxSessions` says
/// otherwise.
const CONNECTIONS: usize = 8;
/// How long it may take to connect to a host and to log in.
const CONNECT: Duration = Duration::from_secs(10);
/// How long to wait for a free session where all connections are full. Each wait is longer than the one before.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Runs commands on the hosts of a fleet.
#[derive(Debug)]
pub struct Ssh<'a> {
    fleet: &'a Fleet,
    folder: SshFolder,
}

/// How a command other than the relay ended.
#[derive(Debug)]
pub struct RemoteOutcome {
    /// Its exit code.
    pub exit: u32,
    /// Its standard output.
    pub output: Vec<u8>,
    /// What it printed besides.
    words: String,
}

impl RemoteOutcome {
    /// The exit code and the last words.
    pub fn ending(&self) -> String {
        ending(self.exit, &self.words)
    }
}

impl<'a> Ssh<'a> {
    /// The hosts of a fleet. Sockets and trusted host keys are kept in a folder.
    pub fn new(fleet: &'a Fleet, folder: &Path) -> Result<Self, HostError> {
        Ok(Self { fleet, folder: SshFolder::open(folder)? })
    }

    /// Sends a request to the relay of a host, and returns its reply. The request is made when the host listens, so
    /// that it can say how much time is left. If this is dropped before the host has replied, the host stops its work.
    pub async fn ask(
        &self,
        host: &HostAddress,
        request: impl FnOnce() -> RelayRequest,
        payload: &[u8],
        patience: Duration,
    ) -> Result<RelayReply, HostError> {
        let asking = async {
            let path = &self.fleet.path;
            let session = self.start(host, RemoteCommand::Relay(path), patience).await?;
            let received = session.ask(&relay::to_line(&request()), payload).await;
            match received.map_err(failed("talk to", Path::new(path.as_str())))? {
                Ok(line) => relay::from_line(&line)
                    .map_err(|problem| HostError::Incompatible { host: host.clone(), problem }),
                Err(SessionEnd { exit: None, words, .. }) => Err(lost(host, &words)),
                Err(SessionEnd { exit: Some(exit), words, .. }) => Err(HostError::NoExtension {
                    host: host.clone(),
                    path: RemoteCommand::Relay(path).line(&self.fleet.login.user),
                    words: ending(exit, &words),
                }),
            }
        };
        self.within(patience, host, asking).await
    }

    /// Runs a command on a host. It reads `input`; `sent` is called with the number of further bytes that were sent.
    pub async fn run(
        &self,
        host: &HostAddress,
        command: RemoteCommand<'_>,
        input: &[u8],
        sent: impl FnMut(usize),
        patience: Duration,
    ) -> Result<RemoteOutcome, HostError> {
        let running = async {
            let session = self.start(host, command, patience).await?;
            let ended = session.finish(input, sent).await;
            let SessionEnd { exit, output, words } =
                ended.map_err(failed("read the output of", Path::new(&command.to_string())))?;
            match exit {
                Some(exit) => Ok(RemoteOutcome { exit, output, words }),
                None => Err(lost(host, &words)),
            }
        };
        self.within(patience, host, running).await
    }

    async fn within<T>(
        &self,
        patience: Duration,
        host: &HostAddress,
        work: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, HostError> {
        let begun = Instant::now();
        if let Ok(done) = tokio::time::timeout(patience, work).await {
            return done;
        }
        self.abandon_connections(host);
        Err(HostError::Silent { host: host.clone(), after: begun.elapsed() })
    }

    /// Makes the next command begin a new connection: a silent connection may need long to recover, even if the host
    /// is back. Commands that run over the old one continue.
    fn abandon_connections(&self, host: &HostAddress) {
        for number in 0..CONNECTIONS {
            if let Ok(connection) = self.folder.connection(host, &self.fleet.login, number) {
                // Most do not exist.
                let _ = std::fs::remove_file(connection.socket);
            }
        }
    }

    /// Starts a command on the host, over the first connection that has room.
    async fn start(
        &self,
        host: &HostAddress,
        command: RemoteCommand<'_>,
        patience: Duration,
    ) -> Result<RemoteSession, HostError> {
        let command = command.line(&self.fleet.login.user);
        let mut wait = FIRST_WAIT;
        loop {
            for number in 0..CONNECTIONS {
                let connection = self.folder.connection(host, &self.fleet.login, number)?;
                let started = self.start_over(&connection, host, &command, patience.min(CONNECT)).await?;
                if let Some(session) = started {
                    return Ok(session);
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Starts a command over one connection; `None` if that one is full.
    async fn start_over(
        &self,
        connection: &SshConnection,
        host: &HostAddress,
        command: &str,
        patience: Duration,
    ) -> Result<Option<RemoteSession>, HostError> {
        for _ in 0..2 {
            match connection.start(command).await {
                Ok(session) => return Ok(Some(session)),
                Err(SessionError::Full) => return Ok(None),
                Err(SessionError::Local(source)) => {
                    return Err(failed("use", Path::new("a pipe"))(source).into());
                }
                // Nothing was started yet, so another attempt is harmless.
                Err(SessionError::NoConnection) => {
                    login::begin(&self.folder, connection, host, &self.fleet.login, patience).await?;
                }
            }
        }
        Err(lost(host, "the connection ended as soon as it was up"))
    }
}

fn ending(exit: u32, words: &str) -> String {
    format!("exit code {exit}, {}", last_line(words))
}

fn lost(host: &HostAddress, words: &str) -> HostError {
    let words = if words.trim().is_empty() { String::new() } else { format!(" ({})", last_line(words)) };
    HostError::Lost { host: host.clone(), words }
}
