//! The instance's network interface that a command is about.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::Ipv6Net;

use crate::wire::object::object;
use crate::{MacAddr, NicId, NicUuid};

object! { group
    /// The instance's network interface that a command is about. No field of it is mandatory: the server sends
    /// nearly all of them, the published README documents few for each command. [`identity`](Self::identity)
    /// says by what the NIC is known.
    ///
    /// Its gateway stands in [`Network::gateway`](crate::Network#structfield.gateway), because the wire has one
    /// field for both.
    pub struct Nic {
        optional {
            /// The NIC's id: the number in the server's database.
            nic_id: NicId = "nic_id",
            /// The NIC's id in the API. The KVM agent writes it as `iface-id` on a port of an overlay.
            nic_uuid: NicUuid = "nic_uuid",
            /// The NIC's hardware address: what a device knows it by.
            mac: MacAddr = "mac",
            /// The NIC's IPv4 address. Absent on layer-2 networks.
            ip: Ipv4Addr = "ip",
            /// The netmask of the NIC's IPv4 address, such as `255.255.255.0`.
            netmask: Ipv4Addr = "netmask",
            /// Whether the instance's default route leaves by this NIC. A NIC with `false` gets no router from DHCP.
            /// Absent means `true`.
            default_nic: bool = "default_nic",
            /// The NIC's place among the instance's NICs, counted from 0.
            device_id: u32 = "device_id",
            /// The NIC's IPv6 address, where it has one.
            ip6_address: Ipv6Addr = "ip6_address" | "nic_ip6_address",
            /// The NIC's IPv6 gateway, where it has IPv6.
            ip6_gateway: Ipv6Addr = "ip6_gateway" | "nic_ip6_gateway",
            /// The IPv6 prefix that the NIC's address belongs to.
            ip6_cidr: Ipv6Net = "ip6_cidr" | "nic_ip6_cidr",
        }
    }
}

/// No NIC in particular.
impl Default for Nic {
    fn default() -> Self {
        Self::new()
    }
}

/// What a NIC is known by, the strongest of what a request says of it: a device looks it up by this.
///
/// ```
/// use netext_protocol::{Command, Envelope, NicIdentity, Request};
///
/// let file = br#"{"payload": {"network_id": "42", "ip": "10.0.0.10", "hostname": "vm-1"}}"#;
/// let Request::AddDnsEntry(request) = Envelope::parse(Command::AddDnsEntry, file)?.request else { unreachable!() };
/// match request.nic.identity() {
///     Some(NicIdentity::Mac(mac)) => println!("the NIC with the hardware address {mac}"),
///     Some(NicIdentity::Address(address)) => assert_eq!(address.to_string(), "10.0.0.10"),
///     Some(other) => println!("the NIC with the {other}"),
///     None => println!("no NIC in particular"),
/// }
/// # Ok::<(), netext_protocol::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NicIdentity {
    /// The hardware address: nothing else of a NIC is as lasting.
    Mac(MacAddr),
    /// An address, the IPv4 address if both families have one. It is the NIC's until another one gets it.
    Address(IpAddr),
    /// The NIC's id in the API.
    Uuid(NicUuid),
    /// The NIC's number in the server's database.
    Id(NicId),
}

impl fmt::Display for NicIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac(mac) => write!(formatter, "MAC address {mac}"),
            Self::Address(address) => write!(formatter, "address {address}"),
            Self::Uuid(uuid) => write!(formatter, "uuid {uuid}"),
            Self::Id(id) => write!(formatter, "id {id}"),
        }
    }
}

/// A field that a command cannot do without, although the protocol does not make it mandatory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("payload.{field}: missing; without it the command has nothing to act on")]
pub struct MissingField {
    field: &'static str,
}

impl MissingField {
    /// The field's name in the payload.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

impl Nic {
    /// What the NIC is known by: its MAC address, else its address, else its uuid, else its number; `None` if
    /// the request says nothing of a NIC.
    pub fn identity(&self) -> Option<NicIdentity> {
        let address = self.ip.map(IpAddr::V4).or(self.ip6_address.map(IpAddr::V6));
        let mac = self.mac.map(NicIdentity::Mac);
        mac.or_else(|| address.map(NicIdentity::Address))
            .or_else(|| self.nic_uuid.clone().map(NicIdentity::Uuid))
            .or_else(|| self.nic_id.map(NicIdentity::Id))
    }

    /// The hardware address, for a command that can do nothing without it.
    pub fn require_mac(&self) -> Result<MacAddr, MissingField> {
        self.mac.ok_or(MissingField { field: "mac" })
    }

    /// The IPv4 address, for a command that can do nothing without it.
    pub fn require_ip(&self) -> Result<Ipv4Addr, MissingField> {
        self.ip.ok_or(MissingField { field: "ip" })
    }
}
