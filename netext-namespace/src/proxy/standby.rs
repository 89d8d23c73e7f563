//! The copy of a router on a second host, so that the rules outlive the first.
//!
//! Hosts need not reach each other: the host that carried out a command tells what is new in its answer, and the
//! proxy hands it to the standby before the server is answered. A standby that cannot be told is told more the next
//! time; the command has succeeded all the same.

use futures_util::future::join_all;
use netext_core::DeviceError;

use super::hosts::Hosts;
use super::memory::{Owed, Place};
use super::rank::ranked;
use super::target::Host;
use crate::failover::{ReplicaDelta, RouterDelta};
use crate::model::RouterId;
use crate::relay::{Answer, Call, Since};

/// Why a standby does not know what is new.
enum Lag {
    /// It could not be told.
    Behind(String),
    /// It knows better: another host serves the router since this epoch.
    Outdated(u64),
}

/// The standby of one router.
#[derive(Debug)]
pub(super) struct Standby<'a> {
    pub(super) hosts: &'a Hosts<'a>,
    pub(super) router: RouterId,
    /// Who serves the router.
    pub(super) place: &'a Place,
}

impl Standby<'_> {
    /// Who it is: the host that the router prefers after the one that serves it.
    fn host(&self) -> Option<&Host> {
        let Hosts { fleet, memory, .. } = self.hosts;
        if !fleet.standby {
            return None;
        }
        let others = fleet.hosts.iter().filter(|host| **host != self.place.host);
        ranked(self.router, others).into_iter().find(|host| !memory.just_failed(host))
    }

    /// What the host that serves the router is to tell of it; `None` if nobody would be told.
    pub(super) fn since(&self) -> Option<Since> {
        let host = self.host()?;
        let serial = match self.hosts.memory.copy(self.router) {
            Some((standby, version)) if standby == *host && version.epoch == self.place.epoch => {
                version.serial
            }
            _ => 0,
        };
        Some(Since { router: self.router, serial })
    }

    /// Hands over what is new. Only one thing makes a command fail that was carried out: a standby that knows of a
    /// later epoch. Then the host that carried it out was followed without hearing of it, and it is told so.
    pub(super) async fn hear(&self, news: RouterDelta) -> Result<(), DeviceError> {
        let Some(host) = self.host() else { return Ok(()) };
        let lag = match news {
            RouterDelta::Gone => {
                self.forget().await;
                return Ok(());
            }
            RouterDelta::Changed(copy) => self.hand_over(host, &copy).await,
        };
        let (router, before) = (self.router, &self.place.host);
        match lag {
            Ok(()) => Ok(()),
            Err(Lag::Outdated(epoch)) => {
                self.hosts.memory.forget_router(router);
                self.hosts.memory.note_left(router, before);
                self.hosts.withdraw(before, Owed { router, epoch, forget: false }).await;
                Err(DeviceError::device(format!(
                    "{router} is not served by {before}, but by another host since epoch {epoch}; repeat the command"
                )))
            }
            Err(Lag::Behind(why)) => {
                tracing::warn!(%router, standby = %host, why, "the copy of a router lags behind");
                Ok(())
            }
        }
    }

    async fn hand_over(&self, host: &Host, copy: &ReplicaDelta) -> Result<(), Lag> {
        if self.keep(host, copy).await? {
            return Ok(());
        }
        // It has not what we thought it had.
        let since = Since { router: self.router, serial: 0 };
        let tell = |milliseconds| Call::Tell { since, milliseconds };
        match self.hosts.ask(&self.place.host, self.hosts.patience(), tell, &[]).await {
            Ok(Answer::Told(Some(RouterDelta::Changed(copy)))) => {
                let kept = self.keep(host, &copy).await?;
                if kept { Ok(()) } else { Err(Lag::Behind("it takes no whole copy".to_owned())) }
            }
            Ok(Answer::Told(_)) => Ok(()),
            Ok(answer) => Err(Lag::Behind(format!("{} does not tell of it: {answer:?}", self.place.host))),
            Err(error) => Err(Lag::Behind(error.to_string())),
        }
    }

    /// Whether the standby keeps the copy; it does not if it lacks what the copy builds on.
    async fn keep(&self, host: &Host, copy: &ReplicaDelta) -> Result<bool, Lag> {
        let text = serde_json::to_vec(copy).map_err(|error| Lag::Behind(error.to_string()))?;
        let bytes = text.len() as u64;
        let call = |milliseconds| Call::Keep { milliseconds, bytes };
        match self.hosts.ask(host, self.hosts.patience(), call, &text).await {
            Ok(Answer::Done) => {
                self.hosts.memory.note_copy(self.router, host, copy.version);
                Ok(true)
            }
            Ok(Answer::Behind) => Ok(false),
            Ok(Answer::Outdated { epoch }) => Err(Lag::Outdated(epoch)),
            Ok(Answer::Failed { line, .. }) => Err(Lag::Behind(line)),
            Ok(answer) => Err(Lag::Behind(format!("it answered another question: {answer:?}"))),
            Err(error) => Err(Lag::Behind(error.to_string())),
        }
    }

    /// There is no router any more: whoever had it or a copy of it forgets it.
    pub(super) async fn forget(&self) {
        let (memory, router) = (self.hosts.memory, self.router);
        let mut others = memory.left(router);
        others.extend(memory.copy(router).map(|(standby, _)| standby).or_else(|| self.host().cloned()));
        others.sort();
        others.dedup();
        others.retain(|host| *host != self.place.host);
        let owed = Owed { router, epoch: self.place.epoch, forget: true };
        join_all(others.iter().map(|host| self.hosts.withdraw(host, owed))).await;
        memory.forget_router(router);
    }
}
