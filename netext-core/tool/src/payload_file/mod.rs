//! Payload files: their fields, each with its classification by the protocol's schema.

mod mask;
mod problems;

use netext_protocol::schema::{self, Form};
use netext_protocol::{Command, SecretBytes};
use serde_json::Value;

pub(crate) use mask::{MASK, masked};
pub(crate) use problems::validate;

/// The classification of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Knowledge {
    /// A scalar of a field that may be shown.
    Plain,
    /// A scalar of a field that may hold a credential.
    Secret,
    /// A value of any shape under a name that the protocol does not have.
    Unknown,
    /// A text that contains a value that is not plain: a structure as JSON or Base64, a file's content as Base64.
    Encoded,
}

/// Visits every scalar of known fields, and every unknown field as a whole: with its JSON pointer, its classification, and
/// the value, which the visitor may change. A value of a shape that the schema does not allow is `Secret`.
///
/// Objects and lists inside a text are visited like others, and become JSON text; the text itself is visited as `Encoded`
/// if not all of it is plain.
fn walk(command: Command, document: &mut Value, visit: &mut dyn FnMut(&str, Knowledge, &mut Value)) {
    let root = Value::from(schema::request_schema(command, Form::Lenient));
    Walk { root: &root, visit, hidden: 0 }.value(&[&root], String::new(), document);
}

struct Walk<'r, 'v> {
    root: &'r Value,
    visit: &'v mut dyn FnMut(&str, Knowledge, &mut Value),
    /// The number of values that were not plain.
    hidden: usize,
}

impl<'r> Walk<'r, '_> {
    fn show(&mut self, pointer: &str, knowledge: Knowledge, value: &mut Value) {
        self.hidden += usize::from(knowledge != Knowledge::Plain);
        (self.visit)(pointer, knowledge, value);
    }

    /// Visits a value that one of the schemas describes.
    fn value(&mut self, schemas: &[&'r Value], pointer: String, value: &mut Value) {
        let schemas = alternatives(self.root, schemas);
        let is_hidden = |schema: &&Value| is_of_type(schema, "object") && schema.get("writeOnly").is_some();
        match value {
            value if value.is_object() && schemas.iter().any(is_hidden) => {
                self.show(&pointer, Knowledge::Secret, value);
            }
            Value::Object(object) if schemas.iter().any(|schema| is_of_type(schema, "object")) => {
                for (key, value) in object {
                    let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                    match property(&schemas, key) {
                        Some(Property::Described(schema)) => self.value(&[schema], pointer, value),
                        Some(Property::Free) => self.show(&pointer, Knowledge::Plain, value),
                        None => self.show(&pointer, Knowledge::Unknown, value),
                    }
                }
            }
            Value::Array(list) if schemas.iter().any(|schema| is_of_type(schema, "array")) => {
                let items: Vec<_> = schemas.iter().filter_map(|schema| schema.get("items")).collect();
                for (index, value) in list.iter_mut().enumerate() {
                    self.value(&items, format!("{pointer}/{index}"), value);
                }
            }
            Value::String(text) if schemas.iter().any(|schema| schema.get("contentMediaType").is_some()) => {
                match EmbeddedStructure::of(text) {
                    Some(EmbeddedStructure { mut structure, encoded }) => {
                        let hidden = self.hidden;
                        self.value(&schemas, pointer.clone(), &mut structure);
                        let encoded = encoded.into_iter().chain([std::mem::take(text)]);
                        *text = structure.to_string();
                        for text in encoded.filter(|_| self.hidden > hidden) {
                            (self.visit)(&pointer, Knowledge::Encoded, &mut text.into());
                        }
                    }
                    None if text.trim().is_empty() => {}
                    None => self.show(&pointer, Knowledge::Secret, value),
                }
            }
            // `null` and the empty string mean that the field is absent.
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            value => {
                let scalar = !value.is_object() && !value.is_array();
                let plain = scalar && !schemas.iter().any(|schema| schema.get("writeOnly").is_some());
                self.show(&pointer, if plain { Knowledge::Plain } else { Knowledge::Secret }, value);
            }
        }
    }
}

/// The object or list inside a text, as JSON or as Base64 of JSON.
pub(crate) struct EmbeddedStructure {
    /// The object or list.
    pub(crate) structure: Value,
    /// The contents of files, which are Base64 again inside of Base64.
    encoded: Vec<String>,
}

impl EmbeddedStructure {
    pub(crate) fn of(text: &str) -> Option<Self> {
        let parse = |json: &[u8]| {
            serde_json::from_slice::<Value>(json).ok().filter(|it| it.is_object() || it.is_array())
        };
        let mut encoded = Vec::new();
        let structure = parse(text.as_bytes()).or_else(|| {
            let mut structure = parse(SecretBytes::from_base64(text)?.expose())?;
            decode_contents(&mut structure, &mut encoded);
            Some(structure)
        })?;
        Some(Self { structure, encoded })
    }
}

/// Decodes the contents of files wherever they stand, and collects how they were encoded. Binary content stays encoded.
fn decode_contents(structure: &mut Value, encoded: &mut Vec<String>) {
    match structure {
        Value::Array(list) => list.iter_mut().for_each(|value| decode_contents(value, encoded)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "content" => {
                        let content = SecretBytes::from_base64(text);
                        if let Some(content) = content.as_ref().and_then(SecretBytes::expose_text) {
                            encoded.push(std::mem::replace(text, content.to_owned()));
                        }
                    }
                    value => decode_contents(value, encoded),
                }
            }
        }
        _ => {}
    }
}

/// The schemas with their references resolved, and their alternatives.
fn alternatives<'r>(root: &'r Value, schemas: &[&'r Value]) -> Vec<&'r Value> {
    let mut open = schemas.to_vec();
    let mut found = Vec::new();
    while let Some(schema) = open.pop() {
        let referred = schema.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#'));
        open.extend(referred.and_then(|pointer| root.pointer(pointer)));
        let offered = schema.get("anyOf").and_then(Value::as_array);
        open.extend(offered.into_iter().flatten());
        found.push(schema);
    }
    found
}

enum Property<'a> {
    Described(&'a Value),
    /// The object may have any content.
    Free,
}

fn property<'a>(schemas: &[&'a Value], key: &str) -> Option<Property<'a>> {
    let described = |schema: &&'a Value| schema.get("properties").and_then(|properties| properties.get(key));
    let others = |schema: &&'a Value| schema.get("additionalProperties");
    let free = |schema: &&'a Value| is_of_type(schema, "object") && schema.get("properties").is_none();
    if let Some(schema) = schemas.iter().find_map(described).or_else(|| schemas.iter().find_map(others)) {
        return Some(Property::Described(schema));
    }
    schemas.iter().any(free).then_some(Property::Free)
}

fn is_of_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    }
}
