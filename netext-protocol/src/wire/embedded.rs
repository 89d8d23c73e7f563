//! Structures inside a text: older senders put rule lists and metadata into a string, as JSON or as Base64 of
//! JSON. Today's server sends an object or a list.

use std::fmt;
use std::marker::PhantomData;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use super::field::{Field, RequiredValue, WriteStyle};
use super::refusal::{PathStep, inner, problem, refuse};

/// A structure that may be inside a text.
pub(crate) trait Embedded: Field {
    /// Decodes the contents of a structure that came as Base64: they are Base64 once more. An error
    /// includes the path.
    fn decode_contents(&mut self) -> Result<(), (Vec<PathStep>, &'static str)> {
        Ok(())
    }
}

/// A structure, sent as itself or inside a text.
pub(crate) struct FromText<T>(pub(crate) T);

impl<T: Embedded> Field for FromText<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrStructure(PhantomData)).map(Self)
    }

    fn write<S: serde::Serializer>(
        value: &Self,
        style: WriteStyle,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        T::write(&value.0, style, serializer)
    }

    #[cfg(feature = "schema")]
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let structure = T::schema(generator);
        if super::json_schema::is_strict(generator) {
            return structure;
        }
        schemars::json_schema!({ "anyOf": [
            structure,
            {
                "type": "string",
                "contentMediaType": "application/json",
                "pattern": r"^\s*[\[{][\s\S]*[\]}]\s*$",
                "description": "The same as JSON text.",
                "deprecated": true,
            },
            {
                "type": "string",
                "contentMediaType": "application/json",
                "contentEncoding": "base64",
                "pattern": r"^[0-9A-Za-z+/\s]+[=\s]*$",
                "description": "The same as JSON text in Base64. Contents of files are Base64 once more inside of it.",
                "deprecated": true,
            },
        ] })
    }
}

struct TextOrStructure<T>(PhantomData<T>);

impl<'de, T: Embedded> Visitor<'de> for TextOrStructure<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object or a list, or a text that holds one as JSON or as Base64 of JSON")
    }

    refuse!('de, number flag null);

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<T, A::Error> {
        T::read(SeqAccessDeserializer::new(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<T, A::Error> {
        T::read(MapAccessDeserializer::new(entries))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        if is_json(text.as_bytes()) {
            return parse(text.as_bytes());
        }
        // The text may hold credentials, so it is not quoted.
        let json = decode(text).filter(|json| is_json(json)).ok_or_else(|| {
            E::custom("the text given is neither a JSON object or list nor the Base64 of one")
        })?;
        let mut value: T = parse(&json)?;
        value.decode_contents().map_err(|(path, problem)| inner(&path, problem))?;
        Ok(value)
    }
}

/// Whether the text is an object or a list. No Base64 text begins like this.
fn is_json(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"{") || text.trim_ascii_start().starts_with(b"[")
}

fn parse<T: Field, E: de::Error>(json: &[u8]) -> Result<T, E> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let RequiredValue(value) = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| inner(&PathStep::all_of(error.path()), problem(error.inner())))?;
    deserializer.end().map_err(|error| inner(&[], problem(&error)))?;
    Ok(value)
}

/// Decodes Base64, with or without padding and line breaks; `None` if the text is not Base64.
pub(crate) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let plain: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
    LENIENT.decode(&*plain).ok().map(Zeroizing::new)
}
