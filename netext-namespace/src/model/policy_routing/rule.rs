//! A rule that leads packets to a table.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use netext_protocol::PortRange;
use serde::{Deserialize, Serialize};

use super::words::{AnyOrNetwork, WordError, WordReader, excerpt, family, number, once, without_host_bits};
use crate::model::InterfaceName;

const KNOWN: &str = "not, from, to, iif, oif, fwmark, tos, ipproto, sport, dport, priority";

const PREFIXES: &str = "all, a network or an address";
const INTERFACE: &str = "the name of an interface";
const PORTS: &str = "a port or a range of ports from 1 to 65535";

/// The packets that a rule leads to its table. A field that is not given matches anything.
///
/// ```
/// use netext_namespace::model::RoutingRule;
///
/// let rule: RoutingRule = "from 10.1.1.0/24 ipproto tcp dport 80-90".parse()?;
/// assert_eq!(rule.to_string(), "from 10.1.1.0/24 ipproto tcp dport 80-90");
/// assert!("from all; flush".parse::<RoutingRule>().is_err());
/// # Ok::<(), netext_namespace::model::WordError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoutingRule {
    /// Whether it matches the packets that do *not* match the rest.
    pub not: bool,
    /// Where they come from.
    pub from: Option<IpNet>,
    /// Where they go.
    pub to: Option<IpNet>,
    /// The interface that they came in by; `lo` for the router's own.
    pub iif: Option<InterfaceName>,
    /// The interface that a local program bound its socket to.
    pub oif: Option<InterfaceName>,
    /// Their firewall mark.
    pub mark: Option<FirewallMark>,
    /// Their type of service; 0 is any.
    pub tos: u8,
    /// Their protocol of IP.
    pub protocol: Option<IpProtocol>,
    /// Their source ports.
    pub source_ports: Option<PortSpan>,
    /// Their destination ports.
    pub destination_ports: Option<PortSpan>,
}

/// A firewall mark with the bits of it that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirewallMark {
    /// The mark.
    pub value: u32,
    /// The bits that are compared.
    pub mask: u32,
}

/// A port or an inclusive range of them, none of which is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortSpan(PortRange);

impl PortSpan {
    /// The ports.
    pub fn range(self) -> PortRange {
        self.0
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|range: &PortRange| range.first() > 0).map(Self)
    }
}

/// A rule as an operator writes it. Its priority is chosen if it is not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleWords {
    /// The rule.
    pub rule: RoutingRule,
    /// Rules are consulted in the order of their priorities, the least first.
    pub priority: Option<u32>,
}

impl RoutingRule {
    /// Whether it is a rule of IPv6. As with `ip rule`, a rule that names no address is of IPv4.
    pub fn is_ipv6(&self) -> bool {
        self.from.or(self.to).is_some_and(|network| network.addr().is_ipv6())
    }
}

impl FromStr for RuleWords {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let mut words = WordReader::of(text)?;
        let (mut not, mut from, mut to) = (None, None, None);
        let (mut iif, mut oif, mut mark, mut tos) = (None, None, None, None);
        let (mut protocol, mut source_ports, mut destination_ports) = (None, None, None);
        let mut priority = None;
        while let Some(word) = words.next() {
            match word {
                "not" => once(&mut not, "not", ())?,
                "from" => words.set(&mut from, "from", PREFIXES, AnyOrNetwork::read)?,
                "to" => words.set(&mut to, "to", PREFIXES, AnyOrNetwork::read)?,
                "iif" | "dev" => words.set(&mut iif, "iif", INTERFACE, |name| name.parse().ok())?,
                "oif" => words.set(&mut oif, "oif", INTERFACE, |name| name.parse().ok())?,
                "fwmark" => words.set(&mut mark, "fwmark", "a number, or number/mask", FirewallMark::read)?,
                "tos" | "dsfield" => {
                    let octet = |value: &str| number(value).and_then(|number| u8::try_from(number).ok());
                    words.set(&mut tos, "tos", "a number from 0 to 255", octet)?;
                }
                "ipproto" => {
                    let expected = "tcp, udp, icmp or a number from 1 to 255";
                    words.set(&mut protocol, "ipproto", expected, |value| value.parse().ok())?;
                }
                "sport" => words.set(&mut source_ports, "sport", PORTS, PortSpan::read)?,
                "dport" => words.set(&mut destination_ports, "dport", PORTS, PortSpan::read)?,
                "priority" | "pref" | "preference" | "order" => {
                    words.set(&mut priority, "priority", "a number", number)?;
                }
                other => return Err(WordError::Unknown { word: excerpt(other), known: KNOWN }),
            }
        }
        let (from, to) = (from.and_then(AnyOrNetwork::network), to.and_then(AnyOrNetwork::network));
        family([from, to].map(|network| network.map(|network| network.addr().is_ipv6())))?;
        let rule = RoutingRule {
            not: not.is_some(),
            from: from.map(without_host_bits).transpose()?,
            to: to.map(without_host_bits).transpose()?,
            iif,
            oif,
            mark,
            tos: tos.unwrap_or(0),
            protocol,
            source_ports,
            destination_ports,
        };
        Ok(Self { rule, priority })
    }
}

