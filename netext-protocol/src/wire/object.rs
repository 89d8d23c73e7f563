//! Objects: structs made of fields and of field groups, read in one pass.
//!
//! serde's `flatten` would buffer whatever it flattens and lose the path of an error inside it. Here an
//! object offers each key to its groups and fields in turn, so values are read where they stand.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};

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

/// Defines a struct of fields.
///
/// The sections come in this order and may be left out: `groups` (their fields stand beside ours on the
/// wire), `perhaps` (groups that may be absent as a whole), `required`, `optional` (`Option<T>`),
/// `defaulted` (absent means the type's default). A field is `name: Type = "wire name" | "other spelling"`.
/// `group` structs stand beside other fields, `parts` are the raw fields of a type that makes sense of them;
/// `payload` and `native` structs keep unknown fields in `extra` and write scalars as strings or as native
/// JSON values.
macro_rules! object {
    (group $($rest:tt)*) => {
        $crate::wire::object::object!(@struct text [] $($rest)*);
        $crate::wire::object::object!(@builder [] $($rest)*);
    };
    (payload $($rest:tt)*) => {
        $crate::wire::object::object!(@struct text [extra] $($rest)*);
        $crate::wire::object::object!(@builder [extra] $($rest)*);
    };
    (native $($rest:tt)*) => {
        $crate::wire::object::object!(@struct native [extra] $($rest)*);
        $crate::wire::object::object!(@builder [extra] $($rest)*);
    };
    (parts $($rest:tt)*) => { $crate::wire::object::object!(@struct native [] $($rest)*); };
    (@struct $style:ident [$($extra:ident)?]
        $(#[doc = $struct_doc:literal])*
        $visibility:vis struct $name:ident {
            $(groups { $($(#[doc = $group_doc:literal])* $group:ident: $group_type:ty),* $(,)? })?
            $(perhaps { $($(#[doc = $perhaps_doc:literal])* $perhaps:ident: $perhaps_type:ty),* $(,)? })?
            $(required { $($(#[doc = $required_doc:literal])* $required:ident: $required_type:ty = $required_key:literal $(| $required_alias:literal)*),* $(,)? })?
            $(optional { $($(#[doc = $optional_doc:literal])* $optional:ident: $optional_type:ty = $optional_key:literal $(| $optional_alias:literal)*),* $(,)? })?
            $(defaulted { $($(#[doc = $defaulted_doc:literal])* $defaulted:ident: $defaulted_type:ty = $defaulted_key:literal $(| $defaulted_alias:literal)*),* $(,)? })?
        }
    ) => {
        $(#[doc = $struct_doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        $visibility struct $name {
            $($($(#[doc = $group_doc])* pub $group: $group_type,)*)?
            $($($(#[doc = $perhaps_doc])* pub $perhaps: Option<$perhaps_type>,)*)?
            $($($(#[doc = $required_doc])* pub $required: $required_type,)*)?
            $($($(#[doc = $optional_doc])* pub $optional: Option<$optional_type>,)*)?
            $($($(#[doc = $defaulted_doc])* pub $defaulted: $defaulted_type,)*)?
            $(
                /// Fields that this version of the protocol does not know, as they came.
                pub $extra: $crate::Extra,
            )?
        }

        const _: () = {
            use $crate::wire::object::Fields;

            pub(crate) struct Partial {
                $($(pub(crate) $group: <$group_type as Fields>::Partial,)*)?
                $($(pub(crate) $perhaps: <$perhaps_type as Fields>::Partial,)*)?
                $($(pub(crate) $required: Option<$required_type>,)*)?
                $($(pub(crate) $optional: Option<$optional_type>,)*)?
                $($(pub(crate) $defaulted: Option<$defaulted_type>,)*)?
                $(pub(crate) $extra: $crate::Extra,)?
            }

            #[allow(clippy::derivable_impls, reason = "a derive would ask the fields' types for defaults")]
            impl Default for Partial {
                fn default() -> Self {
                    Self {
                        $($($group: Default::default(),)*)?
                        $($($perhaps: Default::default(),)*)?
                        $($($required: None,)*)?
                        $($($optional: None,)*)?
                        $($($defaulted: None,)*)?
                        $($extra: Default::default(),)?
                    }
                }
            }

            impl Fields for $name {
                type Partial = Partial;

                #[allow(unused_variables, reason = "a struct may be made of groups alone, or of none")]
                fn take<'de, A: ::serde::de::MapAccess<'de>>(
                    partial: &mut Partial,
                    key: &str,
                    entries: &mut A,
                ) -> Result<bool, A::Error> {
                    match key {
                        $($($required_key $(| $required_alias)* => return $crate::wire::object::take_field(&mut partial.$required, entries),)*)?
                        $($($optional_key $(| $optional_alias)* => return $crate::wire::object::take_field(&mut partial.$optional, entries),)*)?
                        $($($defaulted_key $(| $defaulted_alias)* => return $crate::wire::object::take_field(&mut partial.$defaulted, entries),)*)?
                        _ => {}
                    }
                    $($(
                        if <$group_type as Fields>::take(&mut partial.$group, key, entries)? {
                            return Ok(true);
                        }
                    )*)?
                    $($(
                        if <$perhaps_type as Fields>::take(&mut partial.$perhaps, key, entries)? {
                            return Ok(true);
                        }
                    )*)?
                    $(
                        partial.$extra.insert(key, entries.next_value::<::serde_json::Value>()?);
                        return Ok(true);
                    )?
                    #[allow(unreachable_code, reason = "reached where unknown fields are the caller's affair")]
                    Ok(false)
                }

                #[allow(unused_variables, reason = "a struct may require nothing")]
                fn is_present(partial: &Partial) -> bool {
                    false $($(|| partial.$required.is_some())*)?
                }

                fn finish<E: ::serde::de::Error>(partial: Partial) -> Result<Self, E> {
                    Ok(Self {
                        $($($group: Fields::finish(partial.$group)?,)*)?
                        $($($perhaps: if <$perhaps_type as Fields>::is_present(&partial.$perhaps) {
                            Some(Fields::finish(partial.$perhaps)?)
                        } else {
                            None
                        },)*)?
                        $($($required: partial.$required.ok_or_else(|| E::missing_field($required_key))?,)*)?
                        $($($optional: partial.$optional,)*)?
                        $($($defaulted: partial.$defaulted.unwrap_or_default(),)*)?
                        $($extra: partial.$extra,)?
                    })
                }

                #[cfg(feature = "schema")]
                #[allow(unused_variables, reason = "a struct may be made of groups alone, or of none")]
                fn describe(schema: &mut $crate::schema::ObjectSchema, generator: &mut ::schemars::SchemaGenerator) {
                    $($(schema.group::<$group_type>(generator);)*)?
                    $($(schema.optional_group::<$perhaps_type>(generator);)*)?
                    $($(schema.required::<$required_type>(&[$required_key $(, $required_alias)*], concat!($($required_doc, "\n"),*), generator);)*)?
                    $($(schema.optional::<$optional_type>(&[$optional_key $(, $optional_alias)*], concat!($($optional_doc, "\n"),*), generator);)*)?
                    $($(schema.optional::<$defaulted_type>(&[$defaulted_key $(, $defaulted_alias)*], concat!($($defaulted_doc, "\n"),*), generator);)*)?
                }
            }

            impl<'de> ::serde::Deserialize<'de> for $name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    $crate::wire::object::read(deserializer)
                }
            }

            impl ::serde::Serialize for $name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    #[derive(::serde::Serialize)]
                    struct Written<'a> {
                        $($(#[serde(flatten)] $group: &'a $group_type,)*)?
                        $($(#[serde(flatten, skip_serializing_if = "Option::is_none")] $perhaps: Option<&'a $perhaps_type>,)*)?
                        $($(#[serde(rename = $required_key)] $required: $crate::wire::object::Written<'a, $required_type, {$crate::wire::object::style::$style}>,)*)?
                        $($(#[serde(rename = $optional_key, skip_serializing_if = "Option::is_none")] $optional: Option<$crate::wire::object::Written<'a, $optional_type, {$crate::wire::object::style::$style}>>,)*)?
                        $($(#[serde(rename = $defaulted_key)] $defaulted: $crate::wire::object::Written<'a, $defaulted_type, {$crate::wire::object::style::$style}>,)*)?
                        $(#[serde(flatten)] $extra: &'a $crate::Extra,)?
                    }
                    Written {
                        $($($group: &self.$group,)*)?
                        $($($perhaps: self.$perhaps.as_ref(),)*)?
                        $($($required: $crate::wire::object::Written(&self.$required),)*)?
                        $($($optional: self.$optional.as_ref().map($crate::wire::object::Written),)*)?
                        $($($defaulted: $crate::wire::object::Written(&self.$defaulted),)*)?
                        $($extra: &self.$extra,)?
                    }
                    .serialize(serializer)
                }
            }

            #[cfg(feature = "schema")]
            impl ::schemars::JsonSchema for $name {
                fn schema_name() -> ::std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                    let mut schema = $crate::schema::ObjectSchema::new(concat!($($struct_doc, "\n"),*));
                    <Self as Fields>::describe(&mut schema, generator);
                    schema.finish()
                }
            }
        };
    };
    (@builder [$($extra:ident)?]
        $(#[doc = $struct_doc:literal])*
        $visibility:vis struct $name:ident {
            $(groups { $($(#[doc = $group_doc:literal])* $group:ident: $group_type:ty),* $(,)? })?
            $(perhaps { $($(#[doc = $perhaps_doc:literal])* $perhaps:ident: $perhaps_type:ty),* $(,)? })?
            $(required { $($(#[doc = $required_doc:literal])* $required:ident: $required_type:ty = $required_key:literal $(| $required_alias:literal)*),* $(,)? })?
            $(optional { $($(#[doc = $optional_doc:literal])* $optional:ident: $optional_type:ty = $optional_key:literal $(| $optional_alias:literal)*),* $(,)? })?
            $(defaulted { $($(#[doc = $defaulted_doc:literal])* $defaulted:ident: $defaulted_type:ty = $defaulted_key:literal $(| $defaulted_alias:literal)*),* $(,)? })?
        }
    ) => {
        impl $name {
            /// Makes it of what must be there; the rest is set by the methods named like the fields.
            #[allow(clippy::new_without_default, clippy::too_many_arguments, reason = "as many as the protocol requires")]
            pub fn new(
                $($($group: $group_type,)*)?
                $($($required: impl Into<$required_type>,)*)?
            ) -> Self {
                Self {
                    $($($group,)*)?
                    $($($perhaps: None,)*)?
                    $($($required: $required.into(),)*)?
                    $($($optional: None,)*)?
                    $($($defaulted: Default::default(),)*)?
                    $($extra: Default::default(),)?
                }
            }

            $($(
                #[doc = concat!("Sets [`", stringify!($perhaps), "`](Self#structfield.", stringify!($perhaps), ").")]
                pub fn $perhaps(mut self, value: impl Into<$perhaps_type>) -> Self {
                    self.$perhaps = Some(value.into());
                    self
                }
            )*)?
            $($(
                #[doc = concat!("Sets [`", stringify!($optional), "`](Self#structfield.", stringify!($optional), ").")]
                pub fn $optional(mut self, value: impl Into<$optional_type>) -> Self {
                    self.$optional = Some(value.into());
                    self
                }
            )*)?
            $($(
                #[doc = concat!("Sets [`", stringify!($defaulted), "`](Self#structfield.", stringify!($defaulted), ").")]
                pub fn $defaulted(mut self, value: impl Into<$defaulted_type>) -> Self {
                    self.$defaulted = value.into();
                    self
                }
            )*)?
        }
    };
}
pub(crate) use object;

/// How an object writes its scalars.
pub(crate) mod style {
    #![allow(non_upper_case_globals, reason = "named as in the macro that takes them")]
    /// As strings, like the top level of a payload.
    pub(crate) const text: bool = true;
    /// As native numbers and booleans, like the entries of rule lists.
    pub(crate) const native: bool = false;
}

/// A field's value on its way out.
pub(crate) struct Written<'a, T, const AS_TEXT: bool>(pub(crate) &'a T);

impl<T: Field + serde::Serialize, const AS_TEXT: bool> serde::Serialize for Written<'_, T, AS_TEXT> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if AS_TEXT { T::write_as_text(self.0, serializer) } else { self.0.serialize(serializer) }
    }
}
