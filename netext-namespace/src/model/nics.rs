//! The NICs of a guest network's instances, and which of them a command is about.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::mem;
use std::net::Ipv4Addr;

use netext_protocol::{HostName, MacAddr, Nic, NicId, NicUuid, RestoreData, RestoredVm};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::GuestNic;
use super::nic::Named;

/// The NICs of a guest network's instances, in the order in which commands named them for the first time.
///
/// A command is about the NIC of its MAC. Where either side has no MAC, the uuid decides, then the id, then the
/// address. An address has one owner: whoever is named by it last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Nics(Vec<GuestNic>);

impl Nics {
    /// The NICs.
    pub fn iter(&self) -> impl Iterator<Item = &GuestNic> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The NIC that a command is about, if it is known.
    pub fn find(&self, nic: &Nic) -> Option<&GuestNic> {
        self.position(Named::by(nic)).map(|index| &self.0[index])
    }

    /// The same, to be changed.
    pub fn find_mut(&mut self, nic: &Nic) -> Option<&mut GuestNic> {
        self.position(Named::by(nic)).map(|index| &mut self.0[index])
    }

    /// The NIC that has an address.
    pub fn holder(&self, address: Ipv4Addr) -> Option<&GuestNic> {
        self.0.iter().find(|nic| nic.ip == Some(address))
    }

    /// The NIC that a command is about, with what the command says about it; `None` if the command names no NIC.
    ///
    /// Records that turn out to be the same NIC become one. Other NICs lose the address that this one has.
    pub fn learn(&mut self, nic: &Nic, hostname: Option<&HostName>) -> Option<&mut GuestNic> {
        nic.identity()?;
        let named = Named::by(nic);
        let index = self.position(named).unwrap_or_else(|| {
            self.0.push(GuestNic::default());
            self.0.len() - 1
        });
        let mut learned = mem::take(&mut self.0[index]);
        let (mut seen, mut kept, mut place) = (0, 0, 0);
        self.0.retain_mut(|other| {
            let stays = if seen == index {
                place = kept;
                true
            } else if named.reason(other).is_some()
                && other.mac.is_none_or(|mac| learned.mac.is_none_or(|own| own == mac))
            {
                learned.absorb(mem::take(other));
                false
            } else {
                other.give_up_addresses(named)
            };
            seen += 1;
            kept += usize::from(stays);
            stays
        });
        learned.learn(nic, hostname);
        self.0[place] = learned;
        Some(&mut self.0[place])
    }

    /// Forgets the NIC that a command is about; tells by which ids it was known.
    pub fn forget(&mut self, nic: &Nic) -> Vec<NicId> {
        let named = Named::by(nic);
        let gone = self.0.extract_if(.., |known| named.reason(known).is_some());
        gone.filter_map(|nic| nic.nic_id).collect()
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The NICs are those that are restored, and no others. What was known of them and is not said stays.
    pub fn restore(&mut self, data: &RestoreData) {
        let mut known = Known::of(mem::take(&mut self.0));
        let mut restored: BTreeMap<MacAddr, GuestNic> = BTreeMap::new();
        for vm in &data.vms {
            let nic = restored.entry(vm.mac).or_insert_with(|| known.take(vm));
            nic.learn_restored(vm, data.dhcp_enabled, data.dns_enabled);
        }
        self.0 = restored.into_values().collect();
    }

    fn position(&self, named: Named<'_>) -> Option<usize> {
        let found =
            self.0.iter().enumerate().filter_map(|(index, known)| Some((named.reason(known)?, index)));
        // Of several, the first of the best reason.
        found.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, index)| index)
    }
}

/// NICs to be found one after the other, thousands of them.
struct Known {
    macs: HashMap<MacAddr, GuestNic>,
    uuids: HashMap<NicUuid, GuestNic>,
    addresses: HashMap<Ipv4Addr, GuestNic>,
}

impl Known {
    fn of(nics: Vec<GuestNic>) -> Self {
        let mut known = Self { macs: HashMap::new(), uuids: HashMap::new(), addresses: HashMap::new() };
        for nic in nics {
            match &nic {
                GuestNic { mac: Some(mac), .. } => drop(known.macs.insert(*mac, nic)),
                GuestNic { nic_uuid: Some(uuid), .. } => drop(known.uuids.insert(uuid.clone(), nic)),
                GuestNic { ip: Some(ip), .. } => drop(known.addresses.insert(*ip, nic)),
                _ => {}
            }
        }
        known
    }

    /// What is known of an instance that is restored.
    fn take(&mut self, vm: &RestoredVm) -> GuestNic {
        let by_mac = self.macs.remove(&vm.mac);
        let by_uuid = || self.uuids.remove(vm.nic_uuid.as_ref()?);
        by_mac.or_else(by_uuid).or_else(|| self.addresses.remove(&vm.ip?)).unwrap_or_default()
    }
}

impl FromIterator<GuestNic> for Nics {
    fn from_iter<I: IntoIterator<Item = GuestNic>>(nics: I) -> Self {
        Self(nics.into_iter().collect())
    }
}

/// A list. State of format 1 has an object instead, whose keys are the NICs' hardware addresses.
impl<'de> Deserialize<'de> for Nics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListOrObject;

        impl<'de> Visitor<'de> for ListOrObject {
            type Value = Nics;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of NICs")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Nics, A::Error> {
                let mut nics = Vec::new();
                while let Some(nic) = list.next_element()? {
                    nics.push(nic);
                }
                Ok(Nics(nics))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Nics, A::Error> {
                let mut nics = Vec::new();
                while let Some((mac, nic)) = object.next_entry::<MacAddr, GuestNic>()? {
                    nics.push(GuestNic { mac: Some(mac), ..nic });
                }
                Ok(Nics(nics))
            }
        }

        deserializer.deserialize_any(ListOrObject)
    }
}
