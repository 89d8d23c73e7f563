//! A change of the metadata of one guest network's instances.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::time::Instant;

use netext_protocol::{MacAddr, RestoredVm, Secret, VmDataEntry};
use zeroize::Zeroizing;

use super::instances::{Instances, address, document};
use super::{InstanceMetadata, MetadataError, MetadataFileName, Password, folder};
use crate::files::{Access, Durability, FileError, NextVersion, VersionedFolder, failed};

/// A change of the metadata of one guest network's instances. Its methods stage new documents; none of them can be read
/// before [`put_in_place`](Self::put_in_place), and all of them can be undone until [`finish`](Self::finish).
///
/// A payload is validated before the first write. Killed at any moment, a change leaves every document in its old or
/// its new version; [`Instances::recover`] then completes or undoes it.
#[derive(Debug)]
#[must_use = "a change that is dropped is not made"]
pub struct InstanceChange {
    instances: Instances,
    folder: Option<VersionedFolder>,
    nic: Option<MacAddr>,
    deadline: Instant,
    staged: Vec<String>,
    is_in_place: bool,
}

impl Instances {
    /// Begins a change, for which other changes of this network's instances wait until the deadline: a command and a
    /// guest that acknowledges a password never overwrite each other's change.
    pub fn change(&self, deadline: Instant) -> Result<InstanceChange, MetadataError> {
        let folder = folder::lock_existing(self.folder(), deadline)?;
        let instances = self.clone();
        Ok(InstanceChange { instances, folder, nic: None, deadline, staged: Vec::new(), is_in_place: false })
    }
}

impl InstanceChange {
    /// From now on it is about this NIC: the metadata of another NIC with the same address is neither extended nor
    /// removed. A NIC whose MAC is unknown matches no MAC.
    pub fn for_nic(&mut self, nic: Option<MacAddr>) -> &mut Self {
        self.nic = nic;
        self
    }

    /// Puts the new documents in place. They last when it returns.
    pub fn put_in_place(&mut self) -> Result<(), MetadataError> {
        self.is_in_place = true;
        let Some(folder) = self.folder.as_ref().filter(|_| !self.staged.is_empty()) else { return Ok(()) };
        self.staged.iter().try_for_each(|name| folder.put_in_place(name))?;
        Ok(folder.sync()?)
    }

