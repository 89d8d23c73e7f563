//! The replicas of a standby: `<state>/copies/<router>` holds a document about the router, and a folder for each of its
//! networks with the metadata of the instances. The router's document is replaced last: until then the replica has its
//! old version.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::net::Ipv4Addr;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::Instant;

use netext_core::{Deadline, DeviceError};
use netext_protocol::NetworkId;
use serde::{Deserialize, Serialize};

use super::{InstanceDelta, ReplicaDelta, ReplicaVersion};
use crate::files::{self, Access, Durability, FileError, failed};
use crate::metadata::{InstanceMetadata, Instances};
use crate::model::{Router, RouterId};
use crate::store::Store;

/// What became of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaOutcome {
    /// The replica has it.
    Stored,
    /// The replica lacks the version that it builds on: a complete delta is needed.
    Behind,
    /// It is out of date: since this epoch this host serves the router, or has a replica from the host that does.
    Outdated(u64),
}

/// The document about the router.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReplicaHeader {
    pub(super) version: ReplicaVersion,
    pub(super) router: Router,
}

/// The replica of one router, in its folder.
#[derive(Debug)]
pub(super) struct Replica(PathBuf);

/// Updates a replica, unless this host knows a later epoch.
pub async fn store_replica(
    store: &Store,
    delta: ReplicaDelta,
    deadline: &Deadline,
) -> Result<ReplicaOutcome, DeviceError> {
    let id = delta.router.id;
    let locked = store.lock(id, deadline.cancelled()).await?;
    let own = locked.load()?;
    let epoch = delta.version.epoch;
    let replica = Replica::of(store, id);
    let header = replica.header()?;
    let known = header.as_ref().map(|header| header.version.epoch).filter(|known| *known > epoch);
    let own = own.serves().then_some(own.epoch).filter(|own| *own >= epoch);
    if let Some(later) = known.max(own) {
        return Ok(ReplicaOutcome::Outdated(later));
    }
    let builds_on = ReplicaVersion { epoch, serial: delta.since };
    let lacks_it = |header: ReplicaHeader| header.version.epoch != epoch || header.version < builds_on;
    if delta.since > 0 && header.is_none_or(lacks_it) {
        return Ok(ReplicaOutcome::Behind);
    }
    replica.update(delta, deadline.instant())?;
    Ok(ReplicaOutcome::Stored)
}

impl Replica {
    pub(super) fn of(store: &Store, router: RouterId) -> Self {
        Self(store.root().join("copies").join(router.to_string()))
    }

    /// The document about the router; `None` if there is no replica.
    pub(super) fn header(&self) -> Result<Option<ReplicaHeader>, DeviceError> {
        let path = self.document();
        let Some(text) = files::read(&path)? else { return Ok(None) };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            DeviceError::device(format!("{} is damaged; remove it", path.display())).with_source(error)
        })
    }

    /// The metadata of a network's instances.
    pub(super) fn instances(&self, network: NetworkId) -> Instances {
        Instances::in_folder(self.0.join(format!("network-{network}")))
    }

    /// Removes the replica, if there is one.
    pub(super) fn remove(&self) -> Result<(), FileError> {
        files::remove_folder(&self.0)
    }

    /// Updates it. If that fails, for example because the disk is full, it stays at its old version.
    fn update(&self, delta: ReplicaDelta, deadline: Instant) -> Result<(), DeviceError> {
        let ReplicaDelta { version, since, router, instances } = delta;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .map_err(failed("create the folder", &self.0))?;
        let mut changed: BTreeMap<NetworkId, BTreeMap<Ipv4Addr, Option<InstanceMetadata>>> = BTreeMap::new();
        if since == 0 {
            // A complete delta says which instances there are. All others are removed.
            for network in router.tiers.keys() {
                let known = self.instances(*network).addresses(deadline)?;
                changed.insert(*network, known.into_iter().map(|address| (address, None)).collect());
            }
        }
        for InstanceDelta { network, address, instance } in instances {
            changed.entry(network).or_default().insert(address, instance);
        }
        for (network, changed) in changed {
            let mut change = self.instances(network).change(deadline)?;
            change.update(&changed)?;
            change.commit()?;
        }
        Ok(self.write(&ReplicaHeader { version, router })?)
    }

    fn write(&self, header: &ReplicaHeader) -> Result<(), FileError> {
        let path = self.document();
        let text = serde_json::to_vec(header).map_err(|error| failed("write", &path)(error.into()))?;
        files::replace(&path, &text, Access::Owner, Durability::Whole)?;
        files::sync_folder(&self.0)
    }

    fn document(&self) -> PathBuf {
        self.0.join("router.json")
    }
}
