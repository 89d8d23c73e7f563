//! Enums whose variants are words on the wire, read in any case.

/// Defines enums of a fixed choice, where every other word is refused: `Name = "expected value", "pattern" {
/// Variant = "word", }`. The words are lower case; the pattern takes them in any case.
macro_rules! choices {
    ($($(#[$meta:meta])* $name:ident = $expected:literal, $pattern:literal { $($(#[doc = $doc:literal])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$meta])*
        pub enum $name {
            $($(#[doc = $doc])* $variant,)*
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.write_str(match self {
                    $(Self::$variant => $word,)*
                })
            }
        }

        impl $crate::wire::text::Text for $name {
            const EXPECTED: &'static str = $expected;
            const PATTERN: Option<&'static str> = Some($pattern);
            const WORDS: &'static [(&'static str, &'static str)] = &[$(($word, concat!($($doc),*))),*];

            fn parse_text(text: &str) -> Option<Self> {
                match text.to_ascii_lowercase().as_str() {
                    $($word => Some(Self::$variant),)*
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
                use $crate::wire::text::Text;
                $crate::wire::json_schema::words(stringify!($name), Self::EXPECTED, Self::WORDS)
            }
        }

        $crate::wire::field::text_type!($name);
    )*};
}
pub(crate) use choices;

/// Defines enums of words that newer servers may add to: `Name = "expected value", or "another word" {
/// Variant = "word", }`. Another word is kept unchanged.
macro_rules! open_words {
    ($($(#[$meta:meta])* $name:ident = $expected:literal, or $other:literal { $($(#[doc = $doc:literal])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $doc])* $variant,)*
            #[doc = $other]
            Other(String),
        }

        impl $name {
            /// The words that this version of the protocol knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),*];

            /// The meaning of the word, in a sentence or two.
            pub const fn meaning(&self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),*).trim_ascii(),)*
                    Self::Other(_) => $other,
                }
            }

            /// The word on the wire.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(name) => name,
                }
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                match name {
                    $(_ if name.eq_ignore_ascii_case($word) => Self::$variant,)*
                    _ => Self::Other(name.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                name.as_str().into()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.write_str(self.name())
            }
        }

        impl $crate::wire::text::Text for $name {
            const EXPECTED: &'static str = $expected;
            const WORDS: &'static [(&'static str, &'static str)] = &[$(($word, concat!($($doc),*))),*];

            fn parse_text(text: &str) -> Option<Self> {
                Some(text.into())
            }

            #[cfg(feature = "schema")]
            fn strict_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                $crate::wire::json_schema::open_words(Self::WORDS)
            }
        }
    )*};
}
pub(crate) use open_words;
