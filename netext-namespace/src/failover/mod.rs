//! Which host serves a router, and which one takes over when that host is lost.
//!
//! One host at a time serves a router, during an *epoch*: a number that grows whenever another host takes the router
//! over. After every change the serving host sends what is new to a standby, which keeps a replica. A
//! [`ReplicaVersion`] says from which epoch a replica is and how far it goes. A host that learns of a later epoch than
//! its own is superseded: it fences the router, records that, and changes nothing until the router is put back on it.
//!
//! - [`delta_since`] reads what is new about a router since a replica was updated.
//! - [`store_replica`] updates the replica on a standby.
//! - [`take_over`] serves a router from its replica.
//! - [`step_down`] fences a router that another host serves.

mod journal;
mod replica;

use std::net::Ipv4Addr;

use netext_core::{Deadline, DeviceError};
use netext_protocol::NetworkId;
use serde::{Deserialize, Serialize};

use crate::drift::Pass;
use crate::host::HeldRouter;
use crate::metadata::InstanceMetadata;
use crate::model::{Router, RouterId};
use crate::store::{RouterState, Store};
use replica::{Replica, ReplicaHeader};

pub use journal::delta_since;
pub use replica::{ReplicaOutcome, store_replica};

/// How far a replica goes: later versions are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReplicaVersion {
    /// The epoch of the host that sent it.
    pub epoch: u64,
    /// Counts the changes on that host.
    pub serial: u64,
}

/// What changed of a router since a serial.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReplicaDelta {
    /// The version of a replica that includes this delta.
    pub version: ReplicaVersion,
    /// The serial that it builds on; 0 if it is complete.
    pub since: u64,
    /// The desired router.
    pub router: Router,
    /// The instances whose metadata changed.
    pub instances: Vec<InstanceDelta>,
}

/// The new metadata of an instance.
#[derive(Debug, Serialize, Deserialize)]
pub struct InstanceDelta {
    /// The instance's network.
    pub network: NetworkId,
    /// Its address there.
    pub address: Ipv4Addr,
    /// Its metadata; `None` if that was removed.
    pub instance: Option<InstanceMetadata>,
}

/// What is new about a router.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouterDelta {
    /// The router changed.
    Changed(Box<ReplicaDelta>),
    /// The router no longer exists.
    Gone,
}

/// What a host is to a router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailoverState {
    /// The epoch in which it serves the router.
    pub serves: Option<u64>,
    /// The epoch of the host that superseded it.
    pub superseded: Option<u64>,
    /// The version of its replica.
    #[serde(rename = "copy")]
    pub replica: Option<ReplicaVersion>,
    /// The last epoch in which it served the router, if it still has that state.
    #[serde(default, rename = "knows")]
    pub last_served: Option<u64>,
}

impl FailoverState {
    /// The latest version that it knows, from its own state or its replica. The host that served an epoch knows more of
    /// that epoch than any replica.
    pub fn latest(&self) -> Option<ReplicaVersion> {
        let own = self.last_served.map(|epoch| ReplicaVersion { epoch, serial: u64::MAX });
        own.max(self.replica)
    }
}

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
            let _ = store.make_folders(&router)?;
            let until = deadline.instant();
            for network in router.tiers.keys() {
                let mut change = store.instances(*network).change(until)?;
                change.replace(&replica.instances(*network).all(until)?)?;
                change.commit()?;
            }
            router
        }
        None => own.router,
    };
    if router.is_empty() {
        return Ok(());
    }
    let state = RouterState { router, epoch, superseded: None };
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
