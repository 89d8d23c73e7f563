//! Texts and bytes that must not be shown.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::wire::embedded::decode;
use crate::wire::field::{Field, RequiredValue, WriteStyle};
use crate::wire::refusal::{refuse, refuse_entry};
use crate::wire::text::{Text, read};

/// A text that never appears in `Debug` output or in an error, and that is wiped from memory when dropped.
///
/// ```
/// # use netext_protocol::Secret;
/// let password = Secret::from("kE3=p&x9");
/// assert_eq!(format!("{password:?}"), "[redacted]");
/// assert_eq!(password.expose(), "kE3=p&x9");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// Writes the secret itself: a forwarded payload must still hold it.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

impl Text for Secret {
    const EXPECTED: &'static str = "a text";
    const SECRET: bool = true;

    fn parse_text(text: &str) -> Option<Self> {
        Some(text.into())
    }
}

impl Field for Secret {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }

    fn write<S: Serializer>(value: &Self, _: WriteStyle, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    fn is_left_out(value: &Self) -> bool {
        value.expose().is_empty()
    }

    #[cfg(feature = "schema")]
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::wire::text::schema::<Self>(generator)
    }
}

/// Bytes that must not be shown, such as a file that an instance reads: a [`Secret`] that need not be text.
///
/// Today's server and README send only text. The Base64 of older READMEs can hold any bytes. The strict form
/// writes bytes that are not UTF-8 as the object `{"base64": "..."}`, which is read too.
///
/// ```
/// # use netext_protocol::SecretBytes;
/// let content = SecretBytes::from("#!/bin/sh\n");
/// assert_eq!(format!("{content:?}"), "[redacted]");
/// assert_eq!(content.expose(), b"#!/bin/sh\n");
/// assert_eq!(content.expose_text(), Some("#!/bin/sh\n"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text; `None` if they are not UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Decodes Base64 as older senders write it, with or without padding and line breaks; `None` if the text
    /// is not Base64.
    ///
    /// ```
    /// # use netext_protocol::SecretBytes;
    /// assert_eq!(SecretBytes::from_base64("aHVudGVyMg").unwrap().expose(), b"hunter2");
    /// assert_eq!(SecretBytes::from_base64("hunter 2!"), None);
    /// ```
    pub fn from_base64(text: &str) -> Option<Self> {
        decode(text).map(Self)
    }

    /// Decodes the bytes as Base64; `None` if they are not Base64.
    pub(crate) fn decoded(&self) -> Option<Self> {
        Self::from_base64(self.expose_text()?)
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_owned().into()
    }
}

impl From<String> for SecretBytes {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<Secret> for SecretBytes {
    fn from(text: Secret) -> Self {
        text.expose().into()
    }
}

impl From<&str> for SecretBytes {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// Writes the bytes themselves: a forwarded or stored payload must still hold them.
impl Serialize for SecretBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.expose_text() {
            Some(text) => serializer.serialize_str(text),
            None => {
                serializer.collect_map([(BASE64, Zeroizing::new(STANDARD.encode(self.expose())).as_str())])
            }
        }
    }
}

impl<'de> Deserialize<'de> for SecretBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrBase64)
    }
}

impl Field for SecretBytes {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn write<S: Serializer>(value: &Self, _: WriteStyle, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    fn is_left_out(value: &Self) -> bool {
        value.expose().is_empty()
    }

    #[cfg(feature = "schema")]
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let binary = generator.subschema_for::<Base64Content>();
        let text = Secret::schema(generator);
        let mut schema = schemars::json_schema!({ "anyOf": [text, binary] });
        if !crate::wire::json_schema::is_strict(generator) {
            return schema;
        }
        schema.insert("title".into(), "SecretBytes".into());
        schema.insert("description".into(), "A text, or bytes that are not text.".into());
        crate::wire::json_schema::define(schema, generator)
    }
}

const BASE64: &str = "base64";

/// The schema of bytes that are not text.
#[cfg(feature = "schema")]
struct Base64Content;

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Base64Content {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Base64Content".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = schemars::json_schema!({
            "title": "Base64Content",
            "type": "object",
            "description": "Bytes that are not text. The server sends only text.",
            "properties": { BASE64: { "type": "string", "contentEncoding": "base64", "description": "The bytes." } },
            "required": [BASE64],
            "writeOnly": true,
        });
        // Generators would make a closed class, which not every version of a language supports.
        if !crate::wire::json_schema::is_strict(generator) {
            schema.insert("additionalProperties".into(), false.into());
        }
        schema
    }
}

struct TextOrBase64;

impl<'de> Visitor<'de> for TextOrBase64 {
    type Value = SecretBytes;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, or an object with the key base64")
    }

    refuse!('de, null list);

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretBytes, E> {
        Ok(text.into())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<SecretBytes, E> {
        Ok(number.to_string().into())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<SecretBytes, E> {
        Ok(number.to_string().into())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<SecretBytes, E> {
        Secret::read(number.into_deserializer()).map(|text: Secret| text.expose().into())
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<SecretBytes, E> {
        Ok(flag.to_string().into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<SecretBytes, A::Error> {
        let mut content = None;
        while let Some(key) = entries.next_key::<String>()? {
            if key != BASE64 || content.is_some() {
                return refuse_entry(&mut entries, "only the key base64 is allowed here, once");
            }
            let RequiredValue(text) = entries.next_value::<RequiredValue<Secret>>()?;
            let bytes =
                decode(text.expose()).ok_or_else(|| de::Error::custom("the text given is not Base64"))?;
            content = Some(SecretBytes(bytes));
        }
        content.ok_or_else(|| de::Error::missing_field(BASE64))
    }
}
