//! Words of a fixed choice, read in any case; every other word is refused.

/// Defines enums whose variants are words: `Name = "what is expected", "pattern" { Variant = "word", }`. The
/// words are lower case, the pattern takes them in any.
macro_rules! choices {
    ($($(#[$meta:meta])* $name:ident = $expected:literal, $pattern:literal { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$meta])*
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
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

            fn parse_text(text: &str) -> Option<Self> {
                match text.to_ascii_lowercase().as_str() {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        $crate::wire::text::text_type!($name);
    )*};
}
pub(crate) use choices;
