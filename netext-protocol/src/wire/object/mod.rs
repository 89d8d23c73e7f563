//! Objects: structs made of fields and of field groups, read in one pass.
//!
//! serde's `flatten` would buffer whatever it flattens and lose the path of an error inside it. Here an
//! object offers each key to its groups and fields in turn, so values are read where they stand.

mod define;

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

pub(crate) use define::object;

use super::embedded::{Embedded, FromText};
use super::field::{Field, GIVEN_TWICE, Perhaps, refuse_entry};
use super::refuse::refuse;

/// A struct whose fields are read key by key.
pub(crate) trait Fields: Sized {
    /// What has been read so far.
    type Partial: Default;

    /// Reads the value if the key is one of ours, and says whether it was.
    fn take<'de, A: MapAccess<'de>>(
        partial: &mut Self::Partial,
        key: &str,
        entries: &mut A,
    ) -> Result<bool, A::Error>;

    /// Whether any required field was there, which tells if an optional group is present.
    fn is_present(partial: &Self::Partial) -> bool;

    /// All keys have been read.
    fn finish<E: de::Error>(partial: Self::Partial) -> Result<Self, E>;

    /// Writes the fields into an object.
    fn write<S: SerializeMap>(&self, style: Style, object: &mut S) -> Result<(), S::Error>;

    /// Describes the fields.
    #[cfg(feature = "schema")]
    fn describe(schema: &mut crate::schema::ObjectSchema, generator: &mut schemars::SchemaGenerator);
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

/// Reads one field's value into its place. The second spelling of a field may only say the same thing again.
pub(crate) fn take_field<'de, T, A>(place: &mut Option<T>, entries: &mut A) -> Result<bool, A::Error>
where
    T: Field + PartialEq,
    A: MapAccess<'de>,
{
    entries.next_value_seed(Place(place))?;
    Ok(true)
}

/// Where a field's value goes. What is wrong is found while serde still knows the path of the value.
struct Place<'a, T>(&'a mut Option<T>);

impl<'de, T: Field + PartialEq> DeserializeSeed<'de> for Place<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Perhaps(value) = Perhaps::deserialize(deserializer)?;
        match (self.0.as_ref(), value) {
            (_, None) => Ok(()),
            (None, value) => {
                *self.0 = value;
                Ok(())
            }
            (Some(first), Some(second)) if *first == second => Ok(()),
            (Some(_), Some(_)) => Err(de::Error::custom("differs from what the field's other spelling says")),
        }
    }
}

/// Reads the value of a field that older senders put into a text into its place.
pub(crate) fn take_embedded<'de, T, A>(place: &mut Option<T>, entries: &mut A) -> Result<bool, A::Error>
where
    T: Embedded,
    A: MapAccess<'de>,
{
    if let Perhaps(Some(FromText(value))) = entries.next_value()? {
        *place = Some(value);
    }
    Ok(true)
}

/// How an object writes its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// As the server writes the top level of a payload: scalars are strings.
    Text,
    /// As the server writes the entries of rule lists: numbers and booleans are native.
    Native,
    /// The one strict form: what is a number is a number, ids included, and lists are lists.
    Strict,
}

impl Style {
    /// The style of what is inside a value.
    pub(crate) fn inside(self) -> Self {
        match self {
            Self::Text | Self::Native => Self::Native,
            Self::Strict => Self::Strict,
        }
    }
}

/// An object on its way out.
pub(crate) struct Written<'a, T>(pub(crate) &'a T, pub(crate) Style);

impl<T: Fields> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        self.0.write(self.1, &mut object)?;
        object.end()
    }
}

/// A field's value on its way out.
pub(crate) struct WrittenValue<'a, T>(pub(crate) &'a T, pub(crate) Style);

impl<T: Field> Serialize for WrittenValue<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::write(self.0, self.1, serializer)
    }
}
