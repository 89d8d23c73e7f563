//! The metadata of one guest network's instances, a document each.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use netext_protocol::{MacAddr, RestoredVm, Secret, VmDataEntry};
use zeroize::Zeroizing;

use super::folder::LockedFolder;
use super::{InstanceMetadata, MetadataError, MetadataFileName, Password};
use crate::files::{self, Durability, FileError, failed};

/// The metadata of one guest network's instances: a folder with a document per instance, `10.1.1.10.json`.
///
/// A payload is validated before the first write. A change lasts when the method returns; killed at any moment, it
/// leaves every document in its old or its new version. Changes wait for each other, so that a command and a guest that
/// acknowledges a password never overwrite each other's change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instances {
    folder: PathBuf,
    nic: Option<MacAddr>,
}

fn document(address: Ipv4Addr) -> String {
    format!("{address}.json")
}

/// The address of an instance, by the name of its document.
fn address(name: &str) -> Option<Ipv4Addr> {
    name.strip_suffix(".json")?.parse().ok()
}

impl Instances {
    /// The instances of this folder, which is created when the first one is saved.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), nic: None }
    }

    /// The same instances, for changes of this NIC's metadata: the metadata of another NIC with the same address is
    /// neither extended nor removed. A NIC whose MAC is unknown matches no MAC.
    pub fn for_nic(self, nic: Option<MacAddr>) -> Self {
        Self { nic, ..self }
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
    pub fn all(&self) -> Result<BTreeMap<Ipv4Addr, InstanceMetadata>, MetadataError> {
        let Some(folder) = LockedFolder::lock_existing(&self.folder)? else { return Ok(BTreeMap::new()) };
        let mut all = BTreeMap::new();
        for address in folder.names()?.iter().filter_map(|name| address(name)) {
            if let Some(instance) = self.read(address)? {
                all.insert(address, instance);
            }
        }
        Ok(all)
    }

    /// Replaces the metadata of all instances.
    pub fn replace(&self, instances: &BTreeMap<Ipv4Addr, InstanceMetadata>) -> Result<(), MetadataError> {
        self.replace_all(&LockedFolder::lock(&self.folder)?, instances)
    }

    /// Replaces the metadata of some instances, or removes it.
    pub fn update(
        &self,
        changes: &BTreeMap<Ipv4Addr, Option<InstanceMetadata>>,
    ) -> Result<(), MetadataError> {
        let folder = LockedFolder::lock(&self.folder)?;
        let replaced = changes.iter().filter_map(|(address, instance)| Some((*address, instance.as_ref()?)));
        self.put_in_place(&folder, replaced)?;
        for (address, _) in changes.iter().filter(|(_, instance)| instance.is_none()) {
            folder.remove(&document(*address))?;
        }
        Ok(folder.sync()?)
    }

    /// `save-vm-data`: replaces an instance's metadata files, public keys and user data. If the entries have no
    /// password, one that was not acknowledged yet stays.
    pub fn save(&self, address: Ipv4Addr, vm_data: &[VmDataEntry]) -> Result<(), MetadataError> {
        let given = InstanceMetadata::from_vm_data("vm_data", vm_data)?;
        self.change(address, |instance| *instance = given.keeping_password_of(instance))
    }

    /// `save-userdata`: replaces an instance's user data.
    pub fn set_user_data(&self, address: Ipv4Addr, user_data: Secret) -> Result<(), MetadataError> {
        self.change(address, |instance| instance.user_data = Some(user_data.into()))
    }

    /// `save-password`: sets an instance's password. An empty one removes the last one.
    pub fn set_password(&self, address: Ipv4Addr, password: Secret) -> Result<(), MetadataError> {
        self.change(address, |instance| instance.password = Password::new(password))
    }

    /// `save-sshkey`: replaces an instance's public keys, a line each.
    pub fn set_public_keys(&self, address: Ipv4Addr, public_keys: Secret) -> Result<(), MetadataError> {
        self.change(address, |instance| instance.public_keys = Some(public_keys.into()))
    }

    /// `save-hypervisor-hostname`: sets the name of an instance's hypervisor.
    pub fn set_hypervisor_host_name(&self, address: Ipv4Addr, name: &str) -> Result<(), MetadataError> {
        self.change(address, |instance| {
            drop(instance.metadata.insert(MetadataFileName::hypervisor(), name.into()));
        })
    }

    /// Removes an instance's metadata and password, even if its document is damaged: another tenant may get the
    /// address.
    pub fn remove(&self, address: Ipv4Addr) -> Result<(), MetadataError> {
        self.remove_unless(address, |known| {
            Ok(known.ok().flatten().is_some_and(|instance| instance.is_of_other_than(self.nic)))
        })
    }

    /// Removes the metadata of an address, unless it is known to be this NIC's: the address belongs to another NIC now,
    /// even if no command released it.
    pub fn take_over(&self, address: Ipv4Addr) -> Result<(), MetadataError> {
        self.remove_unless(address, |known| match known {
            Err(MetadataError::Damaged { .. }) => Ok(false),
            known => Ok(known?.is_none_or(|instance| instance.nic.is_some() && instance.nic == self.nic)),
        })
    }

    /// Removes the metadata of an address that its NIC has given up, unless the document names a NIC: otherwise the
    /// next NIC with that address would be served it.
    pub fn leave(&self, address: Ipv4Addr) -> Result<(), MetadataError> {
        self.remove_unless(address, |known| Ok(known?.is_none_or(|instance| instance.nic.is_some())))
    }

    fn remove_unless(
        &self,
        address: Ipv4Addr,
        stays: impl FnOnce(Result<Option<InstanceMetadata>, MetadataError>) -> Result<bool, MetadataError>,
    ) -> Result<(), MetadataError> {
        let Some(folder) = LockedFolder::lock_existing(&self.folder)? else { return Ok(()) };
        if stays(self.read(address))? {
            return Ok(());
        }
        folder.remove(&document(address))?;
        Ok(folder.sync()?)
    }

    /// An instance's metadata, for a change that keeps only the password. A damaged document is of no use to the
    /// instance, and must not block the whole network.
    fn read_sound(&self, address: Ipv4Addr) -> Result<Option<InstanceMetadata>, MetadataError> {
        self.read(address).or_else(|error| match error {
            MetadataError::Damaged { .. } => {
                tracing::warn!(%error, "the instance's metadata is lost");
                Ok(None)
            }
            error => Err(error),
        })
    }

    /// `restore-network`: replaces the metadata of all instances. The server does not send passwords again: one that
    /// was not acknowledged yet stays. An instance without data keeps its metadata, unless its address
    /// `has_changed_hands`.
    pub fn restore(
        &self,
        vms: &[RestoredVm],
        has_changed_hands: impl Fn(&RestoredVm) -> bool,
    ) -> Result<(), MetadataError> {
        let mut given = BTreeMap::new();
        for (index, vm) in vms.iter().enumerate() {
            let instance =
                InstanceMetadata::from_vm_data(&format!("restore_data.vms[{index}].vm_data"), &vm.vm_data)?;
            if let Some(address) = vm.ip {
                let instance = InstanceMetadata { nic: Some(vm.mac), ..instance };
                given.insert(address, (instance, vm));
            }
        }
        let folder = LockedFolder::lock(&self.folder)?;
        let mut restored = BTreeMap::new();
        for (address, (instance, vm)) in given {
            let is_its_own =
                |before: &InstanceMetadata| !before.is_of_other_than(instance.nic) && !has_changed_hands(vm);
            let before = self.read_sound(address)?.filter(is_its_own);
            let instance = match before {
                Some(before) if vm.vm_data.is_empty() => InstanceMetadata { nic: instance.nic, ..before },
                Some(before) => instance.keeping_password_of(&before),
                None => instance,
            };
            restored.insert(address, instance);
        }
        self.replace_all(&folder, &restored)
    }

    /// `shutdown-network`: removes everything except passwords that were not acknowledged yet. The server sends the
    /// rest again.
    pub fn clear(&self) -> Result<(), MetadataError> {
        let Some(folder) = LockedFolder::lock_existing(&self.folder)? else { return Ok(()) };
        let mut unread = BTreeMap::new();
        for name in folder.names()? {
            let Some(address) = address(&name) else { continue };
            if let Some(InstanceMetadata { nic, password: password @ Some(_), .. }) =
                self.read_sound(address)?
            {
                unread.insert(address, InstanceMetadata { nic, password, ..InstanceMetadata::default() });
            }
        }
        self.replace_all(&folder, &unread)
    }

    /// Removes a password that the instance has acknowledged, unless it `is_another` by now: a password that was set
    /// after the instance read the acknowledged one must stay.
    pub fn forget_password(
        &self,
        address: Ipv4Addr,
        is_another: impl FnOnce(&Secret) -> bool,
    ) -> Result<(), MetadataError> {
        let Some(folder) = LockedFolder::lock_existing(&self.folder)? else { return Ok(()) };
        match self.read(address)? {
            Some(InstanceMetadata { password: Some(password), .. }) if is_another(&password.text) => Ok(()),
            Some(instance) if instance.password.is_some() => {
                self.write(&folder, address, &InstanceMetadata { password: None, ..instance })
            }
            _ => Ok(()),
        }
    }

    fn change(
        &self,
        address: Ipv4Addr,
        change: impl FnOnce(&mut InstanceMetadata),
    ) -> Result<(), MetadataError> {
        let folder = LockedFolder::lock(&self.folder)?;
        let known = self.read(address)?.filter(|known| known.nic.is_none() || known.nic == self.nic);
        let mut instance = known.unwrap_or_default();
        change(&mut instance);
        instance.nic = self.nic.or(instance.nic);
        self.write(&folder, address, &instance)
    }

    fn write(
        &self,
        folder: &LockedFolder,
        address: Ipv4Addr,
        instance: &InstanceMetadata,
    ) -> Result<(), MetadataError> {
        folder.replace(&document(address), &self.to_document(address, instance)?)?;
        Ok(folder.sync()?)
    }

    fn replace_all(
        &self,
        folder: &LockedFolder,
        instances: &BTreeMap<Ipv4Addr, InstanceMetadata>,
    ) -> Result<(), MetadataError> {
        self.put_in_place(folder, instances.iter().map(|(address, instance)| (*address, instance)))?;
        let named = |name: &String| address(name).is_some_and(|address| instances.contains_key(&address));
        for name in folder.names()?.iter().filter(|name| !named(name)) {
            folder.remove(name)?;
        }
        Ok(folder.sync()?)
    }

    /// Writes all new documents, syncs them at once, and then puts them in place.
    fn put_in_place<'a>(
        &self,
        folder: &LockedFolder,
        instances: impl Iterator<Item = (Ipv4Addr, &'a InstanceMetadata)>,
    ) -> Result<(), FileError> {
        let mut drafts = Vec::new();
        for (address, instance) in instances {
            let bytes = self.to_document(address, instance)?;
            let name = document(address);
            if fs::read(self.folder.join(&name)).is_ok_and(|before| *Zeroizing::new(before) == *bytes) {
                continue;
            }
            let draft = folder.draft(&name, &bytes, Durability::None)?;
            drafts.push((name, draft));
        }
        if !drafts.is_empty() {
            folder.sync_drafts()?;
        }
        drafts.into_iter().try_for_each(|(name, draft)| folder.put_in_place(&name, draft))
    }

    fn to_document(
        &self,
        address: Ipv4Addr,
        instance: &InstanceMetadata,
    ) -> Result<Zeroizing<Vec<u8>>, FileError> {
        instance.to_document().map_err(failed("write", &self.folder.join(document(address))))
    }
}

impl InstanceMetadata {
    /// Whether it belongs to another NIC. Metadata of no NIC in particular belongs to any.
    fn is_of_other_than(&self, nic: Option<MacAddr>) -> bool {
        nic.is_some() && self.nic.is_some() && self.nic != nic
    }

    fn keeping_password_of(self, before: &Self) -> Self {
        Self { password: self.password.or_else(|| before.password.clone()), ..self }
    }
}
