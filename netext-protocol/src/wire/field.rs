//! One value of an object: how it is read, written as the server writes it, and described in a schema.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::refusal::{GIVEN_TWICE, refuse, refuse_entry};

/// The type of a field.
pub(crate) trait Field: Sized {
    /// Reads a value that is present.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Writes the value.
    fn write<S: Serializer>(value: &Self, style: WriteStyle, serializer: S) -> Result<S::Ok, S::Error>;

    /// Whether the strict form leaves the value out, because the wire has no empty value of its kind: an
    /// empty text is absent, and an absent field says nothing.
    fn is_left_out(_: &Self) -> bool {
        false
    }

    /// The schema of everything that `read` accepts, or of the strict form that `write` writes.
    #[cfg(feature = "schema")]
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema;
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteStyle {
    /// As the server writes the top level of a payload: scalars are strings.
    Text,
    /// As the server writes the entries of rule lists: numbers and booleans are native.
    Native,
    /// The strict form: numbers are numbers, ids included, and lists are lists.
    Strict,
}

impl WriteStyle {
    /// The style of the values inside a value.
    pub(crate) fn inside(self) -> Self {
        match self {
            Self::Text | Self::Native => Self::Native,
            Self::Strict => Self::Strict,
        }
    }
}

/// A field's value, to be written in a style.
pub(crate) struct StyledValue<'a, T>(pub(crate) &'a T, pub(crate) WriteStyle);

impl<T: Field> Serialize for StyledValue<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::write(self.0, self.1, serializer)
    }
}

/// A [`Text`](super::text::Text) type as a field.
macro_rules! text_field {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::wire::field::Field for $type {
            fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::wire::text::read(deserializer)
            }

            fn write<S: ::serde::Serializer>(
                value: &Self,
                style: $crate::wire::field::WriteStyle,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                match style {
                    $crate::wire::field::WriteStyle::Text => serializer.collect_str(value),
                    $crate::wire::field::WriteStyle::Native => ::serde::Serialize::serialize(value, serializer),
                    $crate::wire::field::WriteStyle::Strict => {
                        <Self as $crate::wire::text::Text>::write_strict(value, serializer)
                    }
                }
            }

            #[cfg(feature = "schema")]
            fn schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                $crate::wire::text::schema::<Self>(generator)
            }
        }
    )*};
}
pub(crate) use text_field;

/// A [`Text`](super::text::Text) type as a field and for everybody: `FromStr`, and serde as a lenient string.
macro_rules! text_type {
    ($($type:ty),* $(,)?) => {$(
        impl ::std::str::FromStr for $type {
            type Err = $crate::InvalidText;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::wire::text::parse(text)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::wire::text::read(deserializer)
            }
        }

        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        $crate::wire::field::text_field!($type);
    )*};
}
pub(crate) use text_type;

text_field!(bool, String, u8, u16, u32, u64, Ipv4Addr, Ipv6Addr, IpAddr, Ipv4Net, Ipv6Net, IpNet);

impl<T: Field> Field for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }

    /// An empty list and an absent one mean the same to every optional field.
    fn is_left_out(value: &Self) -> bool {
        value.is_empty()
    }

    fn write<S: Serializer>(value: &Self, style: WriteStyle, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(value.iter().map(|element| StyledValue(element, style.inside())))
    }

    #[cfg(feature = "schema")]
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let items = T::schema(generator);
        schemars::json_schema!({ "type": "array", "items": items })
    }
}

/// Reads a list. One malformed element refuses the whole list: a rule whose source networks were dropped
/// would be open to the world.
struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Field> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    refuse!('de, text number flag null object);

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(RequiredValue(element)) = elements.next_element()? {
            list.push(element);
        }
        Ok(list)
    }
}

/// A value that must be present, as serde sees it.
pub(crate) struct RequiredValue<T>(pub(crate) T);

impl<'de, T: Field> Deserialize<'de> for RequiredValue<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

/// A value that may be absent, as serde sees it: `null` and `""` mean absent.
pub(crate) struct OptionalValue<T>(pub(crate) Option<T>);

impl<'de, T: Field> Deserialize<'de> for OptionalValue<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OptionalVisitor(PhantomData)).map(Self)
    }
}

struct OptionalVisitor<T>(PhantomData<T>);

impl<'de, T: Field> Visitor<'de> for OptionalVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.is_empty() { Ok(None) } else { T::read(text.into_deserializer()).map(Some) }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        T::read(number.into_deserializer()).map(Some)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        T::read(number.into_deserializer()).map(Some)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        T::read(number.into_deserializer()).map(Some)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Self::Value, E> {
        T::read(flag.into_deserializer()).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Self::Value, A::Error> {
        T::read(SeqAccessDeserializer::new(elements)).map(Some)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        T::read(MapAccessDeserializer::new(entries)).map(Some)
    }
}

/// Reads a map, sent as an object or as a text that holds its JSON. No key may come twice.
pub(crate) fn read_map<'de, V, D>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error>
where
    V: de::DeserializeOwned,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(MapOrJson { json: true, value: PhantomData })
}

struct MapOrJson<V> {
    /// Whether it may be a text. Inside a text it may not.
    json: bool,
    value: PhantomData<V>,
}

impl<'de, V: de::DeserializeOwned> Visitor<'de> for MapOrJson<V> {
    type Value = BTreeMap<String, V>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object, or a text that holds one as JSON")
    }

    refuse!('de, number flag list);

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.trim().is_empty() {
            return Ok(BTreeMap::new());
        }
        // The text may hold credentials: neither the text nor serde's error about it is quoted.
        let problem = || E::custom("the text given is not a JSON object of the kind expected");
        if !self.json {
            return Err(problem());
        }
        let mut inner = serde_json::Deserializer::from_str(text);
        inner
            .deserialize_any(MapOrJson { json: false, value: PhantomData })
            .and_then(|map| inner.end().map(|()| map))
            .map_err(|_| problem())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return refuse_entry(&mut entries, GIVEN_TWICE);
            }
            map.insert(key, entries.next_value()?);
        }
        Ok(map)
    }
}
