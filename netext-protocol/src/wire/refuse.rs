//! How a value of the wrong kind is refused: by naming the kinds, never the value.

use std::fmt;

use serde::de;

/// The methods of a visitor for the kinds of values that it does not take. serde's own methods would quote
/// the value, and nobody can tell whether what stands in the wrong place is a secret.
macro_rules! refuse {
    ($de:lifetime, $($kind:ident)*) => { $($crate::wire::refuse::refuse!(@$kind $de);)* };
    (@text $de:lifetime) => {
        fn visit_str<E: ::serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
            Err($crate::wire::refuse::wrong_kind(&self, "a text"))
        }
    };
    (@number $de:lifetime) => {
        fn visit_i64<E: ::serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Err($crate::wire::refuse::wrong_kind(&self, "a number"))
        }

        fn visit_u64<E: ::serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Err($crate::wire::refuse::wrong_kind(&self, "a number"))
        }

        fn visit_f64<E: ::serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Err($crate::wire::refuse::wrong_kind(&self, "a number"))
        }
    };
    (@flag $de:lifetime) => {
        fn visit_bool<E: ::serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Err($crate::wire::refuse::wrong_kind(&self, "true or false"))
        }
    };
    (@null $de:lifetime) => {
        fn visit_unit<E: ::serde::de::Error>(self) -> Result<Self::Value, E> {
            Err($crate::wire::refuse::wrong_kind(&self, "null"))
        }
    };
    (@list $de:lifetime) => {
        fn visit_seq<A: ::serde::de::SeqAccess<$de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err($crate::wire::refuse::wrong_kind(&self, "a list"))
        }
    };
    (@object $de:lifetime) => {
        fn visit_map<A: ::serde::de::MapAccess<$de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err($crate::wire::refuse::wrong_kind(&self, "an object"))
        }
    };
}
pub(crate) use refuse;

pub(crate) fn wrong_kind<E: de::Error>(expected: &dyn de::Expected, found: &str) -> E {
    struct Shown<'a>(&'a dyn de::Expected);

    impl fmt::Display for Shown<'_> {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(formatter)
        }
    }

    E::custom(format_args!("expected {}, found {found}", Shown(expected)))
}
