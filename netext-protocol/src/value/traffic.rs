//! The packets that a rule matches: direction, protocol and ports.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Serialize, Serializer};

use crate::wire::field::{text_field, text_type};
use crate::wire::fields::Parts;
use crate::wire::object::object;
use crate::wire::text::Text;
use crate::wire::words::choices;

/// A port or an inclusive range of ports, written `22`, `8080-8090` or `8080:8090`. Never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// Every port.
    pub const ALL: Self = Self { first: 0, last: u16::MAX };

    /// One port.
    pub const fn single(port: u16) -> Self {
        Self { first: port, last: port }
    }

    /// The ports from `first` to `last`, both included; `None` if `first` is higher than `last`.
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first <= last { Some(Self { first, last }) } else { None }
    }

    /// The lowest port.
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The highest port.
    pub const fn last(self) -> u16 {
        self.last
    }

    /// The number of ports.
    pub const fn count(self) -> u32 {
        self.last as u32 - self.first as u32 + 1
    }

    /// Whether the range is a single port.
    pub const fn is_single(self) -> bool {
        self.first == self.last
    }

    /// Whether the two have a port in common.
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// The ports in order.
    pub fn ports(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }
}

impl From<u16> for PortRange {
    fn from(port: u16) -> Self {
        Self::single(port)
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_single() {
            self.first.fmt(formatter)
        } else {
            write!(formatter, "{}-{}", self.first, self.last)
        }
    }
}

impl Text for PortRange {
    const EXPECTED: &'static str = "a port or a range of ports (22, 8080-8090), 0 to 65535";
    // Refuses ports above 65535, for readers that have only the schema. A pattern cannot compare the two
    // ports.
    const PATTERN: Option<&'static str> = Some(concat!(
        "^([0-5]?[0-9]{1,4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])",
        "([-:]([0-5]?[0-9]{1,4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?$"
    ));

    fn parse_text(text: &str) -> Option<Self> {
        match text.split_once(['-', ':']) {
            None => u16::parse_text(text).map(Self::single),
            Some((first, last)) => Self::new(u16::parse_text(first)?, u16::parse_text(last)?),
        }
    }

    /// One port is a number; several are a text.
    fn write_strict<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_single() { serializer.serialize_u16(self.first) } else { serializer.collect_str(self) }
    }

    #[cfg(feature = "schema")]
    fn strict_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let schema = schemars::json_schema!({
            "title": "PortRange",
            "description": "One port as a number, or the first and the last of several as a text: 8080-8090.",
            "anyOf": [{ "type": "integer" }, { "type": "string" }],
            // Not inside `anyOf`: some generators would make types of the two choices.
            "if": { "type": "integer" },
            "then": { "minimum": 0, "maximum": u16::MAX },
            "else": { "pattern": "^[0-9]{1,5}-[0-9]{1,5}$" },
        });
        crate::wire::json_schema::define(schema, generator)
    }
}

text_type!(PortRange);

choices! {
    /// The direction of traffic, as seen from the guest network. An unknown direction is refused. There is no
    /// third one, so a device can match both without a default.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    Direction = "a direction (ingress, egress)",
        "^([Ii][Nn]|[Ee])[Gg][Rr][Ee][Ss][Ss]$" {
        /// To the guests.
        Ingress = "ingress",
        /// From the guests.
        Egress = "egress",
    }
}

choices! {
    /// A transport protocol with ports that can be forwarded. The API has no other, so a device can match
    /// both without a default.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    TransportProtocol = "a transport protocol (tcp, udp)",
        "^([Tt][Cc]|[Uu][Dd])[Pp]$" {
        /// TCP, protocol number 6.
        Tcp = "tcp",
        /// UDP, protocol number 17.
        Udp = "udp",
    }
}

impl TransportProtocol {
    /// The IP protocol number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }
}

/// A rule's protocol on the wire, in any case: `tcp`, `udp`, `icmp`, `all` or a protocol number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleProtocol {
    All,
    Tcp,
    Udp,
    Icmp,
    Number(u8),
}

