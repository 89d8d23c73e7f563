//! What kind a network is and what state the server holds it in.

use std::fmt;

use crate::wire::choice::choices;
use crate::wire::text::{Text, text_type};

choices! {
    /// How guests use a network. An unknown kind is refused: it decides what is routed and filtered.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    GuestType = "a guest type (isolated, shared, l2)",
        "^([Ii][Ss][Oo][Ll][Aa][Tt][Ee][Dd]|[Ss][Hh][Aa][Rr][Ee][Dd]|[Ll]2)$" {
        /// A network of its own behind a router, with NAT and firewall; also a tier of a VPC.
        Isolated = "isolated",
        /// A network that the data centre routes; the extension only serves it (DHCP, DNS, user data).
        Shared = "shared",
        /// A bare segment: no addresses, no services.
        L2 = "l2",
    }
}

macro_rules! states {
    ($($(#[$meta:meta])* $name:ident { $($(#[doc = $doc:literal])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $doc])* $variant,)*
            /// A state that this version of the protocol does not know.
            Other(String),
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(match self {
                    $(Self::$variant => $text,)*
                    Self::Other(state) => state,
                })
            }
        }

        impl Text for $name {
            const EXPECTED: &'static str = "a state; newer servers may have others";
            const WORDS: &'static [(&'static str, &'static str)] = &[$(($text, concat!($($doc),*))),*];

            fn parse_text(text: &str) -> Option<Self> {
                Some(match text.to_ascii_lowercase().as_str() {
                    $($text => Self::$variant,)*
                    _ => Self::Other(text.to_owned()),
                })
            }

            #[cfg(feature = "schema")]
            fn strict_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                crate::schema::open_words(Self::WORDS)
            }
        }

        text_type!($name);
    )*};
}

states! {
    /// The server's state of a network at the time of the command.
    NetworkState {
        /// Created in the database only.
        Allocated = "allocated",
        /// Set up, not yet implemented.
        Setup = "setup",
        /// Being implemented.
        Implementing = "implementing",
        /// In use.
        Implemented = "implemented",
        /// Being shut down; may be implemented again.
        Shutdown = "shutdown",
        /// Being destroyed.
        Destroy = "destroy",
    }
    /// The server's state of a VPC at the time of the command.
    VpcState {
        /// In use.
        Enabled = "enabled",
        /// Being removed.
        Inactive = "inactive",
    }
}
