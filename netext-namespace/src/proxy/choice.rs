//! The choice of the host that serves a router.

use netext_core::{DeviceError, error_chain};

use super::error::HostError;
use super::hosts::{FleetClient, ranked};
use super::memory::{OwedStepDown, RouterLocation};
use super::remote::HostAddress;
use crate::failover::{FailoverState, RouterDelta};
use crate::model::RouterId;
use crate::relay::{RelayReply, RelayRequest, ReplicaPosition};

/// The choice of a host for one router.
#[derive(Debug)]
pub(super) struct HostChoice<'a> {
    pub(super) client: &'a FleetClient<'a>,
    pub(super) router: RouterId,
}

impl HostChoice<'_> {
    /// The host that serves the router: the known one, while it is registered and can be reached; else another host
    /// that says it serves the router; else the host that knows the router best, which takes it over; else the host
    /// that the router prefers among those that can be reached. Hosts that failed a moment ago come last.
    ///
    /// A known host that answers with an error keeps the router: it still serves its guests, and two hosts must not.
    pub(super) async fn locate(&self, known: Option<&RouterLocation>) -> Result<RouterLocation, DeviceError> {
        let (router, fleet) = (self.router, self.client.fleet);
        let mut errors = Vec::new();
        let mut latest = known.map_or(0, |known| known.epoch);
        let registered = known.filter(|known| fleet.hosts.contains(&known.host));
        if let Some(RouterLocation { host, epoch }) = registered {
            match self.client.probe(router, host).await {
                Ok(FailoverState { superseded: Some(by), .. }) => latest = latest.max(by),
                Ok(FailoverState { serves, .. }) => {
                    let epoch = serves.unwrap_or_default().max(*epoch).max(1);
                    let location = RouterLocation { host: host.clone(), epoch };
                    // It would take the commands of a later epoch for those of another host.
                    if serves.is_some_and(|serves| (1..epoch).contains(&serves)) {
                        self.take_over(&location).await?;
                    }
                    return Ok(location);
                }
                Err(error) if error.is_absence() => errors.push(error),
                Err(error) => return Err(error.into()),
            }
        }
        let lost = registered.filter(|_| !errors.is_empty()).map(|known| &known.host);
        let others = fleet.hosts.iter().filter(|host| Some(*host) != lost);
        let (failed, sound): (Vec<_>, Vec<_>) =
            ranked(router, others).into_iter().partition(|host| self.client.memory.just_failed(host));
        // Once a router has been served, any host may have its replica.
        let rounds = if known.is_some() { vec![[sound, failed].concat()] } else { vec![sound, failed] };
        for hosts in rounds {
            let mut answers = Vec::new();
            for (host, answer) in self.client.probe_all(router, hosts).await {
                match answer {
                    Ok(state) => answers.push((host, state)),
                    Err(error) => errors.push(error),
                }
            }
            if !answers.is_empty() {
                return self.among(&answers, latest, known).await;
            }
        }
        Err(DeviceError::connection(format!("no host for {router} can be used: {}", joined(&errors))))
    }

    /// Chooses among hosts that answered.
    async fn among(
        &self,
        answers: &[(&HostAddress, FailoverState)],
        latest: u64,
        known: Option<&RouterLocation>,
    ) -> Result<RouterLocation, DeviceError> {
        let serving = answers.iter().filter_map(|(host, it)| Some((it.serves?, *host)));
        if let Some((epoch, host)) =
            serving.filter(|(epoch, _)| *epoch >= latest).max_by_key(|(epoch, _)| *epoch)
        {
            let location = RouterLocation { host: host.clone(), epoch };
            self.retire_others(answers, &location).await;
            return Ok(location);
        }
        let epochs = answers.iter().flat_map(|(_, it)| {
            [it.serves, it.superseded, it.replica.map(|replica| replica.epoch)].into_iter().flatten()
        });
        let epoch = epochs.chain([latest]).max().unwrap_or_default() + 1;
        let knows_it = answers.iter().filter(|(_, it)| it.latest().is_some());
        let (host, state) = knows_it.max_by_key(|(_, it)| it.latest()).unwrap_or(&answers[0]);
        let location = RouterLocation { host: (*host).clone(), epoch };
        self.retire_others(answers, &location).await;
        // A host with an older version does not say which epoch it served last.
        let has_state = state.latest().is_some() || state.serves.is_some() || state.superseded.is_some();
        let Some(before) = known.filter(|known| known.host != location.host) else {
            if has_state {
                self.take_over(&location).await?;
            }
            return Ok(location);
        };
        let evacuated = self.evacuate(before, &location).await;
        if evacuated || has_state {
            self.take_over(&location).await?;
        }
        tracing::warn!(router = %self.router, from = %before.host, to = %location.host, epoch, "a router moved");
        self.client.memory.note_left(self.router, &before.host);
        let owed = OwedStepDown { router: self.router, epoch, forget: false };
        self.client.step_down(&before.host, owed).await;
        Ok(location)
    }

    /// Makes other hosts step down that serve the router from an earlier epoch: another host took over, and they
    /// rebooted before they could be told.
    async fn retire_others(&self, answers: &[(&HostAddress, FailoverState)], location: &RouterLocation) {
        let owed = OwedStepDown { router: self.router, epoch: location.epoch, forget: false };
        for (host, _) in answers.iter().filter(|(host, it)| it.serves.is_some() && **host != location.host) {
            self.client.step_down(host, owed).await;
        }
    }

    /// Copies the router from a host that is no longer registered but still answers to the next one.
    async fn evacuate(&self, before: &RouterLocation, next: &RouterLocation) -> bool {
        let client = self.client;
        if client.fleet.hosts.contains(&before.host) || client.memory.just_failed(&before.host) {
            return false;
        }
        let since = ReplicaPosition { router: self.router, serial: 0 };
        let read = |milliseconds| RelayRequest::ReadDelta { since, milliseconds };
        let reply = client.ask(&before.host, client.patience(), read, &[]).await;
        let Ok(RelayReply::Delta(Some(RouterDelta::Changed(delta)))) = reply else { return false };
        let Ok(delta) = serde_json::to_vec(&delta) else { return false };
        let bytes = delta.len() as u64;
        let store = |milliseconds| RelayRequest::StoreReplica { milliseconds, bytes };
        let stored = client.ask(&next.host, client.patience(), store, &delta).await;
        matches!(stored, Ok(RelayReply::Done))
    }

    async fn take_over(&self, location: &RouterLocation) -> Result<(), DeviceError> {
        let RouterLocation { host, epoch } = location;
        let (router, epoch) = (self.router, *epoch);
        let time = self.client.deadline.remaining() / 4 * 3;
        let request = |milliseconds| RelayRequest::TakeOver { router, epoch, milliseconds };
        match self.client.ask(host, time, request, &[]).await? {
            RelayReply::Failed { line, .. } => {
                Err(DeviceError::device(format!("{host} cannot take {router} over: {line}")))
            }
            _ => Ok(()),
        }
    }

    /// The hosts that serve the router, for a command that removes something; none if no host does.
    pub(super) async fn holders(&self) -> Result<Vec<RouterLocation>, DeviceError> {
        let hosts = &self.client.fleet.hosts;
        let noted = self.client.memory.location(self.router).map(|location| location.host);
        let unregistered = noted.as_ref().filter(|host| !hosts.contains(host));
        let answers = self.client.probe_all(self.router, hosts.iter().chain(unregistered).collect()).await;
        let mut holders = Vec::new();
        let mut is_gone = false;
        let mut errors = Vec::new();
        for (host, answer) in answers {
            match answer {
                Ok(FailoverState { serves: Some(epoch), .. }) => {
                    holders.push(RouterLocation { host: host.clone(), epoch });
                }
                Ok(_) => is_gone |= noted.as_ref() == Some(host),
                Err(error) => errors.push(error),
            }
        }
        if !holders.is_empty() || is_gone || errors.is_empty() {
            return Ok(holders);
        }
        let remedy = match errors.len() {
            1 => "bring that host back, or take it out of `hosts`, and repeat",
            _ => "bring those hosts back, or take them out of `hosts`, and repeat",
        };
        Err(DeviceError::connection(format!(
            "{} is on none of the hosts that answer, and may be on one that does not: {}; {remedy}",
            self.router,
            joined(&errors)
        )))
    }
}

fn joined(errors: &[HostError]) -> String {
    errors.iter().map(|error| error_chain(error)).collect::<Vec<_>>().join("; ")
}
