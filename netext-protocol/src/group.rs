//! The groups of fields that many payloads share: network, VPC, public address, NIC and resolvers.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde::de::{self, MapAccess};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::value::identifier::{AddressList, DomainName, MacAddr, NetworkId, NicId, NicUuid, VpcId, ZoneId};
use crate::value::network::{GuestType, NetworkState, Segment, VpcState};
use crate::wire::field::WriteStyle;
use crate::wire::fields::Fields;
use crate::wire::object::object;

object! { group
    /// The network that a command is about: an isolated, shared or layer-2 network, or a tier of a VPC.
    pub struct Network {
        required {
            /// The network's id: the number in the server's database, the same in every command.
            network_id: NetworkId = "network_id",
        }
        optional {
            /// The layer-2 segment of the guests: the part after `://` in the network's broadcast URI. A
            /// number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's
            /// segment. Absent for a flat network, and possibly on a repeated `implement-network`.
            vlan: Segment = "vlan",
            /// The zone's id: the number in the server's database.
            zone_id: ZoneId = "zone_id",
            /// The kind of network, in any case. Another word is refused.
            guest_type: GuestType = "guest_type",
            /// The server's state of the network at the time of the command, in any case. Older servers do
            /// not send it, and newer ones may send other words.
            network_state: NetworkState = "network_state",
            /// The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs
            /// in another IP range of a shared network.
            gateway: Ipv4Addr = "gateway",
            /// The guests' IPv4 subnet. In commands about a VPC, some senders use this name for `vpc_cidr`.
            cidr: Ipv4Net = "cidr",
            /// The id of the network's VPC, if the network is a tier: the number in the server's database.
            vpc_id: VpcId = "vpc_id",
            /// The guests' IPv6 gateway, if the network has IPv6.
            network_ip6_gateway: Ipv6Addr = "network_ip6_gateway",
            /// The guests' IPv6 prefix, if the network has IPv6.
            network_ip6_cidr: Ipv6Net = "network_ip6_cidr",
        }
    }
}

object! { group
    /// The virtual private cloud that a command is about.
    pub struct Vpc {
        required {
            /// The VPC's id: the number in the server's database, the same in every command.
            vpc_id: VpcId = "vpc_id",
        }
        optional {
            /// The zone's id: the number in the server's database.
            zone_id: ZoneId = "zone_id",
            /// The server's state of the VPC at the time of the command, in any case. Older servers do not
            /// send it, and newer ones may send other words.
            vpc_state: VpcState = "vpc_state",
            /// The IPv4 address range of the tiers: their subnets are parts of it.
            vpc_cidr: Ipv4Net = "vpc_cidr" | older "cidr",
        }
    }
}

/// The subject of a command that may be about a network or a VPC. A payload without `network_id` is about the
/// VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// A network, possibly a tier of a VPC.
    Network(Network),
    /// A VPC as a whole.
    Vpc(Vpc),
}

impl Subject {
    /// The network, if the command is about one.
    pub fn network(&self) -> Option<&Network> {
        match self {
            Self::Network(network) => Some(network),
            Self::Vpc(_) => None,
        }
    }

    /// The VPC, or the VPC of the network if that is a tier.
    pub fn vpc_id(&self) -> Option<VpcId> {
        match self {
            Self::Network(network) => network.vpc_id,
            Self::Vpc(vpc) => Some(vpc.vpc_id),
        }
    }
}

impl From<Network> for Subject {
    fn from(network: Network) -> Self {
        Self::Network(network)
    }
}

impl From<Vpc> for Subject {
    fn from(vpc: Vpc) -> Self {
        Self::Vpc(vpc)
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Network(network) => network.serialize(serializer),
            Self::Vpc(vpc) => vpc.serialize(serializer),
        }
    }
}

/// The subject is known only after the last field, so fields that both have are read as the network's.
impl Fields for Subject {
    type Partial = (<Network as Fields>::Partial, <Vpc as Fields>::Partial);

    fn take<'de, A: MapAccess<'de>>(
        (network, vpc): &mut Self::Partial,
        key: &str,
        entries: &mut A,
    ) -> Result<bool, A::Error> {
        Ok(Network::take(network, key, entries)? || Vpc::take(vpc, key, entries)?)
    }

    fn is_present((network, vpc): &Self::Partial) -> bool {
        Network::is_present(network) || network.vpc_id.is_some() || Vpc::is_present(vpc)
    }

    fn finish<E: de::Error>((network, mut vpc): Self::Partial) -> Result<Self, E> {
        if Network::is_present(&network) {
            return Network::finish(network).map(Self::Network);
        }
        if network.vpc_id.is_none() {
            return Err(E::custom("neither `network_id` nor `vpc_id` is given"));
        }
        vpc.vpc_id = network.vpc_id;
        vpc.zone_id = network.zone_id;
        if network.cidr.is_some() && vpc.vpc_cidr.is_some() && network.cidr != vpc.vpc_cidr {
            return Err(E::custom("`cidr` and `vpc_cidr` of a VPC differ"));
        }
        vpc.vpc_cidr = vpc.vpc_cidr.or(network.cidr);
        Vpc::finish(vpc).map(Self::Vpc)
    }

    fn write<S: SerializeMap>(&self, style: WriteStyle, object: &mut S) -> Result<(), S::Error> {
        match self {
            Self::Network(network) => network.write(style, object),
            Self::Vpc(vpc) => vpc.write(style, object),
        }
    }

