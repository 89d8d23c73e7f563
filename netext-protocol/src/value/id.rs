//! Identifiers that the management server gives to things.

use std::fmt;

use crate::wire::text::{Text, text_type};

macro_rules! numeric_ids {
    ($($(#[$meta:meta])* $name:ident = $expected:literal;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The identifier with this number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The number, as in the server's database.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl From<u64> for $name {
            fn from(number: u64) -> Self {
                Self(number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl Text for $name {
            const EXPECTED: &'static str = $expected;
            const PATTERN: Option<&'static str> = <u64 as Text>::PATTERN;

            fn parse_text(text: &str) -> Option<Self> {
                u64::parse_text(text).map(Self)
            }

            fn write_strict<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u64(self.0)
            }

            #[cfg(feature = "schema")]
            fn strict_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                u64::strict_schema(generator)
            }
        }

        text_type!($name);
    )*};
}

numeric_ids! {
    /// A guest network, or a tier of a VPC.
    NetworkId = "a network id (a number)";
    /// A virtual private cloud.
    VpcId = "a VPC id (a number)";
    /// An availability zone.
    ZoneId = "a zone id (a number)";
    /// An instance's network interface, by the number that the server's tables use.
    NicId = "a NIC id (a number)";
}

/// An instance's network interface, by the identifier that the API shows: up to 64 letters, digits and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NicUuid(String);

impl NicUuid {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NicUuid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Text for NicUuid {
    const EXPECTED: &'static str = "a NIC uuid (up to 64 letters, digits and '-')";
    const PATTERN: Option<&'static str> = Some("^[0-9A-Za-z-]{1,64}$");

    fn parse_text(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (plain && (1..=64).contains(&text.len())).then(|| Self(text.to_owned()))
    }
}

text_type!(NicUuid);
