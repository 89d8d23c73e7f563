//! What is asked of one host.

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::Standing;
use crate::operator::doctor::{Finding, Report};
use crate::proxy::error::HostError;
use crate::proxy::ssh::{Ran, RemoteCommand, Ssh};
use crate::proxy::target::{Host, RemotePath};
use crate::relay::{self, Call, Identity, LineError, PROTOCOL};

/// Why a host could not be asked, or did not do what it should.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// It cannot be asked anything.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A command failed there.
    #[error("{host} cannot {action}: {words}")]
    Failed {
        /// The host.
        host: String,
        /// What was attempted.
        action: String,
        /// What it said.
        words: String,
    },
}

impl Trouble {
    pub(super) fn standing(&self) -> Standing {
        match self {
            Self::Host(error) if !error.is_beyond_login() => Standing::OutOfReach,
            _ => Standing::Unwell,
        }
    }

    /// In a word or two.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Host(error) => match error {
                HostError::Unreachable { .. } => "unreachable",
                HostError::Silent { .. } => "silent",
                HostError::Lost { .. } => "connection lost",
                HostError::NotAdmitted { .. } => "login refused",
                HostError::NotTheSame { .. } => "other host key",
                HostError::NoExtension { .. } => "no extension",
                HostError::Incompatible { .. } => "other protocol",
                HostError::Local { .. } => "not asked",
            },
            Self::Failed { .. } => "failed",
        }
    }
}

/// One host, for the time that it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    ssh: &'a Ssh<'a>,
    host: &'a Host,
    until: Instant,
}

impl<'a> Asked<'a> {
    pub(super) fn new(ssh: &'a Ssh<'a>, host: &'a Host, patience: Duration) -> Self {
        Self { ssh, host, until: Instant::now() + patience }
    }

    /// Which executable lies at a path.
    pub(super) async fn identify(&self, path: &RemotePath) -> Result<Identity, HostError> {
        let call = relay::to_line(&Call::Identify);
        let ran = self.run(RemoteCommand::Relay(path), call.as_bytes(), |_| {}).await?;
        let mut lines = ran.output.split(|byte| *byte == b'\n');
        let answer = lines.find(|line| relay::is_answer(line)).and_then(relay::identity);
        answer.ok_or_else(|| {
            let (host, path) = (self.host.to_string(), path.to_string());
            HostError::NoExtension { host, path, words: ran.ending() }
        })
    }

    /// Refuses an executable that this one does not understand.
    pub(super) fn demand_our_protocol(&self, identity: &Identity) -> Result<(), HostError> {
        let Identity { protocol, version } = identity.clone();
        if protocol == PROTOCOL {
            return Ok(());
        }
        let problem = LineError::Incompatible { protocol, version };
        Err(HostError::Incompatible { host: self.host.to_string(), problem })
    }

    /// What its doctor finds.
    pub(super) async fn doctor(&self, path: &RemotePath) -> Result<Vec<Finding>, Trouble> {
        let report: Report = self.document("examine itself", RemoteCommand::Doctor(path)).await?;
        Ok(report.findings)
    }

    /// Has a command print a document: that of one which failed as well, if there is one.
    pub(super) async fn document<T: DeserializeOwned>(
        &self,
        action: &str,
        command: RemoteCommand<'_>,
    ) -> Result<T, Trouble> {
        let ran = self.run(command, &[], |_| {}).await?;
        serde_json::from_slice(document(&ran.output)).map_err(|_| {
            let words = format!("{command}: {}", ran.ending());
            self.failed(action, words)
        })
    }

    /// Has a command do something that it says nothing about unless it fails.
    pub(super) async fn carry_out(&self, action: &str, command: RemoteCommand<'_>) -> Result<(), Trouble> {
        self.hand_over(action, command, &[], |_| {}).await
    }

    /// The same for one that reads `input`; `written` hears how many more bytes of that are on their way.
    pub(super) async fn hand_over(
        &self,
        action: &str,
        command: RemoteCommand<'_>,
        input: &[u8],
        written: impl FnMut(usize),
    ) -> Result<(), Trouble> {
        let ran = self.run(command, input, written).await?;
        if ran.exit == 0 { Ok(()) } else { Err(self.failed(action, ran.ending())) }
    }

    /// The SHA-256 digest of a file, in hexadecimal digits; `None` if there is none.
    pub(super) async fn digest(&self, path: &RemotePath) -> Result<Option<String>, Trouble> {
        let ran = self.run(RemoteCommand::Digest(path), &[], |_| {}).await?;
        let printed = String::from_utf8_lossy(&ran.output);
        let digest = printed.lines().find_map(|line| line.strip_suffix(path.as_str())).map(str::trim_end);
        Ok(digest.map(str::to_owned))
    }

    pub(super) fn failed(&self, action: &str, words: String) -> Trouble {
        Trouble::Failed { host: self.host.to_string(), action: action.to_owned(), words }
    }

    async fn run(
        &self,
        command: RemoteCommand<'_>,
        input: &[u8],
        written: impl FnMut(usize),
    ) -> Result<Ran, HostError> {
        let left = self.until.saturating_duration_since(Instant::now());
        self.ssh.run(self.host, command, input, written, left).await
    }
}

/// Login scripts may print something before it.
fn document(output: &[u8]) -> &[u8] {
    if output.starts_with(b"{") {
        return output;
    }
    let begin = output.windows(2).position(|pair| pair == b"\n{");
    begin.map_or(output, |begin| &output[begin + 1..])
}
