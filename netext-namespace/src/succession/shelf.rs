//! Where a standby keeps its copies: `<state>/copies/<router>`, a document about the router and a folder for each of
//! its networks with what the instances are told. The router's document is replaced last: until then the copy is of
//! the version that it was.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use netext_core::{Deadline, DeviceError};
use netext_protocol::NetworkId;
use serde::{Deserialize, Serialize};

use super::{Copy, Version};
use crate::metadata::{Instance, Instances};
use crate::model::{Router, RouterId};
use crate::store::Store;

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is on the shelf.
    Yes,
    /// What it builds on is not there: a whole one is needed.
    Behind,
    /// It is out of date: this host serves the router itself, or knows it from one that does, since this epoch.
    Outdated(u64),
}

/// The document about the router.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Label {
    pub(super) version: Version,
    pub(super) router: Router,
}

/// The place of one router's copy.
#[derive(Debug)]
pub(super) struct Shelf(PathBuf);

/// Keeps a copy, unless this host knows better.
pub async fn keep(store: &Store, copy: Copy, deadline: &Deadline) -> Result<Kept, DeviceError> {
    let id = copy.router.id;
    let locked = store.lock(id, deadline.cancelled()).await?;
    let own = locked.load()?;
    let epoch = copy.version.epoch;
    let shelf = Shelf::of(store, id);
    let label = shelf.label()?;
    let known = label.as_ref().map(|label| label.version.epoch).filter(|known| *known > epoch);
    let own = own.serves().then_some(own.epoch).filter(|own| *own >= epoch);
    if let Some(later) = known.max(own) {
        return Ok(Kept::Outdated(later));
    }
    let builds_on = Version { epoch, serial: copy.since };
    if copy.since > 0 && label.is_none_or(|label| label.version.epoch != epoch || label.version < builds_on) {
        return Ok(Kept::Behind);
    }
    shelf.put(copy)?;
    Ok(Kept::Yes)
}

impl Shelf {
    pub(super) fn of(store: &Store, router: RouterId) -> Self {
        Self(store.root().join("copies").join(router.to_string()))
    }

    /// What is known of the router; `None` if there is no copy.
    pub(super) fn label(&self) -> Result<Option<Label>, DeviceError> {
        let path = self.document();
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
                DeviceError::device(format!("{} is damaged; remove it", path.display())).with_source(error)
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path, error)),
        }
    }

    /// What the instances of a network are told.
    pub(super) fn instances(&self, network: NetworkId) -> Instances {
        Instances::in_folder(self.0.join(format!("network-{network}")))
    }

    /// Forgets the copy; one that is not there is forgotten already.
    pub(super) fn clear(&self) -> Result<(), DeviceError> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", &self.0, error)),
            _ => Ok(()),
        }
    }

    fn put(&self, copy: Copy) -> Result<(), DeviceError> {
        let Copy { version, since, router, instances } = copy;
        if since == 0 {
            self.clear()?;
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .map_err(|error| failed("create the folder", &self.0, error))?;
        let mut changed: BTreeMap<NetworkId, BTreeMap<Ipv4Addr, Option<Instance>>> = BTreeMap::new();
        for told in instances {
            changed.entry(told.network).or_default().insert(told.address, told.instance);
        }
        for (network, changed) in changed {
            self.instances(network).update(&changed)?;
        }
        self.write(&Label { version, router })
    }

    fn write(&self, label: &Label) -> Result<(), DeviceError> {
        let (path, new) = (self.document(), self.0.join("router.json.new"));
        let text = serde_json::to_vec(label).map_err(|error| failed("write", &new, error.into()))?;
        let written = File::options()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&new)
            .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_data()))
            .and_then(|()| fs::rename(&new, &path))
            .and_then(|()| File::open(&self.0)?.sync_all());
        written.map_err(|error| failed("replace", &path, error))
    }

    fn document(&self) -> PathBuf {
        self.0.join("router.json")
    }
}

fn failed(action: &str, path: &Path, error: std::io::Error) -> DeviceError {
    DeviceError::device(format!("cannot {action} {}", path.display())).with_source(error)
}
