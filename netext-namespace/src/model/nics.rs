//! The NICs of a guest network's instances, and which of them a command is about.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::mem;
use std::net::Ipv4Addr;

use netext_protocol::{HostName, MacAddr, Nic, NicId, NicUuid, RestoreData, RestoredVm};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::GuestNic;
use super::nic::NicKeys;

/// The NICs of a guest network's instances, in the order in which commands first named them.
///
/// A command is about the NIC of its MAC. Where either side has no MAC, the uuid decides, then the id, then the
/// address. An address has one owner: the NIC that was named by it last.
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
        self.position(NicKeys::by(nic)).map(|index| &self.0[index])
    }

    /// The same, to be changed.
    pub fn find_mut(&mut self, nic: &Nic) -> Option<&mut GuestNic> {
        self.position(NicKeys::by(nic)).map(|index| &mut self.0[index])
    }

    /// The NIC that uses an address: the one that a command is about, another one, or none.
    pub fn address_use(&self, address: Ipv4Addr, nic: &Nic) -> AddressUse {
        self.address_use_by(address, NicKeys::by(nic))
    }

    fn address_use_by(&self, address: Ipv4Addr, named: NicKeys<'_>) -> AddressUse {
        match self.0.iter().find(|nic| nic.ip == Some(address)) {
            None => AddressUse::Free,
            Some(user) if named.reason(user).is_some() => AddressUse::SameNic,
            Some(_) => AddressUse::OtherNic,
        }
    }

    /// Whether another known NIC has the address of a restored NIC.
    pub fn is_anothers(&self, vm: &RestoredVm) -> bool {
        let named = NicKeys::restored(vm).without_addresses();
        vm.ip.is_some_and(|address| self.address_use_by(address, named) == AddressUse::OtherNic)
    }

    /// Whether a command about a NIC comes late: the NIC has another address by now, or its address another NIC.
    pub fn is_late(&self, nic: &Nic) -> bool {
        let Some(address) = nic.ip else { return false };
        let has_moved = self.find(nic).is_some_and(|known| known.ip.is_some_and(|ip| ip != address));
        has_moved || self.address_use(address, nic) == AddressUse::OtherNic
    }

    /// The NIC that a command is about, after the command's description is applied; `None` if the command names no NIC.
    ///
    /// Records that prove to be of the same NIC are merged. Other NICs lose the addresses of this one.
    pub fn learn(&mut self, nic: &Nic, hostname: Option<&HostName>) -> Option<&mut GuestNic> {
        nic.identity()?;
        let named = NicKeys::by(nic);
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
        learned.learn(named, hostname, nic.default_nic);
        self.0[place] = learned;
        Some(&mut self.0[place])
    }

    /// Forgets the NIC that a command is about, and returns its ids.
    pub fn forget(&mut self, nic: &Nic) -> Vec<NicId> {
        let named = NicKeys::by(nic);
        let (gone, kept): (Vec<_>, _) =
            mem::take(&mut self.0).into_iter().partition(|known| named.reason(known).is_some());
        self.0 = kept;
        gone.into_iter().filter_map(|nic| nic.nic_id).collect()
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Keeps the restored NICs and no others. Fields that the command omits stay.
    pub fn restore(&mut self, data: &RestoreData) {
        let mut known = KnownNics::of(mem::take(&mut self.0));
        let mut restored: BTreeMap<MacAddr, GuestNic> = BTreeMap::new();
        for vm in &data.vms {
            let nic = restored.entry(vm.mac).or_insert_with(|| known.take(vm));
            nic.learn_restored(vm, data.dhcp_enabled, data.dns_enabled);
        }
        self.0 = restored.into_values().collect();
    }

    fn position(&self, named: NicKeys<'_>) -> Option<usize> {
        let found =
            self.0.iter().enumerate().filter_map(|(index, known)| Some((named.reason(known)?, index)));
        // Of several, the first with the best reason.
        found.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, index)| index)
    }
}

