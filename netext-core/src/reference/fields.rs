//! The fields of a payload, from its schema.

use std::collections::BTreeSet;

use netext_protocol::Command;
use netext_protocol::schema::{self, Form};
use serde_json::Value;

use super::senders::{self, Senders};
use super::{payload_of, referred_type};

/// The objects that a payload is made of.
pub(super) struct Objects {
    pub(super) payload: Object,
    /// The objects inside of it, each once.
    pub(super) nested: Vec<Object>,
}

/// An object, and what may be in it.
pub(super) struct Object {
    /// The name of its type.
    pub(super) name: String,
    pub(super) description: String,
    pub(super) fields: Vec<Field>,
    /// Of each of these one must be there.
    pub(super) one_of: Vec<Vec<String>>,
}

/// A field, in one of its spellings.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) is_required: bool,
    /// What it holds, in words.
    pub(super) value: String,
    pub(super) senders: Senders,
    pub(super) meaning: String,
    /// Its words with their meanings, where it holds one of few.
    pub(super) words: Vec<(String, String)>,
}

impl Objects {
    pub(super) fn of(command: Command) -> Self {
        let root = Value::from(schema::request_schema(command, Form::Lenient));
        let mut open = Vec::new();
        let payload = Object::of(command, command.name(), payload_of(command, &root), &mut open);
        let mut nested = Vec::new();
        let mut known = BTreeSet::new();
        while let Some(name) = (!open.is_empty()).then(|| open.remove(0)) {
            if known.insert(name.clone()) {
                nested.push(Object::of(command, &name, &root["$defs"][&name], &mut open));
            }
        }
        Self { payload, nested }
    }
}

impl Object {
    fn of(command: Command, name: &str, schema: &Value, nested: &mut Vec<String>) -> Self {
        let required = names(schema.get("required"));
        let properties = schema["properties"].as_object().into_iter().flatten();
        let mut fields: Vec<_> = properties
            .filter(|(field, _)| !is_envelope(field))
            .map(|(field, schema)| Field {
                name: field.clone(),
                is_required: required.contains(&field.as_str()),
                value: value(schema, nested),
                senders: senders::of(command, name, field, schema),
                meaning: text(schema, "description"),
                words: words(schema),
            })
            .collect();
        // In the order of the names, whatever order the map keeps.
        fields.sort_by(|one, other| one.name.cmp(&other.name));
        let choices = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        let one_of = choices.map(|choice| {
            let offered = choice["anyOf"].as_array().into_iter().flatten();
            offered.flat_map(|one| names(one.get("required"))).map(str::to_owned).collect()
        });
        Self {
            name: name.to_owned(),
            description: text(schema, "description"),
            fields,
            one_of: one_of.collect(),
        }
    }
}

/// Whether it is one of the details that travel with every command.
fn is_envelope(name: &str) -> bool {
    name.ends_with("extension-details") || name.ends_with("extension_details")
}

fn names(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What a field holds, in words. The objects in it are added to `nested`.
fn value(field: &Value, nested: &mut Vec<String>) -> String {
    if let Some(name) = referred_type(field) {
        nested.push(name.to_owned());
        return format!("`{name}`");
    }
    if let Some(items) = field.get("items") {
        return format!("list of {}", value(items, nested));
    }
    if let Some(offered) = field["anyOf"].as_array() {
        let is_absent = |schema: &&Value| schema["description"] == "absent";
        let mut kinds: Vec<_> =
            offered.iter().filter(|it| !is_absent(it)).map(|schema| value(schema, nested)).collect();
        kinds.dedup();
        return kinds.join(", or ");
    }
    if field.get("contentEncoding").is_some() {
        return "the same as JSON in Base64".to_owned();
    }
    if field.get("contentMediaType").is_some() {
        return "the same as JSON text".to_owned();
    }
    match field["x-value"].as_str() {
        Some(words) => words.to_owned(),
        None if field.get("additionalProperties").is_some() => "an object of texts".to_owned(),
        None => "an object".to_owned(),
    }
}

/// The words that a field may hold, wherever its schema has them.
fn words(field: &Value) -> Vec<(String, String)> {
    let own = field["x-words"].as_array().into_iter().flatten();
    let own = own.map(|word| (text(word, "const"), text(word, "description")));
    let offered = field["anyOf"].as_array().into_iter().flatten().flat_map(words);
    own.chain(offered).collect()
}

/// A text of a schema, fit for a table.
fn text(schema: &Value, key: &str) -> String {
    schema.get(key).and_then(Value::as_str).unwrap_or_default().replace('|', "\\|")
}
