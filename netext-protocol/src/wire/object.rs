//! The macro that defines structs of fields.

/// Defines structs of fields. Structs with the same fields stand together, joined by `and`:
///
/// ```text
/// object! { kind
///     /// Documentation.
///     pub struct One and
///     /// Documentation.
///     pub struct Other {
///         section {
///             /// Documentation, and the description in the schema.
///             name: Type = "key" | "other spelling" | older "spelling of older READMEs",
///         }
///     }
/// }
/// ```
///
/// | kind | the struct |
/// | --- | --- |
/// | `payload` | a request: it writes scalars as strings, and keeps unknown fields in `extra` |
/// | `native` | an entry of a rule list or similar: it also keeps unknown fields, but writes native numbers and booleans |
/// | `group` | a group of fields that payloads share |
/// | `parts` | the raw fields of a [`Parts`](crate::wire::fields::Parts) type |
///
/// | section | its fields |
/// | --- | --- |
/// | `groups` | groups without a key: their fields stand beside the struct's own |
/// | `perhaps` | groups that may be absent as a whole |
/// | `required` | must be present |
/// | `embedded` | must be present; older senders put them into a text |
/// | `optional` | an `Option` |
/// | `defaulted` | the default of their type if they are absent |
macro_rules! object {
    ($kind:ident $($(#[doc = $doc:literal])* $visibility:vis struct $name:ident)and+ { $($fields:tt)* }) => {
        $crate::wire::object::object!(
            @each $kind [$([$(#[doc = $doc])* $visibility struct $name])+] { $($fields)* }
        );
    };
    (@each $kind:ident [$($struct:tt)+] $fields:tt) => {
        $($crate::wire::object::object!(@$kind $struct $fields);)+
    };
    (@payload $struct:tt $fields:tt) => { $crate::wire::object::object!(@define Text built [extra] $struct $fields); };
    (@native $struct:tt $fields:tt) => { $crate::wire::object::object!(@define Native nested [extra] $struct $fields); };
    (@group $struct:tt $fields:tt) => { $crate::wire::object::object!(@define Text built [] $struct $fields); };
    (@parts $struct:tt $fields:tt) => { $crate::wire::object::object!(@define Native bare [] $struct $fields); };

    (@define $style:ident $building:ident [$($extra:ident)?]
        [$(#[doc = $struct_doc:literal])* $visibility:vis struct $name:ident]
        {
            $($section:ident {
                $($(#[doc = $doc:literal])* $field:ident: $type:ty $(= $key:literal $(| $($age:ident)? $alias:literal)*)?),* $(,)?
            })*
        }
    ) => {
        $(#[doc = $struct_doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        $visibility struct $name {
            $($($(#[doc = $doc])* pub $field: $crate::wire::object::object!(@$section type $type),)*)*
            $(
                /// Fields that this version of the protocol does not know, unchanged.
                pub $extra: $crate::wire::fields::Extra,
            )?
        }

        const _: () = {
            #[allow(unused_imports, reason = "few structs have fields of every section")]
            use $crate::wire::{
                embedded::FromText, field::{Field, StyledValue, WriteStyle},
                fields::{self, Extra, Fields, StyledObject}, object::object,
            };
            #[cfg(feature = "schema")]
            #[allow(unused_imports, reason = "few structs have fields of every section")]
            use $crate::wire::json_schema::{ObjectSchema, Spelling};

            pub(crate) struct Partial {
                $($(pub(crate) $field: object!(@$section partial $type),)*)*
                $(pub(crate) $extra: Extra,)?
            }

            #[allow(clippy::derivable_impls, reason = "a derive would ask the fields' types for defaults")]
            impl Default for Partial {
                fn default() -> Self {
                    Self {
                        $($($field: Default::default(),)*)*
                        $($extra: Default::default(),)?
                    }
                }
            }

            impl Fields for $name {
                type Partial = Partial;

                fn take<'de, A: ::serde::de::MapAccess<'de>>(
                    partial: &mut Partial,
                    key: &str,
                    entries: &mut A,
                ) -> Result<bool, A::Error> {
                    $($(object!(@$section take $type, partial.$field, key, entries, [$($key $(| $alias)*)?]);)*)*
                    $(
                        partial.$extra.insert(key, entries.next_value::<::serde_json::Value>()?);
                        return Ok(true);
                    )?
                    #[allow(unreachable_code, reason = "reached by structs that do not keep unknown fields")]
                    Ok(false)
                }

                #[allow(unused_variables, reason = "a struct may require nothing")]
                fn is_present(partial: &Partial) -> bool {
                    false $($(|| object!(@$section is_present partial.$field))*)*
                }

                fn finish<E: ::serde::de::Error>(partial: Partial) -> Result<Self, E> {
                    Ok(Self {
                        $($($field: object!(@$section finish $type, partial.$field, [$($key)?]),)*)*
                        $($extra: partial.$extra,)?
                    })
                }

                fn write<S: ::serde::ser::SerializeMap>(
                    &self,
                    style: WriteStyle,
                    object: &mut S,
                ) -> Result<(), S::Error> {
                    $($(object!(@$section write &self.$field, style, object, [$($key)?]);)*)*
                    $(
                        for (name, value) in self.$extra.iter() {
                            object.serialize_entry(name, value)?;
                        }
                    )?
                    Ok(())
                }

                #[cfg(feature = "schema")]
                fn describe(schema: &mut ObjectSchema, generator: &mut ::schemars::SchemaGenerator) {
                    $($(
                        object!(
                            @$section describe $type, schema, generator, concat!($($doc, "\n"),*),
                            &[$(
                                Spelling { name: $key, is_older: false },
                                $(Spelling { name: $alias, is_older: object!(@is_older $($age)?) },)*
                            )?]
                        );
                    )*)*
                }
            }

            impl<'de> ::serde::Deserialize<'de> for $name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    fields::read(deserializer)
                }
            }

            impl ::serde::Serialize for $name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    StyledObject(self, WriteStyle::$style).serialize(serializer)
                }
            }

            #[cfg(feature = "schema")]
            impl ::schemars::JsonSchema for $name {
                fn schema_name() -> ::std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                    let documentation = concat!($($struct_doc, "\n"),*);
                    let mut schema = ObjectSchema::new(stringify!($name), documentation, generator);
                    <Self as Fields>::describe(&mut schema, generator);
                    schema.finish()
                }
            }
        };

        $crate::wire::object::object!(@$building $name [$($extra)?] $($($section $field: $type;)*)*);
    };

    // The sections one by one: the `type` of a field, its `partial` type while keys are read, how to `take`
    // the value of a key, whether the field proves that its struct `is_present`, how to `finish` it after the
    // last key, and how to `write`, `describe` and `set` it.

    (@groups type $type:ty) => { $type };
    (@groups partial $type:ty) => { <$type as Fields>::Partial };
    (@groups take $type:ty, $partial:expr, $key:ident, $entries:ident, []) => {
        if <$type as Fields>::take(&mut $partial, $key, $entries)? {
            return Ok(true);
        }
    };
    (@groups finish $type:ty, $partial:expr, []) => { Fields::finish($partial)? };
    (@groups write $value:expr, $style:ident, $object:ident, []) => { Fields::write($value, $style, $object)? };
    (@groups describe $type:ty, $schema:ident, $generator:ident, $doc:expr, $spellings:expr) => {
        <$type as Fields>::describe($schema, $generator)
    };
    (@groups set $field:ident $type:ty) => {};

    (@perhaps partial $type:ty) => { <$type as Fields>::Partial };
    (@perhaps take $($field:tt)*) => { object!(@groups take $($field)*) };
    (@perhaps finish $type:ty, $partial:expr, []) => {
        if <$type as Fields>::is_present(&$partial) { Some(Fields::finish($partial)?) } else { None }
    };
    (@perhaps write $value:expr, $style:ident, $object:ident, []) => {
        if let Some(group) = $value {
            Fields::write(group, $style, $object)?;
        }
    };
    (@perhaps describe $type:ty, $schema:ident, $generator:ident, $doc:expr, $spellings:expr) => {
        $schema.optional_group(|schema| <$type as Fields>::describe(schema, $generator))
    };

    (@required type $type:ty) => { $type };
    (@required is_present $partial:expr) => { $partial.is_some() };
    (@required finish $type:ty, $partial:expr, [$key:literal]) => {
        $partial.ok_or_else(|| E::missing_field($key))?
    };
    (@required describe $type:ty, $schema:ident, $generator:ident, $doc:expr, $spellings:expr) => {
        $schema.required($spellings, $doc, <$type as Field>::schema($generator))
    };
    (@required set $field:ident $type:ty) => {};

    (@embedded type $type:ty) => { $type };
    (@embedded take $type:ty, $partial:expr, $key:ident, $entries:ident, [$name:pat]) => {
        if matches!($key, $name) {
            return fields::take_embedded(&mut $partial, $entries);
        }
    };
    (@embedded is_present $partial:expr) => { $partial.is_some() };
    (@embedded finish $($field:tt)*) => { object!(@required finish $($field)*) };
    (@embedded describe $type:ty, $($field:tt)*) => { object!(@required describe FromText<$type>, $($field)*) };
    (@embedded set $field:ident $type:ty) => {};

    (@optional finish $type:ty, $partial:expr, [$key:literal]) => { $partial };
    (@optional write $value:expr, $style:ident, $object:ident, [$key:literal]) => {
        if let Some(value) = $value {
            $object.serialize_entry($key, &StyledValue(value, $style))?;
        }
    };
    (@optional describe $type:ty, $schema:ident, $generator:ident, $doc:expr, $spellings:expr) => {
        $schema.optional($spellings, $doc, <$type as Field>::schema($generator))
    };

    (@defaulted type $type:ty) => { $type };
    (@defaulted finish $type:ty, $partial:expr, [$key:literal]) => { $partial.unwrap_or_default() };
    (@defaulted write $value:expr, $style:ident, $object:ident, [$key:literal]) => {
        if $style != WriteStyle::Strict || !Field::is_left_out($value) {
            $object.serialize_entry($key, &StyledValue($value, $style))?;
        }
    };
    (@defaulted describe $type:ty, $schema:ident, $generator:ident, $doc:expr, $spellings:expr) => {{
        let schema = <$type as Field>::schema($generator);
        if Field::is_left_out(&<$type as Default>::default()) {
            $schema.optional($spellings, $doc, schema);
        } else {
            $schema.always_written($spellings, $doc, schema);
        }
    }};
    (@defaulted set $field:ident $type:ty) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
        pub fn $field(mut self, value: impl Into<$type>) -> Self {
            self.$field = value.into();
            self
        }
    };

    // The other rules are the same for every section.
    (@$section:ident type $type:ty) => { Option<$type> };
    (@$section:ident partial $type:ty) => { Option<$type> };
    (@$section:ident take $type:ty, $partial:expr, $key:ident, $entries:ident, [$name:pat]) => {
        if matches!($key, $name) {
            return fields::take_field(&mut $partial, $entries);
        }
    };
    (@$section:ident is_present $partial:expr) => { false };
    (@$section:ident write $value:expr, $style:ident, $object:ident, [$key:literal]) => {
        $object.serialize_entry($key, &StyledValue($value, $style))?
    };
    (@$section:ident set $field:ident $type:ty) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
        pub fn $field(mut self, value: impl Into<$type>) -> Self {
            self.$field = Some(value.into());
            self
        }
    };

    (@is_older) => { false };
    (@is_older older) => { true };

    // The constructor takes the required fields; every other field has a setter of the same name. A `native`
    // struct is also the type of a field.
    (@bare $($rest:tt)*) => {};
    (@built $name:ident [$($extra:ident)?] $($section:ident $field:ident: $type:ty;)*) => {
        impl $name {
            $crate::wire::object::object!(@new [] [$($extra: Default::default(),)?] $($section $field: $type;)*);
            $($crate::wire::object::object!(@$section set $field $type);)*
        }
    };

    (@nested $name:ident $($rest:tt)*) => {
        $crate::wire::object::object!(@built $name $($rest)*);

        impl $crate::wire::field::Field for $name {
            fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::wire::fields::read(deserializer)
            }

            fn write<S: ::serde::Serializer>(
                value: &Self,
                style: $crate::wire::field::WriteStyle,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                ::serde::Serialize::serialize(&$crate::wire::fields::StyledObject(value, style.inside()), serializer)
            }

            #[cfg(feature = "schema")]
            fn schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }
    };

    (@new [$($argument:tt)*] [$($value:tt)*]) => {
        /// Makes it from its required fields. Every other field has a setter of the same name.
        #[allow(clippy::new_without_default, clippy::too_many_arguments, reason = "as many as the protocol requires")]
        pub fn new($($argument)*) -> Self {
            Self { $($value)* }
        }
    };
    (@new [$($argument:tt)*] [$($value:tt)*] groups $field:ident: $type:ty; $($rest:tt)*) => {
        $crate::wire::object::object!(@new [$($argument)* $field: $type,] [$($value)* $field,] $($rest)*);
    };
    (@new [$($argument:tt)*] [$($value:tt)*] required $field:ident: $type:ty; $($rest:tt)*) => {
        $crate::wire::object::object!(
            @new [$($argument)* $field: impl Into<$type>,] [$($value)* $field: $field.into(),] $($rest)*
        );
    };
    (@new [$($argument:tt)*] [$($value:tt)*] embedded $field:ident: $type:ty; $($rest:tt)*) => {
        $crate::wire::object::object!(@new [$($argument)*] [$($value)*] required $field: $type; $($rest)*);
    };
    (@new [$($argument:tt)*] [$($value:tt)*] $section:ident $field:ident: $type:ty; $($rest:tt)*) => {
        $crate::wire::object::object!(@new [$($argument)*] [$($value)* $field: Default::default(),] $($rest)*);
    };
}
pub(crate) use object;
