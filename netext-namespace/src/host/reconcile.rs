//! Makes a router what its state says that it is, or tells what differs.

use netext_core::{Deadline, DeviceError};

use super::apply::{apply, take_down};
use super::operator_files;
use crate::drift::{Difference, Pass};
use crate::failover::contested;
use crate::model::{Router, RouterId};
use crate::store::{LockedRouter, RouterState, Store};

/// What came of one pass over a router.
#[derive(Debug)]
pub struct Reconciled {
    /// The router as it shall be.
    pub router: Router,
    /// What differed, in the order in which it is put right; up to the obstacle if there was one.
    pub differences: Vec<Difference>,
    /// What kept the pass from reaching its end.
    pub obstacle: Option<DeviceError>,
}

/// Goes over a router, under its lock: what its state says is compared with what is there and, if the pass acts,
/// put right. `None` for a router that has no state.
///
/// # Errors
/// When the router is busy until the deadline, or its state cannot be used.
pub async fn reconcile(
    store: &Store,
    id: RouterId,
    deadline: &Deadline,
    pass: Pass,
) -> Result<Option<Reconciled>, DeviceError> {
    let locked = store.lock(id, deadline.cancelled()).await?;
    let mut state = locked.load()?;
    if state.router.is_empty() {
        return Ok(None);
    }
    if state.superseded.is_none() && pass.acts() && state.epoch > 0 {
        note_contest(&mut state)?;
        if state.superseded.is_some() {
            locked.save(&state)?;
        }
    }
    if let Some(epoch) = state.superseded {
        return Ok(Some(keep_fenced(store, state.router, epoch, deadline, pass)));
    }
    Ok(Some(settle(store, &locked, state, deadline, pass)))
}

/// Goes over a router that is this host's to serve, and held.
pub(crate) fn settle(
    store: &Store,
    locked: &LockedRouter,
    state: RouterState,
    deadline: &Deadline,
    mut pass: Pass,
) -> Reconciled {
    let generation = go_over(store, &state, deadline, &mut pass);
    let outcome = generation.and_then(|ruleset_generation| {
        let settled = RouterState { ruleset_generation, ..state.clone() };
        if pass.acts() && settled != state {
            locked.save(&settled)?;
        }
        match pass.shortfalls() {
            [] => Ok(()),
            shortfalls => Err(DeviceError::device(shortfalls.join("; "))),
        }
    });
    Reconciled { router: state.router, differences: pass.into_differences(), obstacle: outcome.err() }
}

/// A router that is down here, as after a reboot, may have been taken over without this host hearing of it. Whoever
/// took it over answers for its addresses, or is about to after a reboot of its own.
fn note_contest(state: &mut RouterState) -> Result<(), DeviceError> {
    let contested = contested(&state.router, state.epoch)?;
    if let Some((address, by)) = contested.first_key_value() {
        let (router, mac) = (state.router.id, by.words());
        tracing::warn!(%router, %address, mac, "somebody else answers for its address: another host serves it");
        state.superseded = Some(by.right.unwrap_or_default().max(state.epoch + 1));
    }
    Ok(())
}

/// Takes a router down that is another host's to serve.
pub(crate) fn fence(store: &Store, router: &Router, deadline: &Deadline) -> Result<(), DeviceError> {
    Ok(take_down(store, router, deadline.instant(), &mut Pass::command())?)
}

/// Makes sure that nothing of a router is up that another host serves.
fn keep_fenced(store: &Store, router: Router, epoch: u64, deadline: &Deadline, mut pass: Pass) -> Reconciled {
    let fenced = format!(
        "another host serves it since epoch {epoch}; this host has fenced it until it is put back here"
    );
    let obstacle = match take_down(store, &router, deadline.instant(), &mut pass) {
        Ok(()) => DeviceError::device(fenced),
        Err(error) => DeviceError::device(fenced).with_source(error),
    };
    Reconciled { router, differences: pass.into_differences(), obstacle: Some(obstacle) }
}

fn go_over(
    store: &Store,
    state: &RouterState,
    deadline: &Deadline,
    pass: &mut Pass,
) -> Result<Option<u32>, DeviceError> {
    deadline.check()?;
    if pass.acts() {
        store.make_folders(&state.router)?;
    }
    let applied = apply(store, state, &state.router, deadline.instant(), pass)?;
    operator_files::note_ipv6_gateways(store, &state.router, pass)?;
    let generation = applied.ruleset_generation;
    applied.reload_daemons(deadline.instant())?;
    Ok(generation)
}
