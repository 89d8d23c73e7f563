//! Makes a router what its state says that it is, or tells what differs.

use netext_core::{Deadline, DeviceError};

use super::apply::apply;
use super::services;
use crate::drift::{Difference, Pass};
use crate::model::{Router, RouterId};
use crate::store::{State, Store};

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
    mut pass: Pass,
) -> Result<Option<Reconciled>, DeviceError> {
    let locked = store.lock(id, deadline.cancelled()).await?;
    let state = locked.load()?;
    if state.router.is_empty() {
        return Ok(None);
    }
    let generation = go_over(store, &state, deadline, &mut pass);
    let outcome = generation.and_then(|ruleset_generation| {
        let settled = State { ruleset_generation, router: state.router.clone() };
        if pass.acts() && settled != state {
            locked.save(&settled)?;
        }
        match pass.shortfalls() {
            [] => Ok(()),
            shortfalls => Err(DeviceError::device(shortfalls.join("; "))),
        }
    });
    Ok(Some(Reconciled {
        router: state.router,
        differences: pass.into_differences(),
        obstacle: outcome.err(),
    }))
}

fn go_over(
    store: &Store,
    state: &State,
    deadline: &Deadline,
    pass: &mut Pass,
) -> Result<Option<u32>, DeviceError> {
    deadline.check()?;
    if pass.acts() {
        store.make_folders(&state.router)?;
    }
    let applied = apply(store, state, &state.router, deadline.instant(), pass)?;
    services::note_ipv6_gateways(store, &state.router, pass)?;
    let generation = applied.ruleset_generation;
    applied.tell_daemons(deadline.instant())?;
    Ok(generation)
}