impl FirewallMark {
    fn read(text: &str) -> Option<Self> {
        match text.split_once('/') {
            None => Some(Self { value: number(text)?, mask: u32::MAX }),
            Some((value, mask)) => Some(Self { value: number(value)?, mask: number(mask)? }),
        }
    }
}

impl FromStr for RoutingRule {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let RuleWords { rule, priority } = text.parse()?;
        match priority {
            None => Ok(rule),
            Some(_) => Err(WordError::Unknown { word: "priority".to_owned(), known: KNOWN }),
        }
    }
}

/// As `ip rule` writes it.
impl fmt::Display for RoutingRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.not {
            formatter.write_str("not ")?;
        }
        formatter.write_str("from ")?;
        match self.from {
            None => formatter.write_str("all")?,
            Some(network) => shown(network, formatter)?,
        }
        if let Some(network) = self.to {
            formatter.write_str(" to ")?;
            shown(network, formatter)?;
        }
        if let Some(name) = &self.iif {
            write!(formatter, " iif {name}")?;
        }
        if let Some(name) = &self.oif {
            write!(formatter, " oif {name}")?;
        }
        if let Some(FirewallMark { value, mask }) = self.mark {
            write!(formatter, " fwmark {value:#x}")?;
            if mask != u32::MAX {
                write!(formatter, "/{mask:#x}")?;
            }
        }
        if self.tos > 0 {
            write!(formatter, " tos {:#x}", self.tos)?;
        }
        if let Some(protocol) = self.protocol {
            write!(formatter, " ipproto {protocol}")?;
        }
        if let Some(PortSpan(ports)) = self.source_ports {
            write!(formatter, " sport {ports}")?;
        }
        if let Some(PortSpan(ports)) = self.destination_ports {
            write!(formatter, " dport {ports}")?;
        }
        Ok(())
    }
}

fn shown(network: IpNet, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    if network.prefix_len() == network.max_prefix_len() {
        write!(formatter, "{}", network.addr())
    } else {
        write!(formatter, "{network}")
    }
}

impl TryFrom<String> for RoutingRule {
    type Error = WordError;

    fn try_from(text: String) -> Result<Self, WordError> {
        text.parse()
    }
}

impl From<RoutingRule> for String {
    fn from(rule: RoutingRule) -> Self {
        rule.to_string()
    }
}

/// A protocol of IP: its number, written as a name if it has a well-known one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IpProtocol(u8);

const NAMES: [(u8, &str); 8] = [
    (1, "icmp"),
    (6, "tcp"),
    (17, "udp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (58, "ipv6-icmp"),
    (132, "sctp"),
];

/// A word that does not name a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected tcp, udp, icmp, another protocol's name, or a number from 1 to 255")]
pub struct UnknownProtocol;

impl IpProtocol {
    /// TCP.
    pub const TCP: Self = Self(6);

    /// The protocol of that number.
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl FromStr for IpProtocol {
    type Err = UnknownProtocol;

    fn from_str(text: &str) -> Result<Self, UnknownProtocol> {
        let named = NAMES.iter().find(|(_, name)| *name == text).map(|(number, _)| *number);
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let numbered = || text.parse().ok().filter(|number| digits && *number > 0);
        named.or_else(numbered).map(Self).ok_or(UnknownProtocol)
    }
}

impl fmt::Display for IpProtocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => formatter.write_str(name),
            None => self.0.fmt(formatter),
        }
    }
}