impl fmt::Display for RuleProtocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => formatter.write_str("all"),
            Self::Tcp => formatter.write_str("tcp"),
            Self::Udp => formatter.write_str("udp"),
            Self::Icmp => formatter.write_str("icmp"),
            Self::Number(number) => number.fmt(formatter),
        }
    }
}

impl Text for RuleProtocol {
    const EXPECTED: &'static str = "a protocol (tcp, udp, icmp, all, or a number from 0 to 255)";
    const WORDS: &'static [(&'static str, &'static str)] = &[
        ("tcp", "TCP, with ports."),
        ("udp", "UDP, with ports."),
        ("icmp", "ICMP, with type and code."),
        ("all", "Every protocol."),
    ];
    const PATTERN: Option<&'static str> =
        Some("^([Tt][Cc][Pp]|[Uu][Dd][Pp]|[Ii][Cc][Mm][Pp]|[Aa][Ll][Ll]|[0-9]{1,3})$");

    fn parse_text(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "all" => Some(Self::All),
            "tcp" | "6" => Some(Self::Tcp),
            "udp" | "17" => Some(Self::Udp),
            "icmp" | "1" => Some(Self::Icmp),
            number => u8::parse_text(number).map(Self::Number),
        }
    }

    #[cfg(feature = "schema")]
    fn strict_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::wire::json_schema::strict_text(Some("^(tcp|udp|icmp|all|[0-9]{1,3})$"), false)
    }
}

text_type!(RuleProtocol);

/// The packets that a rule matches: a protocol, with ports or an ICMP type only where the protocol has them.
///
/// If a device cannot match the packets of one rule, it must refuse the whole list. A rule that it skips or
/// widens can open the firewall.
///
/// ```
/// use netext_protocol::Traffic;
///
/// fn words(traffic: Traffic) -> Result<String, String> {
///     Ok(match traffic {
///         Traffic::All => "any".to_owned(),
///         Traffic::Tcp(ports) => format!("tcp to {ports}"),
///         Traffic::Udp(ports) => format!("udp to {ports}"),
///         Traffic::Icmp { icmp_type: None, icmp_code: None } => "icmp".to_owned(),
///         Traffic::Icmp { icmp_type: Some(kind), icmp_code: None } => format!("icmp of type {kind}"),
///         other => return Err(format!("this device cannot match {other:?}")),
///     })
/// }
///
/// assert_eq!(words(Traffic::Tcp("8080:8090".parse().unwrap())).unwrap(), "tcp to 8080-8090");
/// assert!(words(Traffic::Protocol(47)).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Traffic {
    /// Every protocol.
    All,
    /// TCP to these ports.
    Tcp(PortRange),
    /// UDP to these ports.
    Udp(PortRange),
    /// ICMP.
    Icmp {
        /// The message type; `None` for any (`-1` on the wire).
        icmp_type: Option<u8>,
        /// The message code; `None` for any (`-1` on the wire).
        icmp_code: Option<u8>,
    },
    /// Another IP protocol, by its number. The numbers 1, 6 and 17 are read as ICMP, TCP and UDP.
    Protocol(u8),
}

/// An ICMP type or code of a rule: -1 for any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IcmpNumber(Option<u8>);

impl Text for IcmpNumber {
    const EXPECTED: &'static str = "an ICMP type or code (0 to 255, -1 for any)";
    const PATTERN: Option<&'static str> = Some("^(-1|[0-9]{1,3})$");

    fn parse_text(text: &str) -> Option<Self> {
        if text == "-1" { Some(Self(None)) } else { u8::parse_text(text).map(|number| Self(Some(number))) }
    }

    #[cfg(feature = "schema")]
    fn strict_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::wire::json_schema::integer(-1, u8::MAX.into())
    }
}

text_field!(IcmpNumber);

impl fmt::Display for IcmpNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(-1, i16::from).fmt(formatter)
    }
}

impl Serialize for IcmpNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i16(self.0.map_or(-1, i16::from))
    }
}

