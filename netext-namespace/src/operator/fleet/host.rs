//! One host of a fleet: what it is asked, and how healthy it is.

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::operator::doctor::{DoctorFinding, DoctorReport};
use crate::operator::error::OperatorExit;
use crate::proxy::error::HostError;
use crate::proxy::remote::{HostAddress, RemoteCommand, RemotePath};
use crate::proxy::ssh::{RemoteOutcome, Ssh};
use crate::relay::{self, ExecutableIdentity, PROTOCOL, RelayLineError, RelayRequest};

/// How healthy a host is, as far as the exit code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostStatus {
    Healthy,
    Unhealthy,
    Unreachable,
}

impl HostStatus {
    /// The exit of a command for hosts with these statuses.
    pub(super) fn exit_of(hosts: impl IntoIterator<Item = Self>) -> OperatorExit {
        let hosts: Vec<_> = hosts.into_iter().collect();
        if hosts.iter().all(|host| *host == Self::Unreachable) {
            OperatorExit::Unreachable
        } else {
            OperatorExit::of(hosts.iter().all(|host| *host == Self::Healthy))
        }
    }
}

/// Why a host could not be asked, or did not do its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum FleetHostError {
    /// It could not be asked.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A command failed there.
    #[error("{host} cannot {action}: {words}")]
    Failed {
        /// The host.
        host: HostAddress,
        /// What was attempted.
        action: String,
        /// The words of the command.
        words: String,
    },
    /// The executable to deploy is another program, or runs on other machines only.
    #[error(
        "the executable to deploy does not answer on {host} as this extension: {words}; give a build of this version \
         for that host"
    )]
    WrongExecutable {
        /// The host.
        host: HostAddress,
        /// Its answer there.
        words: String,
    },
}

impl FleetHostError {
    pub(super) fn status(&self) -> HostStatus {
        match self {
            Self::Host(error) if !error.is_beyond_login() => HostStatus::Unreachable,
            _ => HostStatus::Unhealthy,
        }
    }

    /// The error in a word or two.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Host(error) => match error {
                HostError::Unreachable { .. } => "unreachable",
                HostError::Silent { .. } => "silent",
                HostError::Lost { .. } => "connection lost",
                HostError::LoginRefused { .. } => "login refused",
                HostError::WrongHostKey { .. } => "other host key",
                HostError::NoExtension { .. } => "no extension",
                HostError::Incompatible { .. } => "other protocol",
                HostError::Local(_) => "not asked",
            },
            Self::Failed { .. } => "failed",
            Self::WrongExecutable { .. } => "wrong executable",
        }
    }
}

/// A host, for the time that it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct FleetHost<'a> {
    ssh: &'a Ssh<'a>,
    pub(super) address: &'a HostAddress,
    until: Instant,
}

impl<'a> FleetHost<'a> {
    pub(super) fn new(ssh: &'a Ssh<'a>, address: &'a HostAddress, patience: Duration) -> Self {
        Self { ssh, address, until: Instant::now() + patience }
    }

    /// Asks for the identity of the executable at a path.
    pub(super) async fn identify(&self, path: &RemotePath) -> Result<ExecutableIdentity, HostError> {
        let request = relay::to_line(&RelayRequest::Identify);
        let ended = self.run(RemoteCommand::Relay(path), request.as_bytes(), |_| {}).await?;
        let mut lines = ended.output.split(|byte| *byte == b'\n');
        let reply = lines.find(|line| relay::is_reply(line)).and_then(relay::identity);
        reply.ok_or_else(|| {
            let (host, path) = (self.address.clone(), path.to_string());
            HostError::NoExtension { host, path, words: ended.ending() }
        })
    }

    /// Refuses an executable with another relay protocol.
    pub(super) fn demand_our_protocol(&self, identity: &ExecutableIdentity) -> Result<(), HostError> {
        let ExecutableIdentity { protocol, version } = identity.clone();
        if protocol == PROTOCOL {
            return Ok(());
        }
        let problem = RelayLineError::Incompatible { protocol, version };
        Err(HostError::Incompatible { host: self.address.clone(), problem })
    }

    /// Runs `doctor` and returns its findings.
    pub(super) async fn doctor(&self, path: &RemotePath) -> Result<Vec<DoctorFinding>, FleetHostError> {
        let report: DoctorReport = self.document("check itself", RemoteCommand::Doctor(path)).await?;
        Ok(report.findings)
    }

    /// Runs a command and returns the document that it prints, even if it fails.
    pub(super) async fn document<T: DeserializeOwned>(
        &self,
        action: &str,
        command: RemoteCommand<'_>,
    ) -> Result<T, FleetHostError> {
        let ended = self.run(command, &[], |_| {}).await?;
        serde_json::from_slice(document(&ended.output))
            .map_err(|_| self.failed(action, format!("{command}: {}", ended.ending())))
    }

    /// Runs a command that must succeed.
    pub(super) async fn carry_out(
        &self,
        action: &str,
        command: RemoteCommand<'_>,
    ) -> Result<(), FleetHostError> {
        self.send(action, command, &[], |_| {}).await
    }

    /// Runs a command that reads `input` and must succeed. `sent` is called with the number of further bytes that were
    /// sent.
    pub(super) async fn send(
        &self,
        action: &str,
        command: RemoteCommand<'_>,
        input: &[u8],
        sent: impl FnMut(usize),
    ) -> Result<(), FleetHostError> {
        let ended = self.run(command, input, sent).await?;
        if ended.exit == 0 { Ok(()) } else { Err(self.failed(action, ended.ending())) }
    }

    /// The SHA-256 digest of a file in hexadecimal digits; `None` if it does not exist.
    pub(super) async fn digest(&self, path: &RemotePath) -> Result<Option<String>, FleetHostError> {
        let ended = self.run(RemoteCommand::Digest(path), &[], |_| {}).await?;
        let printed = String::from_utf8_lossy(&ended.output);
        let digest = printed.lines().find_map(|line| line.strip_suffix(path.as_str())).map(str::trim_end);
        Ok(digest.map(str::to_owned))
    }

    pub(super) fn failed(&self, action: &str, words: String) -> FleetHostError {
        FleetHostError::Failed { host: self.address.clone(), action: action.to_owned(), words }
    }

    async fn run(
        &self,
        command: RemoteCommand<'_>,
        input: &[u8],
        sent: impl FnMut(usize),
    ) -> Result<RemoteOutcome, HostError> {
        let left = self.until.saturating_duration_since(Instant::now());
        self.ssh.run(self.address, command, input, sent, left).await
    }
}

/// The JSON document in an output. Login scripts may print lines before it.
fn document(output: &[u8]) -> &[u8] {
    if output.starts_with(b"{") {
        return output;
    }
    let begin = output.windows(2).position(|pair| pair == b"\n{");
    begin.map_or(output, |begin| &output[begin + 1..])
}
