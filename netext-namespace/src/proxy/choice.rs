//! Which host a router is on, or shall be on.

use std::time::Duration;

use futures_util::future::join_all;
use netext_core::{Deadline, DeviceError};

use super::error::HostError;
use super::memory::Memory;
use super::rank::ranked;
use super::ssh::Ssh;
use super::target::{Fleet, Host};
use crate::model::RouterId;
use crate::relay::{Answer, Call};

/// How long a host may take to say what it has, and which part of the time left at most: there may be another one
/// to be asked after it.
const PATIENCE: Duration = Duration::from_secs(10);
const SHARE: u32 = 3;

/// What the choice of a host rests on.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ssh: &'a Ssh<'a>,
    pub(super) memory: &'a Memory,
    pub(super) router: RouterId,
    pub(super) deadline: &'a Deadline,
}

impl Choice<'_> {
    /// The host of the router: `known`, while it is registered and can be reached; else one that has the router;
    /// else the one that the router prefers of those that can be reached. Those that just failed come last.
    ///
    /// A known host that answers, but not as it should, is no reason to go elsewhere: it still serves its guests,
    /// and two hosts must not.
    pub(super) async fn host(&self, known: Option<&Host>) -> Result<Host, DeviceError> {
        let mut troubles = Vec::new();
        let known = known.filter(|known| self.fleet.hosts.contains(known));
        if let Some(known) = known {
            match self.probe(known).await {
                Ok(_) => return Ok(known.clone()),
                Err(trouble) if trouble.is_absence() => troubles.push(trouble),
                Err(trouble) => return Err(trouble.into()),
            }
        }
        let others = self.fleet.hosts.iter().filter(|host| Some(*host) != known);
        let (last, first): (Vec<_>, Vec<_>) =
            ranked(self.router, others).into_iter().partition(|host| self.memory.just_failed(host));
        for hosts in [first, last] {
            let mut answers = Vec::new();
            for (host, answer) in self.probe_all(hosts).await {
                match answer {
                    Ok(holds) => answers.push((host, holds)),
                    Err(trouble) => troubles.push(trouble),
                }
            }
            let holder = answers.iter().find(|(_, holds)| *holds).or(answers.first());
            if let Some((host, _)) = holder {
                return Ok((*host).clone());
            }
        }
        Err(DeviceError::connection(format!(
            "no host for {} can be used: {}",
            self.router,
            joined(&troubles)
        )))
    }

    /// The hosts that have the router, for a command that takes something away; none if it is nowhere.
    pub(super) async fn holders(&self) -> Result<Vec<Host>, DeviceError> {
        let place = self.memory.place(self.router);
        let elsewhere = place.as_ref().filter(|place| !self.fleet.hosts.contains(place));
        let answers = self.probe_all(self.fleet.hosts.iter().chain(elsewhere).collect()).await;
        let holders = answers.iter().filter(|(_, answer)| matches!(answer, Ok(true)));
        let holders: Vec<Host> = holders.map(|(host, _)| (*host).clone()).collect();
        let is_without =
            |host: &Host| answers.iter().any(|(it, answer)| *it == host && matches!(answer, Ok(false)));
        if !holders.is_empty() || place.as_ref().is_some_and(is_without) {
            return Ok(holders);
        }
        let troubles: Vec<_> = answers.into_iter().filter_map(|(_, answer)| answer.err()).collect();
        if troubles.is_empty() {
            return Ok(holders);
        }
        Err(DeviceError::connection(format!(
            "{} is on none of the hosts that answer, and may be on one that does not: {}; bring that host back, or \
             take it out of `hosts`, and repeat",
            self.router,
            joined(&troubles)
        )))
    }

    async fn probe_all<'h>(&self, hosts: Vec<&'h Host>) -> Vec<(&'h Host, Result<bool, HostError>)> {
        join_all(hosts.into_iter().map(async |host| (host, self.probe(host).await))).await
    }

    /// Whether a host has the router. It is as much as a whole command costs, and finds out as much: that the host
    /// answers, lets us in, and runs an executable that understands us.
    async fn probe(&self, host: &Host) -> Result<bool, HostError> {
        let patience = PATIENCE.min(self.deadline.remaining() / SHARE);
        let answer = self.ssh.ask(host, || Call::Probe { router: self.router }, &[], patience).await;
        match answer {
            Ok(answer) => {
                self.memory.note_answer(host);
                Ok(matches!(answer, Answer::Probed { holds: true }))
            }
            Err(error) => {
                tracing::warn!(%host, router = %self.router, %error, "cannot ask a host");
                self.memory.note_failure(host);
                Err(error)
            }
        }
    }
}

fn joined(troubles: &[HostError]) -> String {
    troubles.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
