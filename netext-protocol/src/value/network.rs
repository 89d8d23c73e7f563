//! The segment, kind and state of a network.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::wire::field::text_type;
use crate::wire::text::Text;
use crate::wire::words::{choices, open_words};

/// The layer-2 segment of a network or a public address.
///
/// On the wire it is the part of a broadcast URI after `://` (`1910`, or a name such as `cs-net-42` for an
/// overlay), or a whole URI (`vlan://101`, `vlan://untagged`, `vxlan://5000`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Segment {
    /// The untagged traffic of the physical network.
    Untagged,
    /// An 802.1Q VLAN, 1 to 4094.
    Vlan(u16),
    /// A VXLAN by its network identifier, up to 2^24 - 1. A bare number above 4094 means a VXLAN.
    Vxlan(u32),
    /// A segment of an overlay, by name: up to 255 letters, digits and `-_.:`, beginning with a letter or
    /// digit, without `..`.
    Named(String),
}

const LAST_VLAN: u32 = 4094;
const LAST_VXLAN: u32 = (1 << 24) - 1;

impl Segment {
    fn from_number(number: u32) -> Option<Self> {
        match number {
            1..=LAST_VLAN => u16::try_from(number).ok().map(Self::Vlan),
            _ => Self::from_vxlan(number),
        }
    }

    fn from_vxlan(number: u32) -> Option<Self> {
        (1..=LAST_VXLAN).contains(&number).then_some(Self::Vxlan(number))
    }

    fn from_name(name: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(plain)
            && !name.contains("..")
            && name.len() <= 255;
        is_name.then(|| Self::Named(name.to_owned()))
    }

    /// Reads the part after `://`, or a bare value. A number out of range is not a name either.
    fn from_bare(text: &str) -> Option<Self> {
        match text {
            _ if text.eq_ignore_ascii_case("untagged") => Some(Self::Untagged),
            _ if text.bytes().all(|byte| byte.is_ascii_digit()) => Self::from_number(text.parse().ok()?),
            _ => Self::from_name(text),
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untagged => formatter.write_str("untagged"),
            Self::Vlan(id) => id.fmt(formatter),
            Self::Vxlan(id) if *id > LAST_VLAN => id.fmt(formatter),
            Self::Vxlan(id) => write!(formatter, "vxlan://{id}"),
            Self::Named(name) => name.fmt(formatter),
        }
    }
}

impl Text for Segment {
    const EXPECTED: &'static str =
        "a segment such as 1910, vlan://101, vlan://untagged, vxlan://5000 or a name";
    const PATTERN: Option<&'static str> =
        Some("^(([Vv][Ll][Aa][Nn]|[Vv][Xx][Ll][Aa][Nn])://)?[0-9A-Za-z][0-9A-Za-z_.:-]{0,254}$");

    fn parse_text(text: &str) -> Option<Self> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Self::from_bare(text);
        };
        match scheme.to_ascii_lowercase().as_str() {
            "vlan" => match Self::from_bare(rest)? {
                segment @ (Self::Vlan(_) | Self::Untagged) => Some(segment),
                _ => None,
            },
            "vxlan" => Self::from_vxlan(u32::parse_text(rest)?),
            // Never guess where packets go.
            _ => None,
        }
    }

    /// A bare number is always a VLAN, so that readers need not know the range of VLAN numbers.
    fn write_strict<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Vxlan(id) => serializer.collect_str(&format_args!("vxlan://{id}")),
            other => serializer.collect_str(other),
        }
    }

    #[cfg(feature = "schema")]
    fn strict_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::wire::json_schema::strict_text(Some("^(vxlan://)?[0-9A-Za-z][0-9A-Za-z_.:-]{0,254}$"), false)
    }
}

text_type!(Segment);

choices! {
    /// The kind of a network. An unknown kind is refused, because routing and filtering depend on it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    GuestType = "a guest type (isolated, shared, l2)",
        "^([Ii][Ss][Oo][Ll][Aa][Tt][Ee][Dd]|[Ss][Hh][Aa][Rr][Ee][Dd]|[Ll]2)$" {
        /// A network behind a router of its own, with NAT and firewall; also a tier of a VPC.
        Isolated = "isolated",
        /// A network that the data centre routes; the extension provides only DHCP, DNS and user data.
        Shared = "shared",
        /// A bare segment: no addresses, no services.
        L2 = "l2",
    }
}

open_words! {
    /// The server's state of a network at the time of the command.
    NetworkState = "a state; newer servers may have others", or "A state that this version of the protocol does not know." {
        /// Exists only in the database.
        Allocated = "allocated",
        /// Set up, not yet implemented.
        Setup = "setup",
        /// Being implemented.
        Implementing = "implementing",
        /// In use.
        Implemented = "implemented",
        /// Being shut down; may be implemented again.
        Shutdown = "shutdown",
        /// Being destroyed.
        Destroy = "destroy",
    }
    /// The server's state of a VPC at the time of the command.
    VpcState = "a state; newer servers may have others", or "A state that this version of the protocol does not know." {
        /// In use.
        Enabled = "enabled",
        /// Being removed.
        Inactive = "inactive",
    }
    /// The kind of a network's broadcast domain, by the server's name. It tells the hypervisor's agent how to
    /// attach an instance's NIC.
    ///
    /// A server logs and ignores an unknown name, but stores the URI beside it. The agent then attaches NICs
    /// as before, to a segment that it does not understand.
    ///
    /// ```
    /// use netext_protocol::BroadcastDomainType;
    ///
    /// assert_eq!(BroadcastDomainType::from("Lswitch"), BroadcastDomainType::Lswitch);
    /// // The server compares names without regard to case.
    /// assert_eq!(BroadcastDomainType::from("lswitch"), BroadcastDomainType::Lswitch);
    /// assert_eq!(BroadcastDomainType::from("l2"), BroadcastDomainType::Other("l2".to_owned()));
    /// ```
    BroadcastDomainType = "a kind of broadcast domain", or "A name that this version of the protocol does not know." {
        /// An 802.1Q VLAN: `vlan://1910`.
        Vlan = "Vlan",
        /// A switch of a hypervisor, without a tag. An L2 device on a Mac prints this.
        Vswitch = "Vswitch",
        /// The VLANs of the hypervisor's own networking.
        Vnet = "Vnet",
        /// A logical switch of an overlay: `ovn://cs-net-42`. The KVM agent then writes the NIC's uuid as
        /// `iface-id`, which OVN needs to bind the port.
        Lswitch = "Lswitch",
        /// A MidoNet bridge.
        Mido = "Mido",
        /// A private VLAN.
        Pvlan = "Pvlan",
        /// A VXLAN: `vxlan://5000`.
        Vxlan = "Vxlan",
        /// A virtual cluster switch.
        Vcs = "Vcs",
        /// Not decided yet.
        UnDecided = "UnDecided",
        /// A network of an OpenDaylight controller.
        OpenDaylight = "OpenDaylight",
        /// A network of Tungsten Fabric.
        Tungsten = "TUNGSTEN",
        /// A segment of VMware NSX.
        Nsx = "NSX",
        /// A network of a Netris controller.
        Netris = "Netris",
    }
}

text_type!(NetworkState, VpcState);

impl FromStr for BroadcastDomainType {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(name.into())
    }
}

impl Serialize for BroadcastDomainType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for BroadcastDomainType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}
