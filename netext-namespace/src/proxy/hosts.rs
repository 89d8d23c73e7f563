//! What is asked of hosts beside commands: short questions, bounded in time.

use std::time::Duration;

use futures_util::future::join_all;
use netext_core::Deadline;

use super::error::HostError;
use super::memory::{Memory, Owed};
use super::ssh::Ssh;
use super::target::{Fleet, Host};
use crate::failover::FailoverState;
use crate::model::RouterId;
use crate::relay::{Answer, Call};

/// How long a host may take to answer, and which part of the time left at most: there may be another one to be asked
/// after it.
const PATIENCE: Duration = Duration::from_secs(10);
const SHARE: u32 = 3;
/// How long a host may take that somebody else's command asks in passing.
const IN_PASSING: Duration = Duration::from_secs(2);

/// The hosts, for the time of one command.
#[derive(Debug)]
pub(super) struct Hosts<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ssh: &'a Ssh<'a>,
    pub(super) memory: &'a Memory,
    pub(super) deadline: &'a Deadline,
}

impl Hosts<'_> {
    /// What a host is to a router. Asking is as much as a whole command costs, and finds out as much: that the host
    /// answers, lets us in, and runs an executable that understands us.
    pub(super) async fn probe(&self, router: RouterId, host: &Host) -> Result<FailoverState, HostError> {
        let answer = self.ask(host, self.patience(), |_| Call::Probe { router }, &[]).await?;
        self.settle(host).await;
        Ok(if let Answer::Probed(standing) = answer { standing } else { FailoverState::default() })
    }

    /// The same of several at once.
    pub(super) async fn probe_all<'h>(
        &self,
        router: RouterId,
        hosts: Vec<&'h Host>,
    ) -> Vec<(&'h Host, Result<FailoverState, HostError>)> {
        join_all(hosts.into_iter().map(async |host| (host, self.probe(router, host).await))).await
    }

    /// Asks a host; the call is made with the milliseconds that it may take.
    pub(super) async fn ask(
        &self,
        host: &Host,
        patience: Duration,
        call: impl FnOnce(u64) -> Call,
        payload: &[u8],
    ) -> Result<Answer, HostError> {
        let milliseconds = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let answer = self.ssh.ask(host, || call(milliseconds), payload, patience).await;
        match &answer {
            Ok(_) => self.memory.note_answer(host),
            Err(error) => {
                tracing::warn!(%host, %error, "cannot ask a host");
                self.memory.note_failure(host);
            }
        }
        answer
    }

    pub(super) fn patience(&self) -> Duration {
        PATIENCE.min(self.deadline.remaining() / SHARE)
    }

    /// Tells a host that it serves a router no longer; one that cannot be told is told when it answers again.
    pub(super) async fn withdraw(&self, host: &Host, owed: Owed) {
        self.memory.note_owed(host, owed);
        if !self.memory.just_failed(host) {
            self.tell_owed(host, owed, IN_PASSING.min(self.patience())).await;
        }
    }

    /// Asks hosts that something is owed to whether they are back: they may serve what is another's by now.
    pub(super) async fn remind(&self, router: RouterId) {
        let owed = |host: &&Host| !self.memory.just_failed(host) && !self.memory.owed(host).is_empty();
        let ask = async |host: &Host| {
            let patience = IN_PASSING.min(self.patience());
            if self.ask(host, patience, |_| Call::Probe { router }, &[]).await.is_ok() {
                self.settle(host).await;
            }
        };
        join_all(self.fleet.hosts.iter().filter(owed).map(ask)).await;
    }

    /// Tells a host that answers what it missed.
    async fn settle(&self, host: &Host) {
        for owed in self.memory.owed(host) {
            self.tell_owed(host, owed, self.patience()).await;
        }
    }

    async fn tell_owed(&self, host: &Host, owed: Owed, patience: Duration) {
        let Owed { router, epoch, forget } = owed;
        let call = |milliseconds| Call::Withdraw { router, epoch, forget, milliseconds };
        match self.ask(host, patience, call, &[]).await {
            Ok(Answer::Failed { line, .. }) => {
                tracing::warn!(%host, %router, epoch, line, "a host does not give up a router");
            }
            Ok(_) => {
                tracing::info!(%host, %router, epoch, forget, "a host gave up a router");
                self.memory.forget_owed(host, router);
            }
            Err(_) => {}
        }
    }
}
