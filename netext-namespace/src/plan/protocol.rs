//! Protocols of IP by number and name.

use std::fmt;
use std::str::FromStr;

/// A protocol of IP: its number, written by name where it has one that people know.
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

/// A word that is no protocol.
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
