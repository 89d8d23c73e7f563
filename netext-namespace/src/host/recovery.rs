//! Undoes or completes the change of a command that was killed.

use std::time::Instant;

use netext_core::DeviceError;

use super::staging::forget_networks;
use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::metadata::ChangeProgress;
use crate::model::Router;
use crate::store::{InterruptedChange, LockedRouter, StagedState, Store};

/// A change that a killed command left, whose files are restored or in place.
pub(super) struct Recovery {
    state: StagedState,
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
        let Some(change) = locked.interrupted()? else { return Ok(None) };
        let InterruptedChange { progress, router, state } = change;
        let what = "complete or undo the change of a command that was killed";
        pass.differs(RouterPart::File, DifferenceKind::Modify, what);
        if pass.acts() && progress != ChangeProgress::Committed {
            state.restore()?;
        }
        let current = locked.load()?.router;
        let other = router.unwrap_or_else(|| Router::new(current.id));
        if pass.acts() {
            tracing::warn!(router = %current.id, ?progress, "a command was killed; completing or undoing it");
            for network in current.tiers.keys().chain(other.tiers.keys()) {
                store.instances(*network).recover(progress, deadline)?;
            }
        }
        Ok(Some(Self { state, other }))
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
        let gone: Vec<_> = self.other.tiers_missing_in(router).collect();
        forget_networks(store, router.id, &gone)?;
        if router.is_empty() {
            return Ok(locked.forget()?);
        }
        Ok(self.state.settle()?)
    }
}
