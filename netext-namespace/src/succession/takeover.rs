//! The change from one host to the next.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use netext_core::{Deadline, DeviceError};
use nix::net::if_::if_nametoindex;

use super::Standing;
use super::shelf::Shelf;
use crate::compile::links;
use crate::compile::services::instances_folder;
use crate::drift::Pass;
use crate::host::{settle, silence};
use crate::kernel::arp::{self, Holder};
use crate::kernel::namespace::Namespace;
use crate::metadata::Instances;
use crate::model::{InterfaceName, Router, RouterId};
use crate::plan::LinkPlan;
use crate::store::{State, Store};

/// How long the kernel may take to take down a namespace.
const LINGERING: Duration = Duration::from_secs(1);

/// What this host is to a router.
pub fn standing(store: &Store, router: RouterId) -> Result<Standing, DeviceError> {
    let own = store.read(router)?;
    let copy = Shelf::of(store, router).label()?.map(|label| label.version);
    let knows = (!own.router.is_empty()).then_some(own.epoch);
    Ok(Standing { serves: own.serves().then_some(own.epoch), superseded: own.superseded, copy, knows })
}

/// Serves a router from now on, in an epoch of its own: as the copy on the shelf has it, or as this host knew it if
/// that is newer. Repeating it is harmless.
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
    let shelf = Shelf::of(store, id);
    let label = shelf.label()?.filter(|label| own.router.is_empty() || label.version.epoch > own.epoch);
    let router = match label {
        Some(label) => {
            // First of all: daemons pass through these, and not through one that is made on the way to another.
            store.make_folders(&label.router)?;
            for network in label.router.tiers.keys() {
                let told = shelf.instances(*network).all()?;
                let folder = instances_folder(&store.network_folder(*network));
                Instances::in_folder(folder).replace(&told)?;
            }
            label.router
        }
        None => own.router,
    };
    if router.is_empty() {
        return Ok(());
    }
    let state = State { router, ruleset_generation: None, epoch, superseded: None };
    locked.save(&state)?;
    match settle(store, &locked, state, deadline, Pass::command()).obstacle {
        Some(error) => Err(error),
        None => shelf.clear(),
    }
}

/// Another host serves the router since an epoch: if this one served it before, it takes it down, keeps silent and
/// remembers why. With `forget`, there is no router any more: nothing of it is kept.
pub async fn withdraw(
    store: &Store,
    id: RouterId,
    epoch: u64,
    forget: bool,
    deadline: &Deadline,
) -> Result<(), DeviceError> {
    let locked = store.lock(id, deadline.cancelled()).await?;
    let own = locked.load()?;
    let shelf = Shelf::of(store, id);
    if forget && shelf.label()?.is_none_or(|label| label.version.epoch <= epoch) {
        shelf.clear()?;
    }
    if own.router.is_empty() || (own.serves() && own.epoch >= epoch) {
        return Ok(());
    }
    silence(store, &own.router, deadline)?;
    if forget {
        own.router.tiers.keys().try_for_each(|network| store.forget_network(*network))?;
        return Ok(locked.forget()?);
    }
    let epoch = epoch.max(own.superseded.unwrap_or_default());
    Ok(locked.save(&State { superseded: Some(epoch), ruleset_generation: None, ..own })?)
}

/// The public addresses of a router that somebody else answers for, or is about to in a later epoch, as far as the
/// router is not up here. To be asked before it is brought up: another host may serve it, while nobody could tell
/// this one.
pub(crate) fn contested(router: &Router, epoch: u64) -> Result<BTreeMap<Ipv4Addr, Holder>, DeviceError> {
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
