//! Ports and ranges of them.

use std::fmt;
use std::ops::RangeInclusive;

use crate::wire::text::{Text, text_type};

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

    /// The ports from `first` to `last`, both included; `None` where that is no port at all.
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

    /// How many ports there are.
    pub const fn count(self) -> u32 {
        self.last as u32 - self.first as u32 + 1
    }

    /// Whether it is one port only.
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
    // No port above 65535, for readers who have nothing but the schema. That the first is the lower one no pattern
    // can say.
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
            // Not in the two above, of which some generators would make types then.
            "if": { "type": "integer" },
            "then": { "minimum": 0, "maximum": u16::MAX },
            "else": { "pattern": "^[0-9]{1,5}-[0-9]{1,5}$" },
        });
        crate::schema::define(schema, generator)
    }
}

text_type!(PortRange);
