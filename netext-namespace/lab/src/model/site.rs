//! The machines of the model, and their addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::cidr::Cidr;

/// What the router is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// An isolated network, with IPv6.
    Isolated,
    /// A VPC with up to three tiers.
    Vpc,
}

/// A guest network. An isolated network has the number 1; the tiers of a VPC have the numbers from 1.
pub(super) type Tier = u8;

/// A place where packets are sent and seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// The gateway of a public VLAN, with the internet behind it.
    Outside(u8),
    /// Another gateway on a public VLAN, to which only an operator's route leads.
    Detour(u8),
    /// The instances of a guest network.
    Guests(Tier),
}

/// The public VLANs.
pub(super) const PUBLIC_VLANS: [u8; 3] = [101, 102, 103];
/// The instances of each guest network, by the last byte of their addresses.
pub(super) const GUESTS: [u8; 5] = [10, 77, 130, 200, 254];
/// A VPC's range.
pub(super) const VPC_RANGE: Ipv4Addr = Ipv4Addr::new(10, 2, 0, 0);

impl Site {
    /// Its guest networks.
    pub(super) fn tiers(self) -> &'static [Tier] {
        match self {
            Self::Isolated => &[1],
            Self::Vpc => &[1, 2, 3],
        }
    }

    /// The router's address in a guest network.
    pub(super) fn gateway(self, tier: Tier) -> Ipv4Addr {
        self.guest(tier, 1)
    }

    /// An address of a guest network.
    pub(super) fn guest(self, tier: Tier, last: u8) -> Ipv4Addr {
        match self {
            Self::Isolated => Ipv4Addr::new(10, 1, 1, last),
            Self::Vpc => Ipv4Addr::new(10, 2, tier, last),
        }
    }

    /// The router's IPv6 address in a guest network, if it has one.
    pub(super) fn ip6_gateway(self) -> Option<Ipv6Addr> {
        (self == Self::Isolated).then_some(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1))
    }

    /// The subnet of a guest network.
    pub(super) fn subnet(self, tier: Tier) -> Cidr {
        Cidr::around(self.gateway(tier), 24)
    }

    /// The guest network that has an address.
    pub(super) fn tier_of(self, address: Ipv4Addr) -> Option<Tier> {
        self.tiers().iter().copied().find(|tier| self.subnet(*tier).contains(address))
    }

    /// The VLAN of a guest network.
    pub(super) fn vlan(self, tier: Tier) -> u16 {
        match self {
            Self::Isolated => 1910,
            Self::Vpc => 2000 + u16::from(tier),
        }
    }

    /// The number in the names of the router's interfaces.
    pub(super) fn router(self) -> u32 {
        match self {
            Self::Isolated => 209,
            Self::Vpc => 7,
        }
    }

    /// The router's interface at a place.
    pub(super) fn interface(self, place: Place) -> String {
        match place {
            Place::Outside(vlan) | Place::Detour(vlan) => format!("vpn-{vlan}-{}", self.router()),
            Place::Guests(tier) => format!("vn-{}-{}", self.vlan(tier), self.router()),
        }
    }
}

/// The number of a public address of a VLAN, counted from 0.
pub(super) fn public_address(vlan: u8, number: u8) -> Ipv4Addr {
    match vlan {
        101 => Ipv4Addr::new(198, 51, 100, 10 + number),
        other => Ipv4Addr::new(198, 18, other, 10 + number),
    }
}

/// The VLAN of a public address.
pub(super) fn public_vlan(address: Ipv4Addr) -> u8 {
    match address.octets() {
        [198, 18, vlan, _] => vlan,
        _ => 101,
    }
}

/// The address of the gateway that only an operator's route leads to.
pub(super) fn detour_address(vlan: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(public_address(vlan, 0)) + 67)
}

/// The IPv4 address, if it is one.
pub(super) fn ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside(vlan) => write!(formatter, "the gateway of public VLAN {vlan}"),
            Self::Detour(vlan) => write!(formatter, "the operator's gateway on public VLAN {vlan}"),
            Self::Guests(tier) => write!(formatter, "the guests of network {tier}"),
        }
    }
}
