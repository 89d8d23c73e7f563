//! Words of a fixed choice, read in any case; every other word is refused.

/// Defines enums whose variants are words: `Name = "what is expected", "pattern" { Variant = "word", }`. The
/// words are lower case, the pattern takes them in any.
macro_rules! choices {
    ($($(#[$meta:meta])* $name:ident = $expected:literal, $pattern:literal { $($(#[doc = $doc:literal])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$meta])*
        pub enum $name {
            $($(#[doc = $doc])* $variant,)*
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.write_str(match self {
                    $(Self::$variant => $text,)*
                })
            }
        }

        impl $crate::wire::text::Text for $name {
            const EXPECTED: &'static str = $expected;
            const PATTERN: Option<&'static str> = Some($pattern);
            const WORDS: &'static [(&'static str, &'static str)] = &[$(($text, concat!($($doc),*))),*];

            fn parse_text(text: &str) -> Option<Self> {
                match text.to_ascii_lowercase().as_str() {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }

            #[cfg(feature = "schema")]
            fn strict_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        /// The words, each with its meaning.
        #[cfg(feature = "schema")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                $crate::schema::words::<Self>(stringify!($name))
            }
        }

        $crate::wire::text::text_type!($name);
    )*};
}
pub(crate) use choices;
