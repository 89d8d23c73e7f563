//! Instances' network interfaces.

use std::net::{Ipv4Addr, Ipv6Addr};

use netext_protocol::{HostName, MacAddr, Nic, NicId, NicUuid, RestoredVm};
use serde::{Deserialize, Deserializer, Serialize};

/// An instance's NIC, as far as commands have described it.
///
/// Any field may be missing: some commands name a NIC by its MAC, others by its address, its uuid or its id alone.
/// [`Nics`](super::Nics) finds the NIC that a command is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestNic {
    /// Its hardware address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddr>,
    /// The server's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nic_id: Option<NicId>,
    /// Its id in the server's API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nic_uuid: Option<NicUuid>,
    /// Its IPv4 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Ipv4Addr>,
    /// Its IPv6 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip6: Option<Ipv6Addr>,
    /// The instance's host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<HostName>,
    /// Whether the instance's default route leaves by it.
    #[serde(default = "yes", skip_serializing_if = "is_so")]
    pub default_nic: bool,
    /// Whether DHCP reserves its addresses.
    #[serde(default = "yes", skip_serializing_if = "is_so")]
    pub reserved: bool,
    /// Whether DNS knows its addresses by the host name.
    #[serde(
        alias = "named",
        default,
        skip_serializing_if = "DnsListing::is_listed",
        deserialize_with = "word_or_flag"
    )]
    pub naming: DnsListing,
}

/// Whether DNS knows a NIC's addresses by the host name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsListing {
    /// It does.
    #[default]
    Listed,
    /// Not yet. The name may be answered already while the NIC has a lease.
    Pending,
    /// Its name was removed from DNS, whether or not it has a lease.
    Removed,
}

impl DnsListing {
    /// Whether it does.
    pub fn is_listed(&self) -> bool {
        *self == Self::Listed
    }
}

/// In state of format 1 it is a flag.
fn word_or_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DnsListing, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum WordOrFlag {
        Word(DnsListing),
        Flag(bool),
    }

    Ok(match WordOrFlag::deserialize(deserializer)? {
        WordOrFlag::Word(naming) => naming,
        WordOrFlag::Flag(true) => DnsListing::Listed,
        WordOrFlag::Flag(false) => DnsListing::Pending,
    })
}

/// The value of a flag that the state omits: there may be thousands of NICs, and nearly all have the same.
fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over like this")]
fn is_so(answer: &bool) -> bool {
    *answer
}

/// A NIC of which nothing is known yet: neither reserved nor named, and the default NIC unless a command says
/// otherwise.
impl Default for GuestNic {
    fn default() -> Self {
        Self {
            mac: None,
            nic_id: None,
            nic_uuid: None,
            ip: None,
            ip6: None,
            hostname: None,
            default_nic: true,
            reserved: false,
            naming: DnsListing::Pending,
        }
    }
}

/// The fields by which a command names a NIC.
#[derive(Clone, Copy, Debug)]
pub(super) struct NicKeys<'a> {
    mac: Option<MacAddr>,
    nic_uuid: Option<&'a NicUuid>,
    nic_id: Option<NicId>,
    ip: Option<Ipv4Addr>,
    ip6: Option<Ipv6Addr>,
}

/// Why a command is about a NIC, weakest reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NicMatch {
    Address,
    Id,
    Uuid,
    Mac,
}

impl<'a> NicKeys<'a> {
    pub(super) fn by(nic: &'a Nic) -> Self {
        Self {
            mac: nic.mac,
            nic_uuid: nic.nic_uuid.as_ref(),
            nic_id: nic.nic_id,
            ip: nic.ip,
            ip6: nic.ip6_address,
        }
    }

    pub(super) fn restored(vm: &'a RestoredVm) -> Self {
        Self {
            mac: Some(vm.mac),
            nic_uuid: vm.nic_uuid.as_ref(),
            nic_id: None,
            ip: vm.ip,
            ip6: vm.ip6_address,
        }
    }

    /// The same without its addresses.
    pub(super) fn without_addresses(self) -> Self {
        Self { ip: None, ip6: None, ..self }
    }

    /// The reason why it is this NIC, if it is. The strongest identity that both have decides. An address decides only
    /// if they have no other in common, because addresses move between NICs.
    pub(super) fn reason(self, known: &GuestNic) -> Option<NicMatch> {
        fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<bool> {
            Some(one? == other?)
        }
        let by = |reason: NicMatch| move |agree: bool| agree.then_some(reason);
        let decided = agree(self.mac, known.mac)
            .map(by(NicMatch::Mac))
            .or_else(|| agree(self.nic_uuid, known.nic_uuid.as_ref()).map(by(NicMatch::Uuid)))
            .or_else(|| agree(self.nic_id, known.nic_id).map(by(NicMatch::Id)));
        decided.unwrap_or_else(|| {
            let shares = agree(self.ip, known.ip) == Some(true) || agree(self.ip6, known.ip6) == Some(true);
            shares.then_some(NicMatch::Address)
        })
    }
}

impl GuestNic {
    /// Applies a command's description of the NIC. Fields that the command omits stay.
    pub(super) fn learn(
        &mut self,
        named: NicKeys<'_>,
        hostname: Option<&HostName>,
        default_nic: Option<bool>,
    ) {
        self.mac = named.mac.or(self.mac);
        self.nic_id = named.nic_id.or(self.nic_id);
        self.nic_uuid = named.nic_uuid.cloned().or_else(|| self.nic_uuid.take());
        self.ip = named.ip.or(self.ip);
        self.ip6 = named.ip6.or(self.ip6);
        self.hostname = hostname.cloned().or_else(|| self.hostname.take());
        self.default_nic = default_nic.unwrap_or(self.default_nic);
    }

    /// The same for an instance that is restored on a network with these services.
    pub(super) fn learn_restored(&mut self, vm: &RestoredVm, dhcp: Option<bool>, dns: Option<bool>) {
        self.learn(NicKeys::restored(vm), vm.hostname.as_ref(), vm.default_nic);
        self.reserved = dhcp.unwrap_or(self.reserved);
        if let Some(dns) = dns {
            self.naming = if dns { DnsListing::Listed } else { DnsListing::Pending };
        }
    }

    /// Adds the content of another record of the same NIC.
    pub(super) fn absorb(&mut self, other: Self) {
        self.mac = self.mac.or(other.mac);
        self.nic_id = self.nic_id.or(other.nic_id);
        self.nic_uuid = self.nic_uuid.take().or(other.nic_uuid);
        self.ip = self.ip.or(other.ip);
        self.ip6 = self.ip6.or(other.ip6);
        self.hostname = self.hostname.take().or(other.hostname);
        self.default_nic &= other.default_nic;
        self.reserved |= other.reserved;
        if self.naming == DnsListing::Pending {
            self.naming = other.naming;
        }
    }

    /// Gives up the addresses by which another NIC was named. Returns false if it loses its last one.
    pub(super) fn give_up_addresses(&mut self, other: NicKeys<'_>) -> bool {
        let (has_ip, has_ip6) = (self.ip.is_some(), self.ip6.is_some());
        self.ip = self.ip.filter(|ip| Some(*ip) != other.ip);
        self.ip6 = self.ip6.filter(|ip6| Some(*ip6) != other.ip6);
        let (lost_ip, lost_ip6) = (has_ip && self.ip.is_none(), has_ip6 && self.ip6.is_none());
        !(lost_ip || lost_ip6) || self.ip.is_some() || self.ip6.is_some()
    }
}
