//! Elements of the packet rules' sets and maps, and tracked connections.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::model::InterfaceName;

/// The table of packet rules in every router's namespace.
pub const PACKET_TABLE: &str = "inet netext";

/// The generation of a namespace's packet rules. As long as the kernel has the same one, no process has changed them.
///
/// The kernel numbers the transactions of each namespace from the start, so a number counts only together with the
/// namespace. It numbers the namespaces from the start at every boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesetGeneration {
    /// The kernel's id of the boot.
    pub boot: String,
    /// The cookie of the namespace.
    pub namespace: u64,
    /// The number of the last transaction.
    pub number: u32,
}

/// One field of an element: of its key, or of the value that a map gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ElementField {
    /// An interface.
    Interface(InterfaceName),
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv4 network, in sets that hold networks.
    Network(Ipv4Net),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// A protocol of IP.
    Protocol(u8),
    /// A port.
    Port(u16),
    /// An ICMP type or code.
    Icmp(u8),
    /// A packet's mark.
    Mark(u32),
    /// The verdict on the packet.
    Verdict(String),
}

impl ElementField {
    /// The field as the kernel compares it, in network order; `None` if only `nft` can encode it.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::Interface(name) => {
                let mut bytes = name.as_ref().as_bytes().to_vec();
                bytes.resize(16, 0);
                bytes
            }
            Self::Ipv4(address) => address.octets().to_vec(),
            Self::Ipv6(address) => address.octets().to_vec(),
            Self::Protocol(number) | Self::Icmp(number) => vec![*number],
            Self::Port(port) => port.to_be_bytes().to_vec(),
            // The only field that is compared in the machine's order.
            Self::Mark(mark) => mark.to_ne_bytes().to_vec(),
            Self::Network(_) | Self::Verdict(_) => return None,
        })
    }
}

/// As `nft` writes it.
impl fmt::Display for ElementField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(name) => name.fmt(formatter),
            Self::Ipv4(address) => address.fmt(formatter),
            Self::Network(network) => network.fmt(formatter),
            Self::Ipv6(address) => address.fmt(formatter),
            Self::Protocol(6) => formatter.write_str("tcp"),
            Self::Protocol(17) => formatter.write_str("udp"),
            Self::Protocol(number) | Self::Icmp(number) => number.fmt(formatter),
            Self::Port(port) => port.fmt(formatter),
            Self::Mark(mark) => write!(formatter, "{mark:#010x}"),
            Self::Verdict(verdict) => verdict.fmt(formatter),
        }
    }
}

/// Fields that belong together: a key, or a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ElementFields(pub Vec<ElementField>);

impl ElementFields {
    /// The fields as the kernel keeps them: joined, each padded to four bytes, unless there is only one.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let mut joined = Vec::with_capacity(32);
        for field in &self.0 {
            joined.extend(field.bytes()?);
            if self.0.len() > 1 {
                joined.resize(joined.len().next_multiple_of(4), 0);
            }
        }
        Some(joined)
    }
}

/// As `nft` writes it: fields joined by dots.
impl fmt::Display for ElementFields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, field) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" . ")?;
            }
            field.fmt(formatter)?;
        }
        Ok(())
    }
}

/// An element of a set, by its key; or one of a map, with its value.
pub type SetElement = (ElementFields, Option<ElementFields>);

/// Elements to add to one set or map, or to delete from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementChange {
    /// Whether they are added.
    pub add: bool,
    /// The set's name.
    pub set: String,
    /// The elements.
    pub elements: Vec<SetElement>,
}

impl fmt::Display for ElementChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.add { "add" } else { "delete" };
        write!(formatter, "{verb} element {} {} {{ ", PACKET_TABLE, self.set)?;
        for (index, (key, value)) in self.elements.iter().enumerate() {
            if index > 0 {
                formatter.write_str(", ")?;
            }
            key.fmt(formatter)?;
            if let Some(value) = value {
                write!(formatter, " : {value}")?;
            }
        }
        formatter.write_str(" }")
    }
}

/// Tracked connections to match. A field that is `None` matches anything, but if all fields are `None`, no connection
/// matches.
///
/// A connection has two sides: *original* is its first packet before translation, *reply* an answer before it is
/// translated back. If a public address is translated to an instance, the original destination is the public address
/// and the reply source is the instance. For connections that an instance opens, the reply destination is the public
/// address that they left by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlowMatch {
    /// The networks of the machine that opened the connection.
    pub original_source: Option<Ipv4Net>,
    /// The address that it was opened to.
    pub original_destination: Option<Ipv4Addr>,
    /// The networks of the machine that answers.
    pub reply_source: Option<Ipv4Net>,
    /// The address that it answers to.
    pub reply_destination: Option<Ipv4Addr>,
    /// IP protocol number, 6 for TCP.
    pub protocol: Option<u8>,
    /// The ports that it was opened to; connections without ports do not match.
    pub original_destination_ports: Option<RangeInclusive<u16>>,
}
