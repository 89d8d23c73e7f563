//! The groups of fields that many payloads share: what a command is about.

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
            /// The layer-2 segment that guests are on: what follows `://` in the network's broadcast URI. A number is
            /// a VLAN (1 to 4094) or a VXLAN (above), another text is the name of a segment that its owner knows.
            /// Absent for a flat network, and possibly on a repeated `implement-network`.
            vlan: Segment = "vlan",
            /// The zone's id: the number in the server's database.
            zone_id: ZoneId = "zone_id",
            /// The kind of network, in any case. Another word is refused.
            guest_type: GuestType = "guest_type",
            /// The server's state of the network at the time of the command, in any case. Older servers do not send
            /// it, and newer ones may send other words.
            network_state: NetworkState = "network_state",
            /// The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in
            /// another IP range of a shared network.
            gateway: Ipv4Addr = "gateway",
            /// The guests' IPv4 subnet. About a VPC as a whole some senders call `vpc_cidr` so.
            cidr: Ipv4Net = "cidr",
            /// The id of the VPC, if the network is a tier of one: the number in the server's database.
            vpc_id: VpcId = "vpc_id",
            /// The guests' IPv6 gateway, where the network has IPv6.
            network_ip6_gateway: Ipv6Addr = "network_ip6_gateway",
            /// The guests' IPv6 prefix, where the network has IPv6.
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
            /// The server's state of the VPC at the time of the command, in any case. Older servers do not send it,
            /// and newer ones may send other words.
            vpc_state: VpcState = "vpc_state",
            /// The IPv4 address range that the subnets of the tiers are taken from.
            vpc_cidr: Ipv4Net = "vpc_cidr" | older "cidr",
        }
    }
}

/// What a command is about when it may be either a network or a VPC: a payload without `network_id` is
/// about the VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// A network, possibly a tier of a VPC.
    Network(Network),
    /// A VPC as a whole.
    Vpc(Vpc),
}

impl Subject {
    /// The network, if it is about one.
    pub fn network(&self) -> Option<&Network> {
        match self {
            Self::Network(network) => Some(network),
            Self::Vpc(_) => None,
        }
    }

    /// The VPC that it is about or that the network is a tier of.
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

/// Which of the two it is shows at the end only, so what both have in common is read as the network's.
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
    /// The public address that a command is about, and the segment that it lives on.
    pub struct PublicIp {
        required {
            /// The public IPv4 address.
            public_ip: Ipv4Addr = "public_ip",
        }
        optional {
            /// The segment of the public address: `vlan://101` or `101` for a VLAN, `vxlan://5000`, `vlan://untagged`.
            /// Absent means untagged.
            public_vlan: Segment = "public_vlan",
            /// The gateway of the public subnet: the way to the outside.
            public_gateway: Ipv4Addr = "public_gateway",
            /// The public subnet: its network or any address of it, with the prefix length, such as
            /// `198.51.100.10/24`.
            public_cidr: Ipv4Net = "public_cidr",
            /// Whether the public address is the source NAT address: guests without a public address of their own
            /// leave by it. Absent says nothing; see [`is_source_nat`](Self::is_source_nat).
            source_nat: bool = "source_nat",
        }
    }
}

impl PublicIp {
    /// Whether the command says that guests without a public address of their own leave by this one.
    pub fn is_source_nat(&self) -> bool {
        self.source_nat == Some(true)
    }
}

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

object! { group
    /// What guests are told about name resolution.
    pub struct Resolvers {
        optional {
            /// The network's DNS domain: instances are `<hostname>.<domain>`. Empty where the capability
            /// `Dns.AllowDnsSuffixModification` is not declared.
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

/// Nothing is told.
impl Default for Resolvers {
    fn default() -> Self {
        Self::new()
    }
}
