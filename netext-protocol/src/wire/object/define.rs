//! The macro that defines structs of fields, and how each kind of field is read, written and described.

/// Defines a struct of fields.
///
/// A section holds fields of one kind:
///
/// - `groups`: their fields stand beside ours on the wire; `perhaps`: groups that may be absent as a whole;
/// - `required` fields; `embedded` fields, which are required too, and which older senders put into a text;
/// - `optional` (`Option<T>`) and `defaulted` fields (absent means the type's default).
///
/// A field is `name: Type = "wire name" | "other spelling"`; `older` stands before a spelling that only senders
/// write which follow an older README. `group` structs stand beside other fields, `parts` are the raw fields of
/// a type that makes sense of them; `payload` and `native` structs keep unknown fields in `extra` and write
/// scalars as strings or as native JSON values.
macro_rules! object {
    (group $($rest:tt)*) => { $crate::wire::object::object!(@define Text built [] $($rest)*); };
    (payload $($rest:tt)*) => { $crate::wire::object::object!(@define Text built [extra] $($rest)*); };
    (native $($rest:tt)*) => { $crate::wire::object::object!(@define Native built [extra] $($rest)*); };
    (parts $($rest:tt)*) => { $crate::wire::object::object!(@define Native bare [] $($rest)*); };

    (@define $style:ident $building:ident [$($extra:ident)?]
        $(#[doc = $struct_doc:literal])*
        $visibility:vis struct $name:ident {
            $($section:ident {
                $($(#[doc = $doc:literal])* $field:ident: $type:ty $(= $key:literal $(| $($age:ident)? $alias:literal)*)?),* $(,)?
            })*
        }
    ) => {
        $(#[doc = $struct_doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        $visibility struct $name {
            $($($(#[doc = $doc])* pub $field: $crate::wire::object::object!(@type $section $type),)*)*
            $(
                /// Fields that this version of the protocol does not know, as they came.
                pub $extra: $crate::Extra,
            )?
        }

        const _: () = {
            use $crate::wire::object::{Fields, Style, object};

            pub(crate) struct Partial {
                $($(pub(crate) $field: object!(@partial $section $type),)*)*
                $(pub(crate) $extra: $crate::Extra,)?
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
                    $($(object!(@take $section $type, partial.$field, key, entries, [$($key $(| $alias)*)?]);)*)*
                    $(
                        partial.$extra.insert(key, entries.next_value::<::serde_json::Value>()?);
                        return Ok(true);
                    )?
                    #[allow(unreachable_code, reason = "reached where unknown fields are the caller's affair")]
                    Ok(false)
                }

                #[allow(unused_variables, reason = "a struct may require nothing")]
                fn is_present(partial: &Partial) -> bool {
                    false $($(|| object!(@is_present $section partial.$field))*)*
                }

                fn finish<E: ::serde::de::Error>(partial: Partial) -> Result<Self, E> {
                    Ok(Self {
                        $($($field: object!(@finish $section $type, partial.$field, [$($key)?]),)*)*
                        $($extra: partial.$extra,)?
                    })
                }

                fn write<S: ::serde::ser::SerializeMap>(
                    &self,
                    style: Style,
                    object: &mut S,
                ) -> Result<(), S::Error> {
                    $($(object!(@write $section &self.$field, style, object, [$($key)?]);)*)*
                    $(
                        for (name, value) in self.$extra.iter() {
                            object.serialize_entry(name, value)?;
                        }
                    )?
                    Ok(())
                }

                #[cfg(feature = "schema")]
                fn describe(schema: &mut $crate::schema::ObjectSchema, generator: &mut ::schemars::SchemaGenerator) {
                    $($(
                        object!(
                            @describe $section $type, schema, generator, concat!($($doc, "\n"),*),
                            [$(
                                $crate::schema::Spelling { name: $key, is_older: false },
                                $($crate::schema::Spelling { name: $alias, is_older: object!(@is_older $($age)?) },)*
                            )?]
                        );
                    )*)*
                }
            }

            impl<'de> ::serde::Deserialize<'de> for $name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    $crate::wire::object::read(deserializer)
                }
            }

            impl ::serde::Serialize for $name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    $crate::wire::object::Written(self, Style::$style).serialize(serializer)
                }
            }

            #[cfg(feature = "schema")]
            impl ::schemars::JsonSchema for $name {
                fn schema_name() -> ::std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                    let mut schema = $crate::schema::ObjectSchema::new(
                        stringify!($name),
                        concat!($($struct_doc, "\n"),*),
                        generator,
                    );
                    <Self as Fields>::describe(&mut schema, generator);
                    schema.finish()
                }
            }
        };

        $crate::wire::object::object!(
            @$building $name [$($extra)?] $($($section $field: $type;)*)*
        );
    };

    // The type of a field, and of what is known of it while keys are being read.
    (@type groups $type:ty) => { $type };
    (@type perhaps $type:ty) => { Option<$type> };
    (@type required $type:ty) => { $type };
    (@type embedded $type:ty) => { $type };
    (@type optional $type:ty) => { Option<$type> };
    (@type defaulted $type:ty) => { $type };

    (@partial groups $type:ty) => { <$type as Fields>::Partial };
    (@partial perhaps $type:ty) => { <$type as Fields>::Partial };
    (@partial $field:ident $type:ty) => { Option<$type> };

    // Reads the value of a key that is the field's own.
    (@take groups $type:ty, $place:expr, $key:ident, $entries:ident, []) => {
        if <$type as Fields>::take(&mut $place, $key, $entries)? {
            return Ok(true);
        }
    };
    (@take perhaps $type:ty, $place:expr, $key:ident, $entries:ident, []) => {
        object!(@take groups $type, $place, $key, $entries, [])
    };
    (@take embedded $type:ty, $place:expr, $key:ident, $entries:ident, [$($name:pat)?]) => {
        if matches!($key, $($name)?) {
            return $crate::wire::object::take_embedded(&mut $place, $entries);
        }
    };
    (@take $field:ident $type:ty, $place:expr, $key:ident, $entries:ident, [$($name:pat)?]) => {
        if matches!($key, $($name)?) {
            return $crate::wire::object::take_field(&mut $place, $entries);
        }
    };

    // Whether a field is there that tells that the whole object is.
    (@is_present required $partial:expr) => { $partial.is_some() };
    (@is_present embedded $partial:expr) => { $partial.is_some() };
    (@is_present $other:ident $partial:expr) => { false };

    (@finish groups $type:ty, $partial:expr, []) => { Fields::finish($partial)? };
    (@finish perhaps $type:ty, $partial:expr, []) => {
        if <$type as Fields>::is_present(&$partial) { Some(Fields::finish($partial)?) } else { None }
    };
    (@finish optional $type:ty, $partial:expr, [$key:literal]) => { $partial };
    (@finish defaulted $type:ty, $partial:expr, [$key:literal]) => { $partial.unwrap_or_default() };
    (@finish $must:ident $type:ty, $partial:expr, [$key:literal]) => {
        $partial.ok_or_else(|| E::missing_field($key))?
    };

    (@write groups $value:expr, $style:ident, $object:ident, []) => { Fields::write($value, $style, $object)? };
    (@write perhaps $value:expr, $style:ident, $object:ident, []) => {
        if let Some(group) = $value {
            Fields::write(group, $style, $object)?;
        }
    };
    (@write optional $value:expr, $style:ident, $object:ident, [$key:literal]) => {
        if let Some(value) = $value {
            $object.serialize_entry($key, &$crate::wire::object::WrittenValue(value, $style))?;
        }
    };
    (@write defaulted $value:expr, $style:ident, $object:ident, [$key:literal]) => {
        if $style != Style::Strict || !$crate::wire::field::Field::is_left_out($value) {
            $object.serialize_entry($key, &$crate::wire::object::WrittenValue($value, $style))?;
        }
    };
    (@write $field:ident $value:expr, $style:ident, $object:ident, [$key:literal]) => {
        $object.serialize_entry($key, &$crate::wire::object::WrittenValue($value, $style))?
    };

    (@describe groups $type:ty, $schema:ident, $generator:ident, $doc:expr, []) => {
        $schema.group::<$type>($generator)
    };
    (@describe perhaps $type:ty, $schema:ident, $generator:ident, $doc:expr, []) => {
        $schema.optional_group::<$type>($generator)
    };
    (@describe required $type:ty, $schema:ident, $generator:ident, $doc:expr, [$($spelling:expr,)*]) => {
        $schema.required::<$type>(&[$($spelling),*], $doc, $generator)
    };
    (@describe embedded $type:ty, $schema:ident, $generator:ident, $doc:expr, [$($spelling:expr,)*]) => {
        $schema.required::<$crate::wire::embedded::FromText<$type>>(&[$($spelling),*], $doc, $generator)
    };
    (@describe optional $type:ty, $schema:ident, $generator:ident, $doc:expr, [$($spelling:expr,)*]) => {
        $schema.optional::<$type>(&[$($spelling),*], $doc, $generator)
    };
    (@describe defaulted $type:ty, $schema:ident, $generator:ident, $doc:expr, [$($spelling:expr,)*]) => {
        $schema.defaulted::<$type>(&[$($spelling),*], $doc, $generator)
    };

    (@is_older) => { false };
    (@is_older older) => { true };

    // The constructor takes what must be there, the other fields have a method each.
    (@bare $($rest:tt)*) => {};
    (@built $name:ident [$($extra:ident)?] $($section:ident $field:ident: $type:ty;)*) => {
        impl $name {
            $crate::wire::object::object!(@new [] [$($extra: Default::default(),)?] $($section $field: $type;)*);
            $($crate::wire::object::object!(@setter $section $field $type);)*
        }
    };

    (@new [$($argument:tt)*] [$($value:tt)*]) => {
        /// Makes it of what must be there; the rest is set by the methods named like the fields.
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

    (@setter groups $field:ident $type:ty) => {};
    (@setter required $field:ident $type:ty) => {};
    (@setter embedded $field:ident $type:ty) => {};
    (@setter defaulted $field:ident $type:ty) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
        pub fn $field(mut self, value: impl Into<$type>) -> Self {
            self.$field = value.into();
            self
        }
    };
    (@setter $section:ident $field:ident $type:ty) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
        pub fn $field(mut self, value: impl Into<$type>) -> Self {
            self.$field = Some(value.into());
            self
        }
    };
}
pub(crate) use object;
