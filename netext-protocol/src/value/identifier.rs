//! Identifiers: ids of the management server, host names, hardware addresses and lists of IP addresses.

use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::wire::field::{Field, WriteStyle, text_type};
use crate::wire::refusal::refuse;
use crate::wire::text::{self, InvalidText, Text};

macro_rules! numeric_ids {
    ($($(#[$meta:meta])* $name:ident = $expected:literal;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// Makes an id of its number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The number, as in the server's database.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl From<u64> for $name {
            fn from(number: u64) -> Self {
                Self(number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl Text for $name {
            const EXPECTED: &'static str = $expected;
            const PATTERN: Option<&'static str> = <u64 as Text>::PATTERN;

            fn parse_text(text: &str) -> Option<Self> {
                u64::parse_text(text).map(Self)
            }

            fn write_strict<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u64(self.0)
            }

            #[cfg(feature = "schema")]
            fn strict_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                u64::strict_schema(generator)
            }
        }

        text_type!($name);
    )*};
}

numeric_ids! {
    /// A guest network, or a tier of a VPC.
    NetworkId = "a network id (a number)";
    /// A virtual private cloud.
    VpcId = "a VPC id (a number)";
    /// An availability zone.
    ZoneId = "a zone id (a number)";
    /// An instance's network interface, by its number in the server's database.
    NicId = "a NIC id (a number)";
}

/// An instance's network interface, by its id in the API: up to 64 letters, digits and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NicUuid(String);

impl NicUuid {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NicUuid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Text for NicUuid {
    const EXPECTED: &'static str = "a NIC uuid (up to 64 letters, digits and '-')";
    const PATTERN: Option<&'static str> = Some("^[0-9A-Za-z-]{1,64}$");

    fn parse_text(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (plain && (1..=64).contains(&text.len())).then(|| Self(text.to_owned()))
    }
}

text_type!(NicUuid);

/// Whether the text is a name of dot-separated labels: letters, digits, `-` and `_`, no `-` at either end of
/// a label, at most 63 characters in a label and 253 in all.
///
/// So a name cannot hold a space, comma, slash, quote or line break, or `..`.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

const NAME_PATTERN: &str =
    r"^[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?(\.[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?)*$";

macro_rules! names {
    ($($(#[$meta:meta])* $name:ident = $expected:literal;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl Text for $name {
            const EXPECTED: &'static str = $expected;
            const PATTERN: Option<&'static str> = Some(NAME_PATTERN);

            fn parse_text(text: &str) -> Option<Self> {
                is_name(text).then(|| Self(text.into()))
            }
        }

        text_type!($name);
    )*};
}

names! {
    /// An instance's host name: one label or several.
    HostName = "a host name (letters, digits, '-' and '_', labels joined by '.')";
    /// The DNS domain of a network.
    DomainName = "a domain name (letters, digits, '-' and '_', labels joined by '.')";
}

/// The hardware address of an interface, written `02:01:00:d1:00:0a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr([u8; 6]);

impl MacAddr {
    /// Makes an address of its octets, in the order of the wire.
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// The six octets.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // In one piece: a network has thousands of addresses, and every piece costs a call.
        let mut text = [b':'; 17];
        for (octet, place) in self.0.iter().zip(text.chunks_mut(3)) {
            place[0] = DIGITS[usize::from(octet >> 4)];
            place[1] = DIGITS[usize::from(octet & 0xf)];
        }
        formatter.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl Text for MacAddr {
    const EXPECTED: &'static str = "a MAC address such as 02:01:00:d1:00:0a";
    const PATTERN: Option<&'static str> = Some("^[0-9A-Fa-f]{2}(([:-])[0-9A-Fa-f]{2}){5}$");

    fn parse_text(text: &str) -> Option<Self> {
        let mut octets = [0; 6];
        let mut parts = text.split([':', '-']);
        for octet in &mut octets {
            let part = parts.next().filter(|part| part.len() == 2)?;
            // `from_str_radix` alone would accept a sign.
            if !part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            *octet = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(Self(octets))
    }
}

text_type!(MacAddr);

/// IP addresses, written `198.51.100.53,198.51.100.54`. The strict form is a JSON list, which is read too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList(Vec<IpAddr>);

impl From<Vec<IpAddr>> for AddressList {
    fn from(addresses: Vec<IpAddr>) -> Self {
        Self(addresses)
    }
}

impl Deref for AddressList {
    type Target = [IpAddr];

    fn deref(&self) -> &[IpAddr] {
        &self.0
    }
}

impl fmt::Display for AddressList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, address) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            address.fmt(formatter)?;
        }
        Ok(())
    }
}

impl Text for AddressList {
    const EXPECTED: &'static str = "a comma-separated list of IP addresses";
    const PATTERN: Option<&'static str> = Some("^[0-9A-Fa-f:., ]*$");

    fn parse_text(text: &str) -> Option<Self> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().ok())
            .collect::<Option<_>>()
            .map(Self)
    }

    fn write_strict<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }

    #[cfg(feature = "schema")]
    fn strict_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Vec::<IpAddr>::schema(generator)
    }
}

impl FromStr for AddressList {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        text::parse(text)
    }
}

impl Serialize for AddressList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AddressList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrList)
    }
}

struct TextOrList;

impl<'de> Visitor<'de> for TextOrList {
    type Value = AddressList;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(AddressList::EXPECTED)
    }

    refuse!('de, number flag null object);

    fn visit_str<E: de::Error>(self, text: &str) -> Result<AddressList, E> {
        text::parse(text).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<AddressList, A::Error> {
        Vec::read(SeqAccessDeserializer::new(elements)).map(AddressList)
    }
}

impl Field for AddressList {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn write<S: Serializer>(value: &Self, style: WriteStyle, serializer: S) -> Result<S::Ok, S::Error> {
        match style {
            WriteStyle::Text | WriteStyle::Native => value.serialize(serializer),
            WriteStyle::Strict => value.write_strict(serializer),
        }
    }

    fn is_left_out(value: &Self) -> bool {
        value.is_empty()
    }

    #[cfg(feature = "schema")]
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let list = Self::strict_schema(generator);
        if crate::wire::json_schema::is_strict(generator) {
            return list;
        }
        schemars::json_schema!({ "anyOf": [crate::wire::text::schema::<Self>(generator), list] })
    }
}
