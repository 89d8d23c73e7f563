//! What is new about a router since the last copy.
//!
//! Every document is replaced as a whole, so whether it changed shows in its inode, size and time; the journal notes
//! at which serial it was seen to. Looking costs some microseconds a document; only what changed is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use netext_core::{Deadline, DeviceError};
use netext_protocol::NetworkId;
use serde::{Deserialize, Serialize};

use super::{Copy, News, Told, Version};
use crate::compile::services::instances_folder;
use crate::metadata::Instances;
use crate::model::RouterId;
use crate::store::Store;

const FILE: &str = "journal.json";

#[derive(Debug, Default, Serialize, Deserialize)]
struct Journal {
    serial: u64,
    state: Option<Sight>,
    instances: BTreeMap<NetworkId, BTreeMap<Ipv4Addr, Entry>>,
}

/// A document as it was seen last.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// Nothing if it has gone.
    sight: Option<Sight>,
    /// The serial at which it was seen to be another.
    serial: u64,
}

/// What shows that a document was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sight(u64, u64, i64, i64);

impl Sight {
    fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::symlink_metadata(path) {
            Ok(seen) => Ok(Some(Self(seen.ino(), seen.size(), seen.mtime(), seen.mtime_nsec()))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What is new about a router since a serial; `None` if nothing is. 0 asks for all of it.
pub async fn copy(
    store: &Store,
    id: RouterId,
    since: u64,
    deadline: &Deadline,
) -> Result<Option<News>, DeviceError> {
    let locked = store.lock(id, deadline.cancelled()).await?;
    let state = locked.load()?;
    if state.router.is_empty() {
        return Ok((since > 0).then_some(News::Gone));
    }
    let failed = |error: io::Error| {
        DeviceError::device(format!("cannot look through what is kept of {id}")).with_source(error)
    };
    let path = locked.folder().join(FILE);
    let mut journal: Journal =
        fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let told = |network| Instances::in_folder(instances_folder(&store.network_folder(network)));
    let networks: BTreeSet<NetworkId> = state.router.tiers.keys().copied().collect();
    let seen = networks.iter().map(|network| Ok((*network, sights(&told(*network))?)));
    let seen = seen.collect::<io::Result<BTreeMap<_, _>>>().map_err(failed)?;
    let state_seen = Sight::of(&locked.folder().join("state.json")).map_err(failed)?;
    if journal.note(state_seen, &seen) {
        let text = serde_json::to_vec(&journal).map_err(|error| failed(error.into()))?;
        let new = path.with_extension("new");
        // If it is lost, all is copied again.
        fs::write(&new, text).and_then(|()| fs::rename(&new, &path)).map_err(failed)?;
    }
    // A journal that was lost counts from the beginning again.
    let since = if since > journal.serial { 0 } else { since };
    if since == journal.serial {
        return Ok(None);
    }
    let mut instances = Vec::new();
    for (network, address) in journal.changed_after(since) {
        let instance = told(network).read(address)?;
        if instance.is_some() || since > 0 {
            instances.push(Told { network, address, instance });
        }
    }
    let version = Version { epoch: state.epoch, serial: journal.serial };
    Ok(Some(News::Changed(Box::new(Copy { version, since, router: state.router, instances }))))
}

/// The documents of a network's instances.
fn sights(instances: &Instances) -> io::Result<BTreeMap<Ipv4Addr, Sight>> {
    let entries = match fs::read_dir(instances.folder()) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries?,
    };
    let mut seen = BTreeMap::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let address = name.to_str().and_then(|name| name.strip_suffix(".json")?.parse().ok());
        if let (Some(address), Some(sight)) = (address, Sight::of(&entry.path())?) {
            seen.insert(address, sight);
        }
    }
    Ok(seen)
}

impl Journal {
    /// Notes what is seen; whether anything of it is new.
    fn note(&mut self, state: Option<Sight>, seen: &BTreeMap<NetworkId, BTreeMap<Ipv4Addr, Sight>>) -> bool {
        let next = self.serial + 1;
        let mut is_new = self.state != state;
        self.state = state;
        for (network, documents) in seen {
            let known = self.instances.entry(*network).or_default();
            for (address, sight) in documents {
                if known.get(address).is_none_or(|entry| entry.sight != Some(*sight)) {
                    known.insert(*address, Entry { sight: Some(*sight), serial: next });
                    is_new = true;
                }
            }
            for (address, entry) in known.iter_mut() {
                if entry.sight.is_some() && !documents.contains_key(address) {
                    *entry = Entry { sight: None, serial: next };
                    is_new = true;
                }
            }
        }
        // A network that is no tier any more goes with the router's own document.
        let before = self.instances.len();
        self.instances.retain(|network, _| seen.contains_key(network));
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