/// The NIC that uses an address, in relation to the NIC that a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressUse {
    /// No known NIC.
    Free,
    /// The NIC that the command is about.
    SameNic,
    /// Another NIC.
    OtherNic,
}

/// Known NICs, indexed so that thousands of them are found quickly.
struct KnownNics {
    macs: HashMap<MacAddr, GuestNic>,
    uuids: HashMap<NicUuid, GuestNic>,
    addresses: HashMap<Ipv4Addr, GuestNic>,
}

impl KnownNics {
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

    /// The known NIC of an instance that is restored.
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

/// A list. In state of format 1 it is an object whose keys are the NICs' hardware addresses.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn nic(mac: u8, uuid: &str, ip: u8) -> Nic {
        let mut nic = Nic::new();
        nic.mac = (mac > 0).then(|| MacAddr::new([2, 0, 0, 0, 0, mac]));
        nic.nic_uuid = uuid.parse().ok();
        nic.ip = (ip > 0).then(|| Ipv4Addr::new(10, 1, 1, ip));
        nic
    }

    fn known(nics: &Nics) -> Vec<(u8, &str, u8)> {
        nics.iter()
            .map(|nic| {
                let mac = nic.mac.map_or(0, |mac| mac.octets()[5]);
                let uuid = nic.nic_uuid.as_ref().map_or("", NicUuid::as_str);
                (mac, uuid, nic.ip.map_or(0, |ip| ip.octets()[3]))
            })
            .collect()
    }

    fn learned(commands: &[(u8, &str, u8)]) -> Nics {
        let mut nics = Nics::default();
        for (mac, uuid, ip) in commands {
            nics.learn(&nic(*mac, uuid, *ip), None);
        }
        nics
    }

    #[test]
    fn a_command_is_about_the_nic_of_the_strongest_identity_that_both_have() {
        for (commands, expected) in [
            // One NIC, by any of its names.
            (&[(1, "a", 10), (1, "", 0), (0, "a", 0), (0, "", 10)][..], vec![(1, "a", 10)]),
            // Records are merged.
            (&[(0, "a", 0), (0, "", 10), (1, "a", 10)], vec![(1, "a", 10)]),
            (&[(0, "", 10), (1, "", 10)], vec![(1, "", 10)]),
            // It moves.
            (&[(1, "a", 10), (1, "", 11)], vec![(1, "a", 11)]),
            (&[(1, "a", 10), (0, "a", 11)], vec![(1, "a", 11)]),
            // An address moves to another NIC, and a NIC without any is gone.
            (&[(1, "a", 10), (2, "b", 10)], vec![(2, "b", 10)]),
            (&[(1, "a", 10), (0, "b", 10)], vec![(0, "b", 10)]),
            (&[(0, "a", 10), (0, "b", 10), (0, "", 10)], vec![(0, "b", 10)]),
            // Others stay as they are.
            (
                &[(1, "a", 10), (2, "b", 11), (3, "c", 0), (2, "", 12)],
                vec![(1, "a", 10), (2, "b", 12), (3, "c", 0)],
            ),
            // The command names no NIC.
            (&[(1, "a", 10), (0, "", 0)], vec![(1, "a", 10)]),
        ] {
            assert_eq!(known(&learned(commands)), expected, "{commands:?}");
        }
    }

    #[test]
    fn two_macs_are_two_nics_even_with_the_same_uuid() {
        let nics = learned(&[(1, "a", 10), (2, "a", 11), (0, "a", 0)]);
        assert_eq!(known(&nics), [(1, "a", 10), (2, "a", 11)]);
    }

    #[test]
    fn a_dual_stack_nic_that_loses_one_address_keeps_the_other() {
        let mut nics = Nics::default();
        let mut dual = nic(1, "", 10);
        dual.ip6_address = "2001:db8::10".parse().ok();
        nics.learn(&dual, None);
        nics.learn(&nic(2, "", 10), None);
        assert_eq!(known(&nics), [(1, "", 0), (2, "", 10)]);
        assert_eq!(nics.iter().next().unwrap().ip6, dual.ip6_address);
    }
}
