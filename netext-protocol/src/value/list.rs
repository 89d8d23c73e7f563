//! Lists that the server packs into one text.

use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::str::FromStr;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::InvalidText;
use crate::wire::field::Field;
use crate::wire::object::Style;
use crate::wire::refuse::refuse;
use crate::wire::text::{self, Text};

/// IP addresses, written `198.51.100.53,198.51.100.54`. A list of addresses is read as well: the strict form.
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

    fn write<S: Serializer>(value: &Self, style: Style, serializer: S) -> Result<S::Ok, S::Error> {
        match style {
            Style::Text | Style::Native => value.serialize(serializer),
            Style::Strict => value.write_strict(serializer),
        }
    }

    fn is_left_out(value: &Self) -> bool {
        value.is_empty()
    }

    #[cfg(feature = "schema")]
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let list = Self::strict_schema(generator);
        if crate::schema::is_strict(generator) {
            return list;
        }
        schemars::json_schema!({ "anyOf": [crate::schema::scalar::<Self>(generator), list] })
    }
}
