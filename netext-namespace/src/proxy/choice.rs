//! Which host a router is on, or shall be on.

use netext_core::DeviceError;

use super::error::HostError;
use super::hosts::Hosts;
use super::memory::{Owed, Place};
use super::rank::ranked;
use super::target::Host;
use crate::failover::{FailoverState, RouterDelta};
use crate::model::RouterId;
use crate::relay::{Answer, Call, Since};

/// The choice of a host for one router.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    pub(super) hosts: &'a Hosts<'a>,
    pub(super) router: RouterId,
}

impl Choice<'_> {
    /// Where the router is served: where it is known to be, while that host is registered and can be reached; else
    /// where it is found to be; else the host that knows it best takes it over; else it is put on the one that
    /// it prefers of those that can be reached. Those that just failed come last.
    ///
    /// A known host that answers, but not as it should, is no reason to go elsewhere: it still serves its guests,
    /// and two hosts must not.
    pub(super) async fn place(&self, known: Option<&Place>) -> Result<Place, DeviceError> {
        let (router, fleet) = (self.router, self.hosts.fleet);
        let mut troubles = Vec::new();
        let mut latest = known.map_or(0, |known| known.epoch);
        let registered = known.filter(|known| fleet.hosts.contains(&known.host));
        if let Some(Place { host, epoch }) = registered {
            match self.hosts.probe(router, host).await {
                Ok(FailoverState { superseded: Some(by), .. }) => latest = latest.max(by),
                Ok(FailoverState { serves, .. }) => {
                    let epoch = serves.unwrap_or_default().max(*epoch).max(1);
                    return Ok(Place { host: host.clone(), epoch });
                }
                Err(trouble) if trouble.is_absence() => troubles.push(trouble),
                Err(trouble) => return Err(trouble.into()),
            }
        }
        let lost = registered.filter(|_| !troubles.is_empty()).map(|known| &known.host);
        let others = fleet.hosts.iter().filter(|host| Some(*host) != lost);
        let (failed, sound): (Vec<_>, Vec<_>) =
            ranked(router, others).into_iter().partition(|host| self.hosts.memory.just_failed(host));
        // Where the router has been somewhere, any host may have its copy.
        let rounds = if known.is_some() { vec![[sound, failed].concat()] } else { vec![sound, failed] };
        for hosts in rounds {
            let mut answers = Vec::new();
            for (host, answer) in self.hosts.probe_all(router, hosts).await {
                match answer {
                    Ok(standing) => answers.push((host, standing)),
                    Err(trouble) => troubles.push(trouble),
                }
            }
            if !answers.is_empty() {
                return self.among(&answers, latest, known).await;
            }
        }
        Err(DeviceError::connection(format!("no host for {router} can be used: {}", joined(&troubles))))
    }

    /// Chooses among hosts that answered.
    async fn among(
        &self,
        answers: &[(&Host, FailoverState)],
        latest: u64,
        known: Option<&Place>,
    ) -> Result<Place, DeviceError> {
        let serving = answers.iter().filter_map(|(host, it)| Some((it.serves?, *host)));
        if let Some((epoch, host)) =
            serving.filter(|(epoch, _)| *epoch >= latest).max_by_key(|(epoch, _)| *epoch)
        {
            let place = Place { host: host.clone(), epoch };
            self.silence_others(answers, &place).await;
            return Ok(place);
        }
        let epochs = answers.iter().flat_map(|(_, it)| {
            [it.serves, it.superseded, it.replica.map(|replica| replica.epoch)].into_iter().flatten()
        });
        let epoch = epochs.chain([latest]).max().unwrap_or_default() + 1;
        let knows_it = answers.iter().filter(|(_, it)| it.latest().is_some());
        let (host, standing) = knows_it.max_by_key(|(_, it)| it.latest()).unwrap_or(&answers[0]);
        let place = Place { host: (*host).clone(), epoch };
        self.silence_others(answers, &place).await;
        let before = known.filter(|known| known.host != place.host);
        if let Some(before) = before {
            let evacuated = self.evacuate(before, &place).await;
            if evacuated || standing.replica.is_some() || standing.superseded.is_some() {
                self.take_over(&place).await?;
            }
            tracing::warn!(router = %self.router, from = %before.host, to = %place.host, epoch, "a router moved");
            self.hosts.memory.note_left(self.router, &before.host);
            self.hosts.withdraw(&before.host, Owed { router: self.router, epoch, forget: false }).await;
        } else if standing.replica.is_some() || standing.superseded.is_some() {
            self.take_over(&place).await?;
        }
        Ok(place)
    }

    /// Tells hosts that serve the router as well, from an earlier epoch, to give it up: as hosts do that were followed,
    /// and booted again before they could be told.
    async fn silence_others(&self, answers: &[(&Host, FailoverState)], place: &Place) {
        for (host, _) in answers.iter().filter(|(host, it)| it.serves.is_some() && **host != place.host) {
            let owed = Owed { router: self.router, epoch: place.epoch, forget: false };
            self.hosts.withdraw(host, owed).await;
        }
    }

    /// Brings what a host knows that is no longer registered, but still answers, to the one that follows.
    async fn evacuate(&self, before: &Place, next: &Place) -> bool {
        let (hosts, router) = (self.hosts, self.router);
        if hosts.fleet.hosts.contains(&before.host) || hosts.memory.just_failed(&before.host) {
            return false;
        }
        let since = Since { router, serial: 0 };
        let told =
            hosts.ask(&before.host, hosts.patience(), |milliseconds| Call::Tell { since, milliseconds }, &[]);
        let Ok(Answer::Told(Some(RouterDelta::Changed(copy)))) = told.await else { return false };
        let Ok(copy) = serde_json::to_vec(&copy) else { return false };
        let bytes = copy.len() as u64;
        let kept =
            hosts.ask(&next.host, hosts.patience(), |milliseconds| Call::Keep { milliseconds, bytes }, &copy);
        matches!(kept.await, Ok(Answer::Done))
    }

    async fn take_over(&self, place: &Place) -> Result<(), DeviceError> {
        let Place { host, epoch } = place;
        let (router, epoch) = (self.router, *epoch);
        let time = self.hosts.deadline.remaining() / 4 * 3;
        let call = |milliseconds| Call::TakeOver { router, epoch, milliseconds };
        match self.hosts.ask(host, time, call, &[]).await? {
            Answer::Failed { line, .. } => {
                Err(DeviceError::device(format!("{host} cannot take {router} over: {line}")))
            }
            _ => Ok(()),
        }
    }

    /// The hosts that serve the router, for a command that takes something away; none if it is nowhere.
    pub(super) async fn holders(&self) -> Result<Vec<Place>, DeviceError> {
        let hosts = &self.hosts.fleet.hosts;
        let place = self.hosts.memory.place(self.router).map(|place| place.host);
        let elsewhere = place.as_ref().filter(|place| !hosts.contains(place));
        let answers = self.hosts.probe_all(self.router, hosts.iter().chain(elsewhere).collect()).await;
        let mut holders = Vec::new();
        let mut is_elsewhere = false;
        let mut troubles = Vec::new();
        for (host, answer) in answers {
            match answer {
                Ok(FailoverState { serves: Some(epoch), .. }) => {
                    holders.push(Place { host: host.clone(), epoch });
                }
                Ok(_) => is_elsewhere |= place.as_ref() == Some(host),
                Err(trouble) => troubles.push(trouble),
            }
        }
        if !holders.is_empty() || is_elsewhere || troubles.is_empty() {
            return Ok(holders);
        }
        Err(DeviceError::connection(format!(
            "{} is on none of the hosts that answer, and may be on one that does not: {}; bring that host back, or \
             take it out of `hosts`, and repeat",
            self.router,
            joined(&troubles)
        )))
    }
}

fn joined(troubles: &[HostError]) -> String {
    troubles.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
