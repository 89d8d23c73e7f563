//! Scalars: values with a textual form, sent as a JSON string, number or boolean.

#![cfg_attr(not(feature = "schema"), allow(dead_code, reason = "patterns are for the schemas alone"))]

use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::de::{self, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use super::refusal::{excerpt, refuse};

/// A value with a textual form on the wire.
pub(crate) trait Text: Sized {
    /// A correct value in words; ends the sentence "`"x"` is not ...".
    const EXPECTED: &'static str;
    /// The same as a regular expression for the JSON Schemas; `None` where any text will do.
    const PATTERN: Option<&'static str> = None;
    /// Whether the value is a secret, which no error may show.
    const SECRET: bool = false;
    /// The known words, each with its meaning, where the value is one of few.
    const WORDS: &'static [(&'static str, &'static str)] = &[];

    /// Reads the textual form.
    fn parse_text(text: &str) -> Option<Self>;

    /// Writes the strict form, by default as serde does.
    fn write_strict<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>
    where
        Self: Serialize,
    {
        self.serialize(serializer)
    }

    /// The schema of the strict form.
    #[cfg(feature = "schema")]
    fn strict_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        super::json_schema::strict_text(Self::PATTERN, Self::SECRET)
    }
}

/// The reason why a text is not a value of a type, such as `"70000" is not a port or port range`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{shown} is not {expected}")]
pub struct InvalidText {
    shown: String,
    expected: &'static str,
}

impl InvalidText {
    pub(crate) fn new<T: Text>(text: &str) -> Self {
        let shown = if T::SECRET { "the value given".to_owned() } else { excerpt(text) };
        Self { shown, expected: T::EXPECTED }
    }
}

pub(crate) fn parse<T: Text>(text: &str) -> Result<T, InvalidText> {
    T::parse_text(text).ok_or_else(|| InvalidText::new::<T>(text))
}

/// Reads a scalar from a JSON string, number or boolean.
pub(crate) fn read<'de, T: Text, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(TextVisitor(PhantomData))
}

struct TextVisitor<T>(PhantomData<T>);

impl<'de, T: Text> Visitor<'de> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::EXPECTED)
    }

    refuse!('de, null list object);

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        parse(text).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        // Beyond this, the number may differ from the one that was sent.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.abs() >= EXACT {
            return Err(E::custom("a number too large to be exact; send it as a text"));
        }
        self.visit_str(&number.to_string())
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<T, E> {
        self.visit_str(if flag { "true" } else { "false" })
    }
}

/// The schema of a scalar. On the wire it is its text, or a native number or boolean whose text is a value.
#[cfg(feature = "schema")]
pub(crate) fn schema<T: Text>(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    use super::json_schema::{is_strict, prose};

    if is_strict(generator) {
        return T::strict_schema(generator);
    }
    let mut types = vec!["string"];
    types.extend(T::parse_text("1").map(|_| "number"));
    types.extend(T::parse_text("true").map(|_| "boolean"));
    // `x-value` is for the reference: a field's own description replaces this one.
    let mut schema =
        schemars::json_schema!({ "type": types, "description": T::EXPECTED, "x-value": T::EXPECTED });
    if !T::WORDS.is_empty() {
        let word = |(word, meaning): &(&str, &str)| serde_json::json!({ "const": word, "description": prose(meaning) });
        schema.insert("x-words".into(), T::WORDS.iter().map(word).collect());
    }
    if let Some(pattern) = T::PATTERN {
        schema.insert("pattern".into(), pattern.into());
    }
    if T::SECRET {
        schema.insert("writeOnly".into(), true.into());
    }
    schema
}

impl Text for bool {
    const EXPECTED: &'static str = "true or false";
    const PATTERN: Option<&'static str> = Some("^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$");

    fn parse_text(text: &str) -> Option<Self> {
        match text {
            _ if text.eq_ignore_ascii_case("true") => Some(true),
            _ if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    #[cfg(feature = "schema")]
    fn strict_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "boolean" })
    }
}

impl Text for String {
    const EXPECTED: &'static str = "a text";

    fn parse_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

macro_rules! number_text {
    ($($type:ty: $expected:literal),* $(,)?) => {$(
        impl Text for $type {
            const EXPECTED: &'static str = $expected;
            const PATTERN: Option<&'static str> = Some("^[0-9]+$");

            fn parse_text(text: &str) -> Option<Self> {
                // `parse` alone would take a leading `+`.
                text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
            }

            #[cfg(feature = "schema")]
            fn strict_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                super::json_schema::integer(0, Self::MAX.into())
            }
        }
    )*};
}

number_text! {
    u8: "a number from 0 to 255",
    u16: "a number from 0 to 65535",
    u32: "a whole number",
    u64: "a whole number",
}

// Patterns for schemas; every octet is checked when the value is read.
const IPV4: &str = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$";
const IPV4_NET: &str = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$";
const IPV6: &str = r"^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$";
const IPV6_NET: &str = r"^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*/[0-9]{1,3}$";
const IP: &str = r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$";
const IP_NET: &str =
    r"^([0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(/[0-9]{1,3})?)$";

macro_rules! address_text {
    ($($type:ty: $expected:literal, $pattern:ident, $strict:ident $(($name:literal))?, $parse:expr;)*) => {$(
        impl Text for $type {
            const EXPECTED: &'static str = $expected;
            const PATTERN: Option<&'static str> = Some($pattern);

            fn parse_text(text: &str) -> Option<Self> {
                ($parse)(text)
            }

            #[cfg(feature = "schema")]
            fn strict_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                super::json_schema::StrictAddress::$strict$(($name))?.schema($expected, $pattern, generator)
            }
        }
    )*};
}

address_text! {
    Ipv4Addr: "an IPv4 address", IPV4, Formatted("ipv4"), |text: &str| text.parse().ok();
    Ipv6Addr: "an IPv6 address", IPV6, Formatted("ipv6"), |text: &str| text.parse().ok();
    IpAddr: "an IP address", IP, Named("IpAddr"), |text: &str| text.parse().ok();
    Ipv4Net: "an IPv4 network such as 10.1.1.0/24", IPV4_NET, Patterned, |text: &str| text.parse().ok();
    Ipv6Net: "an IPv6 network such as 2001:db8:1::/64", IPV6_NET, Patterned, |text: &str| text.parse().ok();
    // In lists of networks a bare address is the network that holds it alone.
    IpNet: "a network such as 203.0.113.0/24", IP_NET, Named("IpNet"), |text: &str| {
        text.parse().ok().or_else(|| text.parse().ok().map(|address: IpAddr| address.into()))
    };
}
