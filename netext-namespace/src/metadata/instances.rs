//! The metadata of one guest network's instances, a document each.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use zeroize::Zeroizing;

use super::{InstanceMetadata, MetadataError, folder};
use crate::files;

/// The metadata of one guest network's instances: a folder with a document per instance, `10.1.1.10.json`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instances {
    folder: PathBuf,
}

/// The file name of an instance's document.
pub(super) fn document(address: Ipv4Addr) -> String {
    format!("{address}.json")
}

/// The address of an instance, by the name of its document.
pub(super) fn address(name: &str) -> Option<Ipv4Addr> {
    name.strip_suffix(".json")?.parse().ok()
}

impl Instances {
    /// The instances of this folder, which is created when the first one is saved.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The metadata of the instance at this address, if it has any.
    pub fn read(&self, address: Ipv4Addr) -> Result<Option<InstanceMetadata>, MetadataError> {
        let path = self.folder.join(document(address));
        let Some(bytes) = files::read(&path)?.map(Zeroizing::new) else { return Ok(None) };
        InstanceMetadata::from_document(&bytes, &path).map(Some)
    }

    /// The metadata of every instance.
    pub fn all(&self, deadline: Instant) -> Result<BTreeMap<Ipv4Addr, InstanceMetadata>, MetadataError> {
        let Some(folder) = folder::lock_existing(&self.folder, deadline)? else { return Ok(BTreeMap::new()) };
        let mut all = BTreeMap::new();
        for address in folder.names()?.iter().filter_map(|name| address(name)) {
            if let Some(instance) = self.read(address)? {
                all.insert(address, instance);
            }
        }
        Ok(all)
    }

    /// The addresses of the instances that have metadata, readable or not.
    pub fn addresses(&self, deadline: Instant) -> Result<Vec<Ipv4Addr>, MetadataError> {
        let Some(folder) = folder::lock_existing(&self.folder, deadline)? else { return Ok(Vec::new()) };
        Ok(folder.names()?.iter().filter_map(|name| address(name)).collect())
    }

    /// Completes a change that was cut off, or undoes it.
    pub fn recover(&self, progress: ChangeProgress, deadline: Instant) -> Result<(), MetadataError> {
        let Some(folder) = folder::lock_existing(&self.folder, deadline)? else { return Ok(()) };
        let names = folder.staged_or_replaced()?;
        if names.is_empty() {
            return Ok(());
        }
        let is_complete = match progress {
            ChangeProgress::Committed => true,
            ChangeProgress::NotCommitted => false,
            ChangeProgress::Unknown => {
                let staged: Result<Vec<_>, _> = names.iter().map(|name| folder.has_next(name)).collect();
                !staged?.contains(&true)
            }
        };
        for name in &names {
            if is_complete { folder.put_in_place(name)? } else { folder.restore(name)? }
        }
        folder.sync()?;
        Ok(names.iter().try_for_each(|name| folder.discard(name))?)
    }
}

/// How far a change of documents got that was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeProgress {
    /// The state that it belongs to is in place.
    Committed,
    /// The state that it belongs to is not in place.
    NotCommitted,
    /// It belongs to no state: it is undone unless all documents of a folder are in place.
    Unknown,
}
