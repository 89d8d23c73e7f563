//! The change of the serving host: one takes over, the other steps down.

use netext_core::{Deadline, DeviceError};

use super::FailoverState;
use super::replica::{Replica, ReplicaHeader};
use crate::drift::Pass;
use crate::host::HeldRouter;
use crate::model::RouterId;
use crate::store::{RouterState, Store};

/// What this host is to a router.
pub fn failover_state(store: &Store, router: RouterId) -> Result<FailoverState, DeviceError> {
    let own = store.read(router)?;
    let replica = Replica::of(store, router).header()?.map(|header| header.version);
    Ok(FailoverState {
        serves: own.serves().then_some(own.epoch),
        superseded: own.superseded,
        replica,
        last_served: (!own.router.is_empty()).then_some(own.epoch),
    })
}

/// Serves a router from now on, in an epoch of its own: from the replica, or from this host's own state if that is
/// newer. Repeating it is harmless.
pub async fn take_over(
    store: &Store,
    id: RouterId,
    epoch: u64,
    deadline: &Deadline,
) -> Result<(), DeviceError> {
    let locked = store.lock(id, deadline.cancelled()).await?;
    let own = locked.load()?;
    if own.serves() && own.epoch > epoch {
        return Err(DeviceError::device(format!(
            "this host serves {id} in epoch {} already, which is later than {epoch}",
            own.epoch
        )));
    }
    let replica = Replica::of(store, id);
    let newer = |header: &ReplicaHeader| own.router.is_empty() || header.version.epoch > own.epoch;
    let router = match replica.header()?.filter(newer) {
        Some(ReplicaHeader { router, .. }) => {
            // Before the instances' folders: daemons must be able to pass through these.
            store.make_folders(&router)?;
            for network in router.tiers.keys() {
                store.instances(*network).replace(&replica.instances(*network).all()?)?;
            }
            router
        }
        None => own.router,
    };
    if router.is_empty() {
        return Ok(());
    }
    let state = RouterState { router, ruleset_generation: None, epoch, superseded: None };
    locked.save(&state)?;
    HeldRouter::new(store, &locked, &state, deadline).put_in_force(&mut Pass::command())?;
    Ok(replica.remove()?)
}

/// Another host serves the router since an epoch: if this one served it before, it fences the router and records that.
/// With `forget`, the router no longer exists: its state is removed as well.
pub async fn step_down(
    store: &Store,
    id: RouterId,
    epoch: u64,
    forget: bool,
    deadline: &Deadline,
) -> Result<(), DeviceError> {
    let locked = store.lock(id, deadline.cancelled()).await?;
    let own = locked.load()?;
    let serves_later = own.serves() && own.epoch >= epoch;
    let is_outdated = !own.router.is_empty() && !serves_later;
    if is_outdated {
        let epoch = epoch.max(own.superseded.unwrap_or_default());
        HeldRouter::new(store, &locked, &own, deadline).step_down(epoch, &mut Pass::command())?;
    }
    if !forget {
        return Ok(());
    }
    if is_outdated {
        own.router.tiers.keys().try_for_each(|network| store.forget_network(*network))?;
        locked.forget()?;
    }
    let replica = Replica::of(store, id);
    if replica.header()?.is_none_or(|header| header.version.epoch <= epoch) {
        replica.remove()?;
    }
    Ok(())
}