    #[cfg(feature = "schema")]
    fn describe(
        schema: &mut crate::wire::json_schema::ObjectSchema,
        generator: &mut schemars::SchemaGenerator,
    ) {
        schema.optional_group(|schema| Network::describe(schema, generator));
        schema.optional_group(|schema| Vpc::describe(schema, generator));
        schema.one_of(&["network_id", "vpc_id"]);
    }
}

object! { group
    /// The public address that a command is about, with its segment.
    pub struct PublicIp {
        required {
            /// The public IPv4 address.
            public_ip: Ipv4Addr = "public_ip",
        }
        optional {
            /// The segment of the public address: `vlan://101` or `101` for a VLAN, `vxlan://5000`,
            /// `vlan://untagged`. Absent means untagged.
            public_vlan: Segment = "public_vlan",
            /// The gateway of the public subnet.
            public_gateway: Ipv4Addr = "public_gateway",
            /// The public subnet: the network or any address in it, with the prefix length, such as
            /// `198.51.100.10/24`.
            public_cidr: Ipv4Net = "public_cidr",
            /// Whether this is the source NAT address, which guests without a public address of their own
            /// use. See [`is_source_nat`](Self::is_source_nat).
            source_nat: bool = "source_nat",
        }
    }
}

impl PublicIp {
    /// Whether the command names this as the source NAT address. An absent field means no.
    pub fn is_source_nat(&self) -> bool {
        self.source_nat == Some(true)
    }
}

object! { group
    /// The instance's network interface that a command is about. Every field is optional: the server sends
    /// nearly all of them, the published README documents only a few for each command.
    /// [`identity`](Self::identity) returns the best identifier that is present.
    ///
    /// The NIC's gateway is in [`Network::gateway`](crate::Network#structfield.gateway), because the wire has
    /// one field for both.
    pub struct Nic {
        optional {
            /// The NIC's id: the number in the server's database.
            nic_id: NicId = "nic_id",
            /// The NIC's id in the API. The KVM agent writes it as `iface-id` on a port of an overlay.
            nic_uuid: NicUuid = "nic_uuid",
            /// The NIC's hardware address, by which a device identifies it.
            mac: MacAddr = "mac",
            /// The NIC's IPv4 address. Absent on layer-2 networks.
            ip: Ipv4Addr = "ip",
            /// The netmask of the NIC's IPv4 address, such as `255.255.255.0`.
            netmask: Ipv4Addr = "netmask",
            /// Whether this NIC carries the instance's default route. A NIC with `false` gets no router from
            /// DHCP. Absent means `true`.
            default_nic: bool = "default_nic",
            /// The NIC's place among the instance's NICs, counted from 0.
            device_id: u32 = "device_id",
            /// The NIC's IPv6 address, if it has one.
            ip6_address: Ipv6Addr = "ip6_address" | "nic_ip6_address",
            /// The NIC's IPv6 gateway, if it has IPv6.
            ip6_gateway: Ipv6Addr = "ip6_gateway" | "nic_ip6_gateway",
            /// The IPv6 prefix of the NIC's address.
            ip6_cidr: Ipv6Net = "ip6_cidr" | "nic_ip6_cidr",
        }
    }
}

/// A NIC without any field.
impl Default for Nic {
    fn default() -> Self {
        Self::new()
    }
}

/// The identifier by which a device looks a NIC up: the best one that a request names.
///
/// ```
/// use netext_protocol::{Command, Envelope, NicIdentity, Request};
///
/// let file = br#"{"payload": {"network_id": "42", "ip": "10.0.0.10", "hostname": "vm-1"}}"#; let
/// Request::AddDnsEntry(request) = Envelope::parse(Command::AddDnsEntry, file)?.request else { unreachable!()
/// }; match request.nic.identity() {
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
    /// The hardware address, which lasts longest.
    Mac(MacAddr),
    /// The IPv4 address, otherwise the IPv6 address. It belongs to the NIC until another NIC gets it.
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

/// The error for an absent field that is optional in the protocol, but that the command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("payload.{field}: missing; the command cannot act without it")]
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
    /// The best identifier of the NIC: its MAC address, otherwise its IP address, its uuid, or its number;
    /// `None` if the request names no NIC.
    pub fn identity(&self) -> Option<NicIdentity> {
        let address = self.ip.map(IpAddr::V4).or(self.ip6_address.map(IpAddr::V6));
        let mac = self.mac.map(NicIdentity::Mac);
        mac.or_else(|| address.map(NicIdentity::Address))
            .or_else(|| self.nic_uuid.clone().map(NicIdentity::Uuid))
            .or_else(|| self.nic_id.map(NicIdentity::Id))
    }

    /// The hardware address, for a command that needs it.
    pub fn require_mac(&self) -> Result<MacAddr, MissingField> {
        self.mac.ok_or(MissingField { field: "mac" })
    }

    /// The IPv4 address, for a command that needs it.
    pub fn require_ip(&self) -> Result<Ipv4Addr, MissingField> {
        self.ip.ok_or(MissingField { field: "ip" })
    }
}

object! { group
    /// The resolvers and the domain for guests.
    pub struct Resolvers {
        optional {
            /// The network's DNS domain: instances are `<hostname>.<domain>`. Empty unless the device
            /// declares the capability `Dns.AllowDnsSuffixModification`.
            domain: DomainName = "domain",
        }
        defaulted {
            /// The resolvers for guests, in order of preference.
            dns: AddressList = "dns",
            /// The resolvers with IPv6 addresses, in order of preference.
            dns6: AddressList = "dns6",
        }
    }
}

/// No resolver and no domain.
impl Default for Resolvers {
    fn default() -> Self {
        Self::new()
    }
}
