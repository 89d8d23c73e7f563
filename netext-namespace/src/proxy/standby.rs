//! The standby of a router: a second host with a replica, so that the rules outlive the first host.
//!
//! Hosts need not reach each other: the host that carried out a command adds the delta to its reply, and the proxy
//! sends it to the standby before it answers CloudStack. A standby that cannot be updated gets a larger delta next time;
//! the command succeeds all the same.

use futures_util::future::join_all;
use netext_core::{DeviceError, error_chain};

use super::hosts::{FleetClient, ranked};
use super::memory::{OwedStepDown, RouterLocation};
use super::remote::HostAddress;
use crate::failover::{ReplicaDelta, RouterDelta};
use crate::model::RouterId;
use crate::relay::{RelayReply, RelayRequest, ReplicaPosition};

/// Why a replica was not updated.
enum ReplicaLag {
    /// The standby did not store the delta.
    Behind(String),
    /// The standby knows that another host serves the router since this epoch.
    Outdated(u64),
}

/// The standby of one router.
#[derive(Debug)]
pub(super) struct Standby<'a> {
    pub(super) client: &'a FleetClient<'a>,
    pub(super) router: RouterId,
    /// The host that serves the router.
    pub(super) location: &'a RouterLocation,
}

impl Standby<'_> {
    /// The standby: the host that the router prefers after the one that serves it.
    fn host(&self) -> Option<&HostAddress> {
        let FleetClient { fleet, memory, .. } = self.client;
        if !fleet.standby {
            return None;
        }
        let others = fleet.hosts.iter().filter(|host| **host != self.location.host);
        ranked(self.router, others).into_iter().find(|host| !memory.just_failed(host))
    }

    /// The position of the replica, from which the next delta continues; `None` if there is no standby.
    pub(super) fn position(&self) -> Option<ReplicaPosition> {
        let host = self.host()?;
        let serial = match self.client.memory.replica(self.router) {
            Some((standby, version)) if standby == *host && version.epoch == self.location.epoch => {
                version.serial
            }
            _ => 0,
        };
        Some(ReplicaPosition { router: self.router, serial })
    }

    /// Updates the replica. A command that was carried out fails for one reason only: the standby knows a later epoch.
    /// Then another host took over without the host that carried it out, which must step down.
    pub(super) async fn update(&self, delta: RouterDelta) -> Result<(), DeviceError> {
        let Some(host) = self.host() else { return Ok(()) };
        let lag = match delta {
            RouterDelta::Gone => {
                self.forget().await;
                return Ok(());
            }
            RouterDelta::Changed(delta) => self.send(host, &delta).await,
        };
        let (router, before) = (self.router, &self.location.host);
        match lag {
            Ok(()) => Ok(()),
            Err(ReplicaLag::Outdated(epoch)) => {
                self.client.memory.forget_router(router);
                self.client.memory.note_left(router, before);
                self.client.step_down(before, OwedStepDown { router, epoch, forget: false }).await;
                Err(DeviceError::device(format!(
                    "{router} is not served by {before}, but by another host since epoch {epoch}; repeat the command"
                )))
            }
            Err(ReplicaLag::Behind(why)) => {
                let error = DeviceError::device(why);
                tracing::warn!(%router, standby = %host, %error, "the replica of a router lags behind");
                Ok(())
            }
        }
    }

    async fn send(&self, host: &HostAddress, delta: &ReplicaDelta) -> Result<(), ReplicaLag> {
        if self.store(host, delta).await? {
            return Ok(());
        }
        // The replica is older than noted, so the standby needs a complete one.
        let since = ReplicaPosition { router: self.router, serial: 0 };
        let request = |milliseconds| RelayRequest::ReadDelta { since, milliseconds };
        let serving = &self.location.host;
        match self.client.ask(serving, self.client.patience(), request, &[]).await {
            Ok(RelayReply::Delta(Some(RouterDelta::Changed(delta)))) => {
                let is_stored = self.store(host, &delta).await?;
                is_stored
                    .then_some(())
                    .ok_or_else(|| ReplicaLag::Behind("it rejects a complete replica".to_owned()))
            }
            Ok(RelayReply::Delta(_)) => Ok(()),
            Ok(reply) => {
                Err(ReplicaLag::Behind(format!("{serving} does not send a complete replica: {reply:?}")))
            }
            Err(error) => Err(ReplicaLag::Behind(error_chain(&error))),
        }
    }

    /// Whether the standby stored the delta. It cannot if it lacks what the delta builds on.
    async fn store(&self, host: &HostAddress, delta: &ReplicaDelta) -> Result<bool, ReplicaLag> {
        let text = serde_json::to_vec(delta).map_err(|error| ReplicaLag::Behind(error.to_string()))?;
        let bytes = text.len() as u64;
        let request = |milliseconds| RelayRequest::StoreReplica { milliseconds, bytes };
        match self.client.ask(host, self.client.patience(), request, &text).await {
            Ok(RelayReply::Done) => {
                self.client.memory.note_replica(self.router, host, delta.version);
                Ok(true)
            }
            Ok(RelayReply::Behind) => Ok(false),
            Ok(RelayReply::Outdated { epoch }) => Err(ReplicaLag::Outdated(epoch)),
            Ok(RelayReply::Failed { line, .. }) => Err(ReplicaLag::Behind(line)),
            Ok(reply) => Err(ReplicaLag::Behind(format!("it gave an unexpected reply: {reply:?}"))),
            Err(error) => Err(ReplicaLag::Behind(error_chain(&error))),
        }
    }

    /// Makes every host forget a router that no longer exists: those that served it, and the standby.
    pub(super) async fn forget(&self) {
        let (memory, router) = (self.client.memory, self.router);
        let mut others = memory.left(router);
        others.extend(memory.replica(router).map(|(standby, _)| standby).or_else(|| self.host().cloned()));
        others.sort();
        others.dedup();
        others.retain(|host| *host != self.location.host);
        let owed = OwedStepDown { router, epoch: self.location.epoch, forget: true };
        join_all(others.iter().map(|host| self.client.step_down(host, owed))).await;
        memory.forget_router(router);
    }
}
