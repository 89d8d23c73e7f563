//! What is new about a router since a replica was updated.
//!
//! Every document is replaced as a whole, so a changed inode, size or time reveals a change. The journal records at
//! which serial each document changed. That costs some microseconds a document; only changed documents are read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::Ipv4Addr;

use netext_core::{Deadline, DeviceError};
use netext_protocol::NetworkId;
use serde::{Deserialize, Serialize};

use super::{InstanceDelta, ReplicaDelta, ReplicaVersion, RouterDelta};
use crate::files::{self, Access, Durability, FileStamp, absent_is_none};
use crate::metadata::Instances;
use crate::model::RouterId;
use crate::store::Store;

const FILE: &str = "journal.json";

#[derive(Debug, Default, Serialize, Deserialize)]
struct ReplicaJournal {
    serial: u64,
    state: Option<FileStamp>,
    instances: BTreeMap<NetworkId, BTreeMap<Ipv4Addr, JournalEntry>>,
}

/// The last known state of a document.
#[derive(Debug, Serialize, Deserialize)]
struct JournalEntry {
    /// `None` if it was removed.
    #[serde(rename = "sight")]
    stamp: Option<FileStamp>,
    /// The serial of its last change.
    serial: u64,
}

/// What is new about a router since a serial; `None` if nothing is. 0 asks for a complete delta.
pub async fn delta_since(
    store: &Store,
    id: RouterId,
    since: u64,
    deadline: &Deadline,
) -> Result<Option<RouterDelta>, DeviceError> {
    let locked = store.lock(id, deadline.cancelled()).await?;
    let state = locked.load()?;
    if state.router.is_empty() {
        return Ok((since > 0).then_some(RouterDelta::Gone));
    }
    let failed =
        |error: io::Error| DeviceError::device(format!("cannot look for changes of {id}")).with_source(error);
    let path = locked.folder().join(FILE);
    let mut journal: ReplicaJournal =
        fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let networks: BTreeSet<NetworkId> = state.router.tiers.keys().copied().collect();
    let documents = networks.iter().map(|network| Ok((*network, stamps(&store.instances(*network))?)));
    let documents = documents.collect::<io::Result<BTreeMap<_, _>>>().map_err(failed)?;
    let state_stamp = FileStamp::of(&locked.folder().join("state.json")).map_err(failed)?;
    if journal.update(state_stamp, &documents) {
        let text = serde_json::to_vec(&journal).map_err(|error| failed(error.into()))?;
        // If it is lost, the next delta is complete.
        files::replace(&path, &text, Access::Owner, Durability::None)?;
    }
    // A new journal counts from 1 again.
    let since = if since > journal.serial { 0 } else { since };
    if since == journal.serial {
        return Ok(None);
    }
    let mut instances = Vec::new();
    for (network, address) in journal.changed_after(since) {
        let instance = store.instances(network).read(address)?;
        if instance.is_some() || since > 0 {
            instances.push(InstanceDelta { network, address, instance });
        }
    }
    let version = ReplicaVersion { epoch: state.epoch, serial: journal.serial };
    let delta = ReplicaDelta { version, since, router: state.router, instances };
    Ok(Some(RouterDelta::Changed(Box::new(delta))))
}

/// The documents of a network's instances.
fn stamps(instances: &Instances) -> io::Result<BTreeMap<Ipv4Addr, FileStamp>> {
    let entries = absent_is_none(fs::read_dir(instances.folder()))?;
    let mut documents = BTreeMap::new();
    for entry in entries.into_iter().flatten() {
        let entry = entry?;
        let name = entry.file_name();
        let address = name.to_str().and_then(|name| name.strip_suffix(".json")?.parse().ok());
        if let (Some(address), Some(stamp)) = (address, FileStamp::of(&entry.path())?) {
            documents.insert(address, stamp);
        }
    }
    Ok(documents)
}

impl ReplicaJournal {
    /// Records the documents; true if any of them changed.
    fn update(
        &mut self,
        state: Option<FileStamp>,
        found: &BTreeMap<NetworkId, BTreeMap<Ipv4Addr, FileStamp>>,
    ) -> bool {
        let next = self.serial + 1;
        let mut is_new = self.state != state;
        self.state = state;
        for (network, documents) in found {
            let known = self.instances.entry(*network).or_default();
            for (address, stamp) in documents {
                if known.get(address).is_none_or(|entry| entry.stamp != Some(*stamp)) {
                    known.insert(*address, JournalEntry { stamp: Some(*stamp), serial: next });
                    is_new = true;
                }
            }
            for (address, entry) in known.iter_mut() {
                if entry.stamp.is_some() && !documents.contains_key(address) {
                    *entry = JournalEntry { stamp: None, serial: next };
                    is_new = true;
                }
            }
        }
        // The router's own document says which networks are its tiers.
        let before = self.instances.len();
        self.instances.retain(|network, _| found.contains_key(network));
        is_new |= self.instances.len() != before;
        if is_new {
            self.serial = next;
        }
        is_new
    }

    fn changed_after(&self, since: u64) -> impl Iterator<Item = (NetworkId, Ipv4Addr)> {
        self.instances.iter().flat_map(move |(network, documents)| {
            let changed = documents.iter().filter(move |(_, entry)| entry.serial > since);
            changed.map(|(address, _)| (*network, *address))
        })
    }
}
