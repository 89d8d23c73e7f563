//! The instances of one guest network, a document each.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use netext_protocol::{MacAddr, RestoredVm, Secret, VmDataEntry};
use zeroize::Zeroizing;

use super::folder::LockedFolder;
use super::{FileName, Instance, MetadataError, Password};

/// What the instances of one guest network are told: a folder with a document per instance, `10.1.1.10.json`.
///
/// Everything that is wrong with a payload is found before the first write. A change is durable when the method
/// returns; killed at any moment, it leaves every document as it was or as it shall be. Changes wait for each
/// other, so that one is never lost to another: a command's to a guest's, who acknowledges a password.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instances {
    folder: PathBuf,
    nic: Option<MacAddr>,
}

fn document(address: Ipv4Addr) -> String {
    format!("{address}.json")
}

/// The address of the instance that a file is about, if it is about one.
fn address(name: &str) -> Option<Ipv4Addr> {
    name.strip_suffix(".json")?.parse().ok()
}

impl Instances {
    /// The instances of this folder, which is made when the first one is saved.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), nic: None }
    }

    /// The same instances, where what is said of an address is said for this NIC: what the address holds of another
    /// NIC is neither added to nor removed. A NIC whose MAC is unknown is not that of any MAC.
    pub fn for_nic(self, nic: Option<MacAddr>) -> Self {
        Self { nic, ..self }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the instance of this address is told, if it was given anything.
    pub fn read(&self, address: Ipv4Addr) -> Result<Option<Instance>, MetadataError> {
        let path = self.folder.join(document(address));
        let bytes = match fs::read(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(MetadataError::io("read", &path)(error)),
        };
        Instance::from_document(&bytes).map(Some).map_err(MetadataError::unreadable(&path))
    }

    /// What every instance is told.
    pub fn all(&self) -> Result<BTreeMap<Ipv4Addr, Instance>, MetadataError> {
        let Some(folder) = LockedFolder::lock_existing(&self.folder)? else { return Ok(BTreeMap::new()) };
        let mut all = BTreeMap::new();
        for address in folder.names()?.iter().filter_map(|name| address(name)) {
            if let Some(instance) = self.read(address)? {
                all.insert(address, instance);
            }
        }
        Ok(all)
    }

    /// The instances are these, and no others.
    pub fn replace(&self, instances: &BTreeMap<Ipv4Addr, Instance>) -> Result<(), MetadataError> {
        self.replace_all(&LockedFolder::lock(&self.folder)?, instances)
    }

    /// Some instances are told something else, or nothing any more; the others what they are told already.
    pub fn update(&self, changes: &BTreeMap<Ipv4Addr, Option<Instance>>) -> Result<(), MetadataError> {
        let folder = LockedFolder::lock(&self.folder)?;
        let told = changes.iter().filter_map(|(address, instance)| Some((*address, instance.as_ref()?)));
        self.put_in_place(&folder, told)?;
        for address in changes.iter().filter(|(_, instance)| instance.is_none()).map(|(address, _)| *address)
        {
            folder.remove(&document(address))?;
        }
        folder.sync()
    }

    /// `save-vm-data`: replaces an instance's metadata, public keys and user data. Without a password among the
    /// entries, one that was not acknowledged yet stays.
    pub fn save(&self, address: Ipv4Addr, vm_data: &[VmDataEntry]) -> Result<(), MetadataError> {
        let given = Instance::from_vm_data("vm_data", vm_data)?;
        self.change(address, |instance| *instance = given.keeping_password_of(instance))
    }

    /// `save-userdata`: replaces an instance's user data.
    pub fn set_user_data(&self, address: Ipv4Addr, user_data: Secret) -> Result<(), MetadataError> {
        self.change(address, |instance| instance.user_data = Some(user_data.into()))
    }

    /// `save-password`: gives an instance a new password. An empty one takes the last one back.
    pub fn set_password(&self, address: Ipv4Addr, password: Secret) -> Result<(), MetadataError> {
        self.change(address, |instance| instance.password = Password::new(password))
    }

    /// `save-sshkey`: replaces an instance's public keys, a line each.
    pub fn set_public_keys(&self, address: Ipv4Addr, public_keys: Secret) -> Result<(), MetadataError> {
        self.change(address, |instance| instance.public_keys = Some(public_keys.into()))
    }

    /// `save-hypervisor-hostname`: tells an instance the name of its hypervisor.
    pub fn set_hypervisor_host_name(&self, address: Ipv4Addr, name: &str) -> Result<(), MetadataError> {
        self.change(address, |instance| drop(instance.metadata.insert(FileName::hypervisor(), name.into())))
    }

    /// Forgets an instance and its password, whatever state its document is in: the next tenant may get the address.
    pub fn remove(&self, address: Ipv4Addr) -> Result<(), MetadataError> {
        self.remove_unless(address, |known| {
            Ok(known.ok().flatten().is_some_and(|instance| instance.is_of_other_than(self.nic)))
        })
    }

    /// Forgets what an address holds, unless it is known to be this NIC's: the address has changed hands, whether or not
    /// its release was heard.
    pub fn take_over(&self, address: Ipv4Addr) -> Result<(), MetadataError> {
        self.remove_unless(address, |known| match known {
            Err(MetadataError::Damaged { .. }) => Ok(false),
            known => Ok(known?.is_none_or(|instance| instance.nic.is_some() && instance.nic == self.nic)),
        })
    }

    /// Forgets what an address holds that a NIC has left, unless it is marked as a NIC's: the next NIC that gets the
    /// address could not tell that it is not its own.
    pub fn leave(&self, address: Ipv4Addr) -> Result<(), MetadataError> {
        self.remove_unless(address, |known| Ok(known?.is_none_or(|instance| instance.nic.is_some())))
    }

    fn remove_unless(
        &self,
        address: Ipv4Addr,
        stays: impl FnOnce(Result<Option<Instance>, MetadataError>) -> Result<bool, MetadataError>,
    ) -> Result<(), MetadataError> {
        let Some(folder) = LockedFolder::lock_existing(&self.folder)? else { return Ok(()) };
        if stays(self.read(address))? {
            return Ok(());
        }
        folder.remove(&document(address))?;
        folder.sync()
    }

    /// What an instance is told, for a change that keeps no more of it than the password. A document that is damaged
    /// tells nothing to anybody, and must not be in the way of the whole network.
    fn read_sound(&self, address: Ipv4Addr) -> Result<Option<Instance>, MetadataError> {
        self.read(address).or_else(|error| match error {
            MetadataError::Damaged { .. } => {
                tracing::warn!(%error, "what it held is lost");
                Ok(None)
            }
            error => Err(error),
        })
    }

    /// `restore-network`: the instances are those named, and no others. Passwords are not replayed: one that
    /// an instance has not acknowledged yet stays. An instance without any data keeps what it is told. Where an address
    /// `has_changed_hands`, nothing of what it holds stays.
    pub fn restore(
        &self,
        vms: &[RestoredVm],
        has_changed_hands: impl Fn(&RestoredVm) -> bool,
    ) -> Result<(), MetadataError> {
        let mut given = BTreeMap::new();
        for (index, vm) in vms.iter().enumerate() {
            let instance =
                Instance::from_vm_data(&format!("restore_data.vms[{index}].vm_data"), &vm.vm_data)?;
            if let Some(address) = vm.ip {
                let instance = Instance { nic: Some(vm.mac), ..instance };
                given.insert(address, (instance, vm));
            }
        }
        let folder = LockedFolder::lock(&self.folder)?;
        let mut restored = BTreeMap::new();
        for (address, (instance, vm)) in given {
            let is_its_own =
                |before: &Instance| !before.is_of_other_than(instance.nic) && !has_changed_hands(vm);
            let before = self.read_sound(address)?.filter(is_its_own);
            let instance = match before {
                Some(before) if vm.vm_data.is_empty() => Instance { nic: instance.nic, ..before },
                Some(before) => instance.keeping_password_of(&before),
                None => instance,
            };
            restored.insert(address, instance);
        }
        self.replace_all(&folder, &restored)
    }

    /// `shutdown-network`: forgets everything but passwords that were not acknowledged yet. The server will send
    /// the rest again.
    pub fn clear(&self) -> Result<(), MetadataError> {
        let Some(folder) = LockedFolder::lock_existing(&self.folder)? else { return Ok(()) };
        let mut unread = BTreeMap::new();
        for name in folder.names()? {
            let Some(address) = address(&name) else { continue };
            if let Some(Instance { nic, password: password @ Some(_), .. }) = self.read_sound(address)? {
                unread.insert(address, Instance { nic, password, ..Instance::default() });
            }
        }
        self.replace_all(&folder, &unread)
    }

    /// Wipes a password that the instance has acknowledged, unless it `is_another` by now: one that was set after
    /// the acknowledged one was read must not be lost with it.
    pub fn forget_password(
        &self,
        address: Ipv4Addr,
        is_another: impl FnOnce(&Secret) -> bool,
    ) -> Result<(), MetadataError> {
        let Some(folder) = LockedFolder::lock_existing(&self.folder)? else { return Ok(()) };
        match self.read(address)? {
            Some(Instance { password: Some(password), .. }) if is_another(&password.text) => Ok(()),
            Some(instance) if instance.password.is_some() => {
                self.write(&folder, address, &Instance { password: None, ..instance })
            }
            _ => Ok(()),
        }
    }

    fn change(&self, address: Ipv4Addr, change: impl FnOnce(&mut Instance)) -> Result<(), MetadataError> {
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
        instance: &Instance,
    ) -> Result<(), MetadataError> {
        folder.replace(&document(address), &self.to_document(address, instance)?)?;
        folder.sync()
    }

    fn replace_all(
        &self,
        folder: &LockedFolder,
        instances: &BTreeMap<Ipv4Addr, Instance>,
    ) -> Result<(), MetadataError> {
        self.put_in_place(folder, instances.iter().map(|(address, instance)| (*address, instance)))?;
        let named = |name: &String| address(name).is_some_and(|address| instances.contains_key(&address));
        for name in folder.names()?.iter().filter(|name| !named(name)) {
            folder.remove(name)?;
        }
        folder.sync()
    }

    /// First all new documents are written and made durable at once, then they take their places.
    fn put_in_place<'a>(
        &self,
        folder: &LockedFolder,
        instances: impl Iterator<Item = (Ipv4Addr, &'a Instance)>,
    ) -> Result<(), MetadataError> {
        let mut changed = Vec::new();
        for (address, instance) in instances {
            let bytes = self.to_document(address, instance)?;
            let name = document(address);
            if fs::read(self.folder.join(&name)).is_ok_and(|before| *Zeroizing::new(before) == *bytes) {
                continue;
            }
            folder.stage(&name, &bytes)?;
            changed.push(name);
        }
        if !changed.is_empty() {
            folder.sync_staged()?;
        }
        for name in &changed {
            folder.put_in_place(name)?;
        }
        Ok(())
    }

    fn to_document(
        &self,
        address: Ipv4Addr,
        instance: &Instance,
    ) -> Result<Zeroizing<Vec<u8>>, MetadataError> {
        instance.to_document().map_err(MetadataError::io("write", &self.folder.join(document(address))))
    }
}

impl Instance {
    /// Whether it is told to another NIC than this; what was written for no NIC in particular is anyone's.
    fn is_of_other_than(&self, nic: Option<MacAddr>) -> bool {
        nic.is_some() && self.nic.is_some() && self.nic != nic
    }

    fn keeping_password_of(self, before: &Self) -> Self {
        Self { password: self.password.or_else(|| before.password.clone()), ..self }
    }
}
