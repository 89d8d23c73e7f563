//! Names of the Domain Name System.

use std::fmt;
use std::sync::Arc;

use crate::wire::text::{Text, text_type};

/// Whether the text is a name of dot-separated labels: letters, digits, `-` and `_`, no `-` at either end of
/// a label, 63 characters a label and 253 in all.
///
/// Nothing else can stand in such a name: no space, comma, slash, quote or line break, and no `..`.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

const PATTERN: &str =
    r"^[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?(\.[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?)*$";

macro_rules! names {
    ($($(#[$meta:meta])* $name:ident = $expected:literal;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl Text for $name {
            const EXPECTED: &'static str = $expected;
            const PATTERN: Option<&'static str> = Some(PATTERN);

            fn parse_text(text: &str) -> Option<Self> {
                is_name(text).then(|| Self(text.into()))
            }
        }

        text_type!($name);
    )*};
}

names! {
    /// An instance's host name: one label or several.
    HostName = "a host name (letters, digits, '-' and '_', labels joined by '.')";
    /// The DNS domain of a network.
    DomainName = "a domain name (letters, digits, '-' and '_', labels joined by '.')";
}