object! { parts
    /// The fields of a rule that together make a [`Traffic`].
    pub(crate) struct TrafficFields {
        required {
            /// The protocol, in any case: `tcp`, `udp`, `icmp`, `all` for every protocol, or an IP protocol
            /// number, 0 to 255. Another word is refused.
            protocol: RuleProtocol = "protocol",
        }
        optional {
            /// The first destination port, 0 to 65535, of a rule for `tcp` or `udp`. Absent means every port.
            port_start: u16 = "portStart",
            /// The last destination port, 0 to 65535. Absent means the first port alone.
            port_end: u16 = "portEnd",
            /// The ICMP type, 0 to 255, of a rule for `icmp`. `-1` or absent means any.
            icmp_type: IcmpNumber = "icmpType",
            /// The ICMP code, 0 to 255, of a rule for `icmp`. `-1` or absent means any.
            icmp_code: IcmpNumber = "icmpCode",
        }
    }
}

impl TryFrom<TrafficFields> for Traffic {
    type Error = String;

    /// A rule that contradicts itself is refused: a wrong guess could open the firewall.
    fn try_from(fields: TrafficFields) -> Result<Self, String> {
        let protocol = fields.protocol;
        let ports = match (fields.port_start, fields.port_end) {
            (None, None) => None,
            (Some(first), last) => {
                let last = last.unwrap_or(first);
                Some(
                    PortRange::new(first, last)
                        .ok_or_else(|| format!("portEnd {last} is lower than portStart {first}"))?,
                )
            }
            (None, Some(last)) => return Err(format!("portEnd {last} is given without portStart")),
        };
        let icmp_type = fields.icmp_type.and_then(|number| number.0);
        let icmp_code = fields.icmp_code.and_then(|number| number.0);

        let traffic = match protocol {
            RuleProtocol::Tcp => Self::Tcp(ports.unwrap_or(PortRange::ALL)),
            RuleProtocol::Udp => Self::Udp(ports.unwrap_or(PortRange::ALL)),
            RuleProtocol::All => Self::All,
            RuleProtocol::Icmp => Self::Icmp { icmp_type, icmp_code },
            RuleProtocol::Number(number) => Self::Protocol(number),
        };
        let has_ports = matches!(traffic, Self::Tcp(_) | Self::Udp(_));
        if let Some(ports) = ports.filter(|_| !has_ports) {
            return Err(format!("ports {ports} are given for the protocol {protocol}, which has none"));
        }
        if (icmp_type.is_some() || icmp_code.is_some()) && !matches!(traffic, Self::Icmp { .. }) {
            return Err(format!(
                "icmpType or icmpCode is given for the protocol {protocol}, which is not icmp"
            ));
        }
        if let (None, Some(code)) = (icmp_type, icmp_code) {
            return Err(format!("icmpCode {code} is given without an icmpType"));
        }
        Ok(traffic)
    }
}

impl From<Traffic> for TrafficFields {
    fn from(traffic: Traffic) -> Self {
        let (protocol, ports) = match traffic {
            Traffic::All => (RuleProtocol::All, None),
            Traffic::Tcp(ports) => (RuleProtocol::Tcp, Some(ports)),
            Traffic::Udp(ports) => (RuleProtocol::Udp, Some(ports)),
            Traffic::Icmp { .. } => (RuleProtocol::Icmp, None),
            Traffic::Protocol(number) => (RuleProtocol::Number(number), None),
        };
        // On the wire, no ports means all ports.
        let ports = ports.filter(|ports| *ports != PortRange::ALL);
        let (icmp_type, icmp_code) = match traffic {
            Traffic::Icmp { icmp_type, icmp_code } => {
                (Some(IcmpNumber(icmp_type)), Some(IcmpNumber(icmp_code)))
            }
            _ => (None, None),
        };
        Self {
            protocol,
            port_start: ports.map(PortRange::first),
            port_end: ports.map(PortRange::last),
            icmp_type,
            icmp_code,
        }
    }
}

impl Parts for Traffic {
    type Fields = TrafficFields;
}

impl Serialize for Traffic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        TrafficFields::from(*self).serialize(serializer)
    }
}
