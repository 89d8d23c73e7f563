//! The schemas of single values.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{define, is_strict, prose};
use crate::wire::text::Text;

/// A scalar. On the wire it is its text, or a native number or boolean whose text it would take.
pub(crate) fn scalar<T: Text>(generator: &mut SchemaGenerator) -> Schema {
    if is_strict(generator) {
        return T::strict_schema(generator);
    }
    let mut types = vec!["string"];
    types.extend(T::parse_text("1").map(|_| "number"));
    types.extend(T::parse_text("true").map(|_| "boolean"));
    // For the reference: a field's own description takes the place of this one.
    let mut schema = json_schema!({ "type": types, "description": T::EXPECTED, "x-value": T::EXPECTED });
    if !T::WORDS.is_empty() {
        let word = |(word, meaning): &(&str, &str)| json!({ "const": word, "description": prose(meaning) });
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

/// A text in the strict form.
pub(crate) fn strict_text(pattern: Option<&str>, is_secret: bool) -> Schema {
    let mut schema = json_schema!({ "type": "string" });
    if let Some(pattern) = pattern {
        schema.insert("pattern".into(), pattern.into());
    }
    if is_secret {
        schema.insert("writeOnly".into(), true.into());
    }
    schema
}

/// An address or network in the strict form.
#[derive(Clone, Copy)]
pub(crate) enum StrictAddress {
    /// By a format that generators know.
    Formatted(&'static str),
    /// By its pattern.
    Patterned,
    /// By its pattern, as a type of this name: in lists, where generators would invent one.
    Named(&'static str),
}

impl StrictAddress {
    pub(crate) fn schema(self, expected: &str, pattern: &str, generator: &mut SchemaGenerator) -> Schema {
        match self {
            Self::Formatted(format) => json_schema!({ "type": "string", "format": format }),
            Self::Patterned => strict_text(Some(pattern), false),
            Self::Named(title) => {
                let schema = json_schema!({
                    "title": title, "description": expected, "type": "string", "pattern": pattern,
                });
                define(schema, generator)
            }
        }
    }
}

/// A whole number in the strict form.
pub(crate) fn integer(minimum: i64, maximum: u64) -> Schema {
    let mut schema = json_schema!({ "type": "integer", "minimum": minimum });
    // Identifiers have 63 bits in the server's database; larger limits are no numbers of JavaScript.
    if maximum <= u32::MAX.into() {
        schema.insert("maximum".into(), maximum.into());
    } else {
        schema.insert("format".into(), "int64".into());
    }
    schema
}

/// The words of a fixed choice, each with its meaning: for people in the description, which generators copy to
/// the type, and one by one in `x-enum-descriptions`, as `OpenAPI` has them.
pub(crate) fn words<T: Text>(title: &str) -> Schema {
    let meanings: Vec<_> = T::WORDS.iter().map(|(_, meaning)| prose(meaning)).collect();
    let each = T::WORDS.iter().zip(&meanings).map(|((word, _), meaning)| format!(" {word}: {meaning}"));
    // "a direction (ingress, egress)"
    let (kind, _) = T::EXPECTED.split_once(" (").unwrap_or((T::EXPECTED, ""));
    let kind = kind.strip_prefix("a ").or_else(|| kind.strip_prefix("an ")).unwrap_or(kind);
    json_schema!({
        "title": title,
        "description": format!("The {kind}.{}", each.collect::<String>()),
        "type": "string",
        "enum": T::WORDS.iter().map(|(word, _)| word).collect::<Vec<_>>(),
        "x-enum-descriptions": meanings,
    })
}

/// Words that newer servers may add to.
pub(crate) fn open_words(words: &[(&str, &str)]) -> Schema {
    let each = words.iter().map(|(word, meaning)| json!({ "const": word, "description": prose(meaning) }));
    let known: Vec<Value> = each.collect();
    json_schema!({ "type": "string", "examples": words.iter().map(|(word, _)| word).collect::<Vec<_>>(), "x-known-values": known })
}

/// An object; on the wire also a text that holds one as JSON.
pub(crate) fn object_or_json<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    if is_strict(generator) {
        return generator.subschema_for::<T>();
    }
    object_in_text(json!({ "type": "object" }))
}

/// An object of texts; on the wire also of other scalars, and also as a text that holds one as JSON. Any of them
/// may be a credential.
pub(crate) fn texts_by_name(title: &str, description: &str, generator: &mut SchemaGenerator) -> Schema {
    let texts = |types: Value| json!({ "type": "object", "additionalProperties": { "type": types, "writeOnly": true } });
    if !is_strict(generator) {
        return object_in_text(texts(json!(["string", "number", "boolean", "null"])));
    }
    let mut schema: Schema = texts(json!("string")).try_into().unwrap_or_default();
    schema.insert("title".into(), title.into());
    schema.insert("description".into(), description.into());
    define(schema, generator)
}

fn object_in_text(object: Value) -> Schema {
    // A blank text holds none.
    let text = json!({
        "type": "string",
        "contentMediaType": "application/json",
        "pattern": r"^\s*(\{[\s\S]*\}\s*)?$",
    });
    json_schema!({ "anyOf": [object, text] })
}

/// The only `status` that a response may bear: the server takes any other for a failure.
pub(crate) fn success(generator: &SchemaGenerator) -> Value {
    if is_strict(generator) {
        json!({ "type": "string", "const": "success" })
    } else {
        json!({ "type": "string", "pattern": "^[Ss][Uu][Cc][Cc][Ee][Ss][Ss]$" })
    }
}

/// An object that needs no `status`, and bears none but that of a success. In the strict form it is no field:
/// there is nothing to say by it.
pub(crate) fn claiming_no_failure(mut schema: Schema, generator: &SchemaGenerator) -> Schema {
    let status = json!({ "status": success(generator) });
    if is_strict(generator) {
        schema.insert("if".into(), json!({ "required": ["status"] }));
        schema.insert("then".into(), json!({ "properties": status }));
    } else if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.extend(status.as_object().cloned().unwrap_or_default());
    } else {
        schema.insert("properties".into(), status);
    }
    schema
}