    /// Restores the old documents.
    pub fn undo(self) -> Result<(), MetadataError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        self.staged.iter().try_for_each(|name| folder.restore(name))?;
        self.finish()
    }

    /// Forgets the old documents.
    pub fn finish(&self) -> Result<(), MetadataError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        Ok(self.staged.iter().try_for_each(|name| folder.discard(name))?)
    }

    /// Makes the whole change at once.
    pub fn commit(mut self) -> Result<(), MetadataError> {
        match self.put_in_place() {
            Ok(()) => self.finish(),
            Err(error) => {
                // The error that is reported is the one that came first.
                let _ = self.undo();
                Err(error)
            }
        }
    }

    /// Replaces the metadata of all instances.
    pub fn replace(&mut self, instances: &BTreeMap<Ipv4Addr, InstanceMetadata>) -> Result<(), MetadataError> {
        self.stage_all(instances.iter().map(|(address, instance)| (*address, instance)))?;
        let Some(folder) = &self.folder else { return Ok(()) };
        // Left by a process that was killed.
        let left = folder.staged_or_replaced()?.into_iter().filter(|name| !self.staged.contains(name));
        left.into_iter().try_for_each(|name| folder.discard(&name))?;
        let is_other = |name: &String| address(name).is_none_or(|address| !instances.contains_key(&address));
        for name in folder.names()?.into_iter().filter(is_other) {
            self.stage(name, NextVersion::Absent, Durability::None)?;
        }
        Ok(())
    }

    /// Replaces the metadata of some instances, or removes it.
    pub fn update(
        &mut self,
        changes: &BTreeMap<Ipv4Addr, Option<InstanceMetadata>>,
    ) -> Result<(), MetadataError> {
        self.stage_all(
            changes.iter().filter_map(|(address, instance)| Some((*address, instance.as_ref()?))),
        )?;
        for (address, _) in changes.iter().filter(|(_, instance)| instance.is_none()) {
            self.stage_removal(*address)?;
        }
        Ok(())
    }

    /// `save-vm-data`: replaces an instance's metadata files, public keys and user data. If the entries have no
    /// password, one that was not acknowledged yet stays.
    pub fn save(&mut self, address: Ipv4Addr, vm_data: &[VmDataEntry]) -> Result<(), MetadataError> {
        let given = InstanceMetadata::from_vm_data("vm_data", vm_data)?;
        let before = self.read_sound(address)?;
        self.write_over(address, before, |instance| *instance = given.keeping_password_of(instance))
    }

    /// `save-userdata`: replaces an instance's user data.
    pub fn set_user_data(&mut self, address: Ipv4Addr, user_data: Secret) -> Result<(), MetadataError> {
        self.change(address, |instance| instance.user_data = Some(user_data.into()))
    }

    /// `save-password`: sets an instance's password. An empty one removes the last one.
    pub fn set_password(&mut self, address: Ipv4Addr, password: Secret) -> Result<(), MetadataError> {
        self.change(address, |instance| instance.password = Password::new(password))
    }

    /// `save-sshkey`: replaces an instance's public keys, a line each.
    pub fn set_public_keys(&mut self, address: Ipv4Addr, public_keys: Secret) -> Result<(), MetadataError> {
        self.change(address, |instance| instance.public_keys = Some(public_keys.into()))
    }

    /// `save-hypervisor-hostname`: sets the name of an instance's hypervisor.
    pub fn set_hypervisor_host_name(&mut self, address: Ipv4Addr, name: &str) -> Result<(), MetadataError> {
        self.change(address, |instance| {
            drop(instance.metadata.insert(MetadataFileName::hypervisor(), name.into()));
        })
    }

    /// Removes an instance's metadata and password, even if its document is damaged: another tenant may get the
    /// address.
    pub fn remove(&mut self, address: Ipv4Addr) -> Result<(), MetadataError> {
        let nic = self.nic;
        self.remove_unless(address, |known| {
            Ok(known.ok().flatten().is_some_and(|instance| instance.is_of_other_than(nic)))
        })
    }

    /// Removes the metadata of an address, unless it is known to be this NIC's: the address belongs to another NIC now,
    /// even if no command released it.
    pub fn take_over(&mut self, address: Ipv4Addr) -> Result<(), MetadataError> {
        let nic = self.nic;
        self.remove_unless(address, |known| match known {
            Err(MetadataError::Damaged { .. }) => Ok(false),
            known => Ok(known?.is_none_or(|instance| instance.nic.is_some() && instance.nic == nic)),
        })
    }

    /// Removes the metadata of an address that its NIC has given up, unless the document names a NIC: otherwise the
    /// next NIC with that address would be served it.
    pub fn leave(&mut self, address: Ipv4Addr) -> Result<(), MetadataError> {
        self.remove_unless(address, |known| Ok(known?.is_none_or(|instance| instance.nic.is_some())))
    }

    fn remove_unless(
        &mut self,
        address: Ipv4Addr,
        stays: impl FnOnce(Result<Option<InstanceMetadata>, MetadataError>) -> Result<bool, MetadataError>,
    ) -> Result<(), MetadataError> {
        if self.folder.is_none() || stays(self.instances.read(address))? {
            return Ok(());
        }
        self.stage_removal(address)
    }

    /// An instance's metadata, for a change that keeps only the password. A damaged document is of no use to the
    /// instance, and must not block the whole network.
    fn read_sound(&self, address: Ipv4Addr) -> Result<Option<InstanceMetadata>, MetadataError> {
        self.instances.read(address).or_else(|error| match error {
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
        &mut self,
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
        self.replace(&restored)
    }

    /// `shutdown-network`: removes everything except passwords that were not acknowledged yet. The server sends the
    /// rest again.
    pub fn clear(&mut self) -> Result<(), MetadataError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let mut unread = BTreeMap::new();
        for address in folder.names()?.iter().filter_map(|name| address(name)) {
            if let Some(InstanceMetadata { nic, password: password @ Some(_), .. }) =
                self.read_sound(address)?
            {
                unread.insert(address, InstanceMetadata { nic, password, ..InstanceMetadata::default() });
            }
        }
        self.replace(&unread)
    }

    /// Removes a password that the instance has acknowledged, unless it `is_another` by now: a password that was set
    /// after the instance read the acknowledged one must stay.
    pub fn forget_password(
        &mut self,
        address: Ipv4Addr,
        is_another: impl FnOnce(&Secret) -> bool,
    ) -> Result<(), MetadataError> {
        match self.instances.read(address)? {
            Some(InstanceMetadata { password: Some(password), .. }) if is_another(&password.text) => Ok(()),
            Some(instance) if instance.password.is_some() => {
                self.stage_document(address, &InstanceMetadata { password: None, ..instance })
            }
            _ => Ok(()),
        }
    }

    fn change(
        &mut self,
        address: Ipv4Addr,
        change: impl FnOnce(&mut InstanceMetadata),
    ) -> Result<(), MetadataError> {
        let before = self.instances.read(address)?;
        self.write_over(address, before, change)
    }

    /// Changes the metadata that an address had before, if it is that of this NIC.
    fn write_over(
        &mut self,
        address: Ipv4Addr,
        before: Option<InstanceMetadata>,
        change: impl FnOnce(&mut InstanceMetadata),
    ) -> Result<(), MetadataError> {
        let known = before.filter(|known| known.nic.is_none() || known.nic == self.nic);
        let mut instance = known.unwrap_or_default();
        change(&mut instance);
        instance.nic = self.nic.or(instance.nic);
        self.stage_document(address, &instance)
    }

    fn stage_document(
        &mut self,
        address: Ipv4Addr,
        instance: &InstanceMetadata,
    ) -> Result<(), MetadataError> {
        let bytes = self.to_document(address, instance)?;
        self.stage(document(address), NextVersion::Content(&bytes), Durability::Whole)
    }

    fn stage_removal(&mut self, address: Ipv4Addr) -> Result<(), MetadataError> {
        self.stage(document(address), NextVersion::Absent, Durability::None)
    }

    /// Stages the documents that differ, and syncs them at once.
    fn stage_all<'a>(
        &mut self,
        instances: impl Iterator<Item = (Ipv4Addr, &'a InstanceMetadata)>,
    ) -> Result<(), MetadataError> {
        let mut differs = false;
        for (address, instance) in instances {
            let (name, bytes) = (document(address), self.to_document(address, instance)?);
            let path = self.instances.folder().join(&name);
            if fs::read(path).is_ok_and(|before| *Zeroizing::new(before) == *bytes) {
                continue;
            }
            self.stage(name, NextVersion::Content(&bytes), Durability::None)?;
            differs = true;
        }
        match &self.folder {
            Some(folder) if differs => Ok(folder.sync_contents()?),
            _ => Ok(()),
        }
    }

    fn stage(
        &mut self,
        name: String,
        next: NextVersion<'_>,
        durability: Durability,
    ) -> Result<(), MetadataError> {
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => folder::lock_or_create(self.instances.folder(), self.deadline)?,
        };
        let folder = self.folder.insert(folder);
        folder.stage(&name, next, Access::Owner, durability)?;
        self.staged.push(name);
        Ok(())
    }

    fn to_document(
        &self,
        address: Ipv4Addr,
        instance: &InstanceMetadata,
    ) -> Result<Zeroizing<Vec<u8>>, FileError> {
        instance.to_document().map_err(failed("write", &self.instances.folder().join(document(address))))
    }
}

impl Drop for InstanceChange {
    fn drop(&mut self) {
        if let Some(folder) = self.folder.as_ref().filter(|_| !self.is_in_place) {
            // If this fails, the next pass over the router removes them.
            self.staged.iter().for_each(|name| drop(folder.discard(name)));
        }
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
