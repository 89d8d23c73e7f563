//! Undoes or completes the change of a command that was killed.

use std::time::Instant;

use netext_core::DeviceError;
use netext_protocol::NetworkId;

use super::apply::{RouterChange, apply, take_down};
use super::staging::forget_networks;
use crate::compile::CompiledRouter;
use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::metadata::ChangeProgress;
use crate::model::Router;
use crate::store::{InterruptedChange, LockedRouter, Store};

/// A change that a killed command left, whose files are restored or in place.
pub(super) struct Recovery {
    progress: ChangeProgress,
    other: Router,
}

impl Recovery {
    /// Restores the files of a change that was not committed, or puts the rest of them in place. `None` if no change was
    /// interrupted. A pass that only rehearses changes nothing.
    pub(super) fn of_files(
        store: &Store,
        locked: &LockedRouter,
        deadline: Instant,
        pass: &mut Pass,
    ) -> Result<Option<Self>, DeviceError> {
        let Some(InterruptedChange { progress, router }) = locked.interrupted()? else { return Ok(None) };
        let what = "complete or undo the change of a command that was killed";
        pass.differs(RouterPart::File, DifferenceKind::Modify, what);
        if pass.acts() && progress != ChangeProgress::Committed {
            locked.restore()?;
        }
        let current = locked.load()?.router;
        let other = router.unwrap_or_else(|| Router::new(current.id));
        if pass.acts() {
            for network in current.tiers.keys().chain(other.tiers.keys()) {
                store.instances(*network).recover(progress, deadline)?;
            }
        }
        Ok(Some(Self { progress, other }))
    }

    /// The router of the change's other end, parts of which may be on the host.
    pub(super) fn other(&self) -> &Router {
        &self.other
    }

    /// Forgets the change, after the host matches the router again.
    pub(super) fn finish(
        self,
        store: &Store,
        locked: &LockedRouter,
        router: &Router,
    ) -> Result<(), DeviceError> {
        let gone: Vec<NetworkId> =
            self.other.tiers.keys().filter(|network| !router.tiers.contains_key(network)).copied().collect();
        forget_networks(store, router.id, &gone)?;
        if router.is_empty() {
            return Ok(locked.forget()?);
        }
        Ok(locked.settle()?)
    }
}

/// Undoes or completes the change of a killed command, before a command changes the router.
pub(super) fn recover(store: &Store, locked: &LockedRouter, deadline: Instant) -> Result<(), DeviceError> {
    // A repair, which also removes what is left of drafts.
    let pass = &mut Pass::repair();
    let Some(recovery) = Recovery::of_files(store, locked, deadline, pass)? else { return Ok(()) };
    let state = locked.load()?;
    let router = &state.router;
    tracing::warn!(router = %router.id, progress = ?recovery.progress, "a command was killed; completing or undoing it");
    let (from, to) = (CompiledRouter::new(recovery.other()), CompiledRouter::new(router));
    let change = RouterChange::new(&from, &to, None);
    if state.superseded.is_some() {
        take_down(store, change, deadline, pass)?;
    } else {
        locked.note_ruleset_generation(apply(store, change, deadline, pass)?);
    }
    recovery.finish(store, locked, router)
}
