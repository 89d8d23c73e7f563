//! Objects: structs made of fields and of field groups, read in one pass.
//!
//! serde's `flatten` would buffer the fields of a group and lose the path of an error inside it. Here an
//! object offers each key to its groups and fields in turn, so that values are read where they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::embedded::{Embedded, FromText};
use super::field::{Field, OptionalValue, WriteStyle};
#[cfg(feature = "schema")]
use super::json_schema::ObjectSchema;
use super::refusal::{GIVEN_TWICE, refuse, refuse_entry};

/// A struct whose fields are read key by key.
pub(crate) trait Fields: Sized {
    /// The fields read so far.
    type Partial: Default;

    /// Reads the value if the key is one of this struct's, and returns whether it was.
    fn take<'de, A: MapAccess<'de>>(
        partial: &mut Self::Partial,
        key: &str,
        entries: &mut A,
    ) -> Result<bool, A::Error>;

    /// Whether any required field was present, which means that an optional group is present.
    fn is_present(partial: &Self::Partial) -> bool;

    /// Makes the struct after the last key.
    fn finish<E: de::Error>(partial: Self::Partial) -> Result<Self, E>;

    /// Writes the fields into an object.
    fn write<S: SerializeMap>(&self, style: WriteStyle, object: &mut S) -> Result<(), S::Error>;

    /// Describes the fields.
    #[cfg(feature = "schema")]
    fn describe(schema: &mut ObjectSchema, generator: &mut schemars::SchemaGenerator);
}

/// A type that several fields make together, such as a protocol with its ports.
pub(crate) trait Parts: Clone {
    /// The fields.
    type Fields: Fields + From<Self> + TryInto<Self, Error: fmt::Display>;
}

impl<T: Parts> Fields for T {
    type Partial = <T::Fields as Fields>::Partial;

    fn take<'de, A: MapAccess<'de>>(
        partial: &mut Self::Partial,
        key: &str,
        entries: &mut A,
    ) -> Result<bool, A::Error> {
        T::Fields::take(partial, key, entries)
    }

    fn is_present(partial: &Self::Partial) -> bool {
        T::Fields::is_present(partial)
    }

    fn finish<E: de::Error>(partial: Self::Partial) -> Result<Self, E> {
        T::Fields::finish::<E>(partial)?.try_into().map_err(E::custom)
    }

    fn write<S: SerializeMap>(&self, style: WriteStyle, object: &mut S) -> Result<(), S::Error> {
        T::Fields::from(self.clone()).write(style, object)
    }

    #[cfg(feature = "schema")]
    fn describe(schema: &mut ObjectSchema, generator: &mut schemars::SchemaGenerator) {
        T::Fields::describe(schema, generator);
    }
}

pub(crate) fn read<'de, T: Fields, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Fields> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    refuse!('de, text number flag null list);

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<T, A::Error> {
        let mut partial = T::Partial::default();
        let mut keys = BTreeSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if keys.contains(&key) {
                return refuse_entry(&mut entries, GIVEN_TWICE);
            }
            if !T::take(&mut partial, &key, &mut entries)? {
                entries.next_value::<de::IgnoredAny>()?;
            }
            keys.insert(key);
        }
        T::finish(partial)
    }
}

/// Reads one field's value into its slot. The second spelling of a field may only repeat the first one's
/// value.
pub(crate) fn take_field<'de, T, A>(slot: &mut Option<T>, entries: &mut A) -> Result<bool, A::Error>
where
    T: Field + PartialEq,
    A: MapAccess<'de>,
{
    entries.next_value_seed(FieldSlot(slot))?;
    Ok(true)
}

/// The slot that a field's value goes to. A contradiction is found while serde still knows the value's path.
struct FieldSlot<'a, T>(&'a mut Option<T>);

impl<'de, T: Field + PartialEq> DeserializeSeed<'de> for FieldSlot<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let OptionalValue(value) = OptionalValue::deserialize(deserializer)?;
        match (self.0.as_ref(), value) {
            (_, None) => Ok(()),
            (None, value) => {
                *self.0 = value;
                Ok(())
            }
            (Some(first), Some(second)) if *first == second => Ok(()),
            (Some(_), Some(_)) => {
                Err(de::Error::custom("differs from the value of the field's other spelling"))
            }
        }
    }
}

/// Reads the value of a field that older senders put into a text into its slot.
pub(crate) fn take_embedded<'de, T, A>(slot: &mut Option<T>, entries: &mut A) -> Result<bool, A::Error>
where
    T: Embedded,
    A: MapAccess<'de>,
{
    if let OptionalValue(Some(FromText(value))) = entries.next_value()? {
        *slot = Some(value);
    }
    Ok(true)
}

/// An object, to be written in a style.
pub(crate) struct StyledObject<'a, T>(pub(crate) &'a T, pub(crate) WriteStyle);

impl<T: Fields> Serialize for StyledObject<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        self.0.write(self.1, &mut object)?;
        object.end()
    }
}

/// Unknown fields of an object, unchanged: newer servers add some, and a device may know them.
///
/// `Debug` shows the names only, because any of the values may be a secret.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Extra(BTreeMap<String, Value>);

impl Extra {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Every field with its value, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there are no unknown fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds or replaces a field.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
