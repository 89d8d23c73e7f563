//! Layer-2 segments.

use std::fmt;

use crate::wire::text::{Text, text_type};

/// The layer-2 segment that a network or a public address lives on.
///
/// On the wire it is the part of a broadcast URI behind `://` (`1910`, or a name such as `cs-net-42` for an
/// overlay), or a whole URI (`vlan://101`, `vlan://untagged`, `vxlan://5000`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Segment {
    /// The untagged traffic of the physical network.
    Untagged,
    /// An 802.1Q VLAN, 1 to 4094.
    Vlan(u16),
    /// A VXLAN by its network identifier, up to 2^24 - 1. A bare number above 4094 is one.
    Vxlan(u32),
    /// A segment that only its owner understands, by name: up to 255 letters, digits and `-_.:`, beginning
    /// with a letter or digit, without `..`.
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

    /// The part behind `://`, or a bare value: a number that is none of the identifiers is no name either.
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
            // Where packets go must not be guessed.
            _ => None,
        }
    }

    /// A bare number is a VLAN, so that nobody has to know where the numbers of VXLANs begin.
    fn write_strict<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Vxlan(id) => serializer.collect_str(&format_args!("vxlan://{id}")),
            other => serializer.collect_str(other),
        }
    }

    #[cfg(feature = "schema")]
    fn strict_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::schema::strict_text(Some("^(vxlan://)?[0-9A-Za-z][0-9A-Za-z_.:-]{0,254}$"), false)
    }
}

text_type!(Segment);
