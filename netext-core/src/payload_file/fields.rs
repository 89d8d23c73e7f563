//! A payload file's fields, each with what the protocol's schema knows of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use netext_protocol::Command;
use netext_protocol::schema::{self, Form};
use serde_json::Value;

/// What the protocol knows of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// A scalar of a field that may be shown.
    Plain,
    /// A scalar of a field that may hold a credential.
    Secret,
    /// A value of any shape under a name that the protocol does not have.
    Unknown,
}

/// Walks through a payload file and shows every scalar of known fields and every unknown field as a whole: its
/// JSON pointer, what is known of it, and the value, which may be changed. Objects and lists that were sent
/// inside a text are walked through like others; those that were sent as Base64 become JSON text. What does not have the shape that the schema asks for is `Secret`.
pub(super) fn walk(
    command: Command,
    document: &mut Value,
    visit: &mut dyn FnMut(&str, Knowledge, &mut Value),
) {
    let root = Value::from(schema::request_schema(command, Form::Lenient));
    Walk { root: &root, visit }.value(&[&root], String::new(), document);
}

struct Walk<'r, 'v> {
    root: &'r Value,
    visit: &'v mut dyn FnMut(&str, Knowledge, &mut Value),
}

impl<'r> Walk<'r, '_> {
    /// Walks through a value that any of the schemas may describe.
    fn value(&mut self, schemas: &[&'r Value], pointer: String, value: &mut Value) {
        let schemas = alternatives(self.root, schemas);
        match value {
            Value::Object(object) if schemas.iter().any(|schema| is_of_type(schema, "object")) => {
                for (key, value) in object {
                    let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                    match property(&schemas, key) {
                        Some(Property::Described(schema)) => self.value(&[schema], pointer, value),
                        Some(Property::Free) => (self.visit)(&pointer, Knowledge::Plain, value),
                        None => (self.visit)(&pointer, Knowledge::Unknown, value),
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
                match inside(text) {
                    Some(mut inner) => {
                        self.value(&schemas, pointer, &mut inner);
                        *text = inner.to_string();
                    }
                    None if text.trim().is_empty() => {}
                    None => (self.visit)(&pointer, Knowledge::Secret, value),
                }
            }
            // `null` and the empty string mean that the field is absent.
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            value => {
                let scalar = !value.is_object() && !value.is_array();
                let plain = scalar && !schemas.iter().any(|schema| schema.get("writeOnly").is_some());
                (self.visit)(&pointer, if plain { Knowledge::Plain } else { Knowledge::Secret }, value);
            }
        }
    }
}

/// The object or list inside a text: as JSON, or as Base64 of JSON. In Base64 the contents of files are Base64
/// once more; they come out as they are in JSON text.
pub(crate) fn inside(text: &str) -> Option<Value> {
    let structure =
        |json: &[u8]| serde_json::from_slice::<Value>(json).ok().filter(|it| it.is_object() || it.is_array());
    structure(text.as_bytes()).or_else(|| {
        let mut inner = structure(&STANDARD.decode(text.trim()).ok()?)?;
        decode_contents(&mut inner);
        Some(inner)
    })
}

fn decode_contents(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text) if key == "content" => {
                        let decoded = STANDARD.decode(&*text).ok().and_then(|it| String::from_utf8(it).ok());
                        *text = decoded.unwrap_or_else(|| std::mem::take(text));
                    }
                    value => decode_contents(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(decode_contents),
        _ => {}
    }
}

/// The schemas with their references followed, and those that they offer as alternatives.
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
    /// The object is one of free content.
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
