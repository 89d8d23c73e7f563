//! The change of the serving host: one takes over, the other steps down.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use netext_core::{Deadline, DeviceError};
use nix::net::if_::if_nametoindex;

use super::FailoverState;
use super::replica::{Replica, ReplicaHeader};
use crate::compile::links;
use crate::drift::Pass;
use crate::host::{fence, settle};
use crate::kernel::arp::{self, AddressOwner};
use crate::kernel::namespace::Namespace;
use crate::model::{InterfaceName, Router, RouterId};
use crate::plan::LinkPlan;
use crate::store::{RouterState, Store};

/// How long the kernel may take to take down a namespace.
const LINGERING: Duration = Duration::from_secs(1);

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
    match settle(store, &locked, state, deadline, Pass::command()).obstacle {
        Some(error) => Err(error),
        None => Ok(replica.remove()?),
    }
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
    let replica = Replica::of(store, id);
    if forget && replica.header()?.is_none_or(|header| header.version.epoch <= epoch) {
        replica.remove()?;
    }
    if own.router.is_empty() || (own.serves() && own.epoch >= epoch) {
        return Ok(());
    }
    fence(store, &own.router, deadline)?;
    if forget {
        own.router.tiers.keys().try_for_each(|network| store.forget_network(*network))?;
        return Ok(locked.forget()?);
    }
    let epoch = epoch.max(own.superseded.unwrap_or_default());
    Ok(locked.save(&RouterState { superseded: Some(epoch), ruleset_generation: None, ..own })?)
}

/// The public addresses of a router that somebody else answers for, or is about to in a later epoch, as far as the
/// router is not up here. To be asked before it is brought up: another host may serve it, while nobody could tell
/// this one.
pub(crate) fn contested(
    router: &Router,
    epoch: u64,
) -> Result<BTreeMap<Ipv4Addr, AddressOwner>, DeviceError> {
    let plan = links(router);
    let Some(namespace) = plan.namespace else { return Ok(BTreeMap::new()) };
    let failed =
        |error: String| DeviceError::device(format!("cannot ask whether addresses are taken: {error}"));
    if Namespace::open(&namespace.name).map_err(|error| failed(error.to_string()))?.is_some() {
        return Ok(BTreeMap::new());
    }
    // The segments must be there to be asked.
    let bridges = LinkPlan { bridges: plan.bridges, namespace: None };
    crate::kernel::links::apply(&bridges, None, &mut Pass::command())
        .map_err(|error| failed(error.to_string()))?;
    let mut taken = BTreeMap::new();
    for interface in namespace.interfaces {
        await_end_of(&interface.peer);
        let addresses: Vec<_> = interface
            .addresses
            .iter()
            .filter_map(|address| match address.addr() {
                IpAddr::V4(address) => Some(address),
                IpAddr::V6(_) => None,
            })
            .filter(|address| router.addresses.contains_key(address))
            .collect();
        if addresses.is_empty() {
            continue;
        }
        let found = arp::taken(&interface.bridge, &addresses, epoch);
        taken.extend(found.map_err(|error| failed(error.to_string()))?);
    }
    Ok(taken)
}

/// A namespace that was deleted a moment ago answers until the kernel has taken it down, with its ports on the host.
fn await_end_of(port: &InterfaceName) {
    let begun = Instant::now();
    while if_nametoindex(port.as_ref()).is_ok() && begun.elapsed() < LINGERING {
        std::thread::sleep(Duration::from_millis(10));
    }
}
