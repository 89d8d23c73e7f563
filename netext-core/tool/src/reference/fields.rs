//! The fields of a payload: their values and meanings from its schema, their senders from the samples.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;

use netext_protocol::schema::{self, Form};
use netext_protocol::{Command, DeviceDetails, PhysicalDetails, Sample, Sender};
use serde_json::Value;

use crate::payload_file::EmbeddedStructure;

/// The objects of a payload.
pub(super) struct PayloadTables {
    pub(super) payload: ObjectTable,
    /// The nested objects, each once.
    pub(super) nested: Vec<ObjectTable>,
}

/// An object with its fields.
pub(super) struct ObjectTable {
    /// The name of its type.
    pub(super) name: String,
    pub(super) description: String,
    pub(super) fields: Vec<FieldRow>,
    /// One field of each of these is required.
    pub(super) one_of: Vec<Vec<String>>,
}

/// A field, in one of its spellings.
pub(super) struct FieldRow {
    pub(super) name: String,
    pub(super) is_required: bool,
    /// The kind of value, in words.
    pub(super) value: String,
    pub(super) senders: Senders,
    pub(super) meaning: String,
    /// Its words with their meanings, if it has a fixed set of words.
    pub(super) words: Vec<(String, String)>,
}

impl PayloadTables {
    pub(super) fn of(command: Command) -> Self {
        let root = Value::from(schema::request_schema(command, Form::Lenient));
        let mut open = Vec::new();
        let payload = ObjectTable::of(command, command.name(), payload_of(command, &root), &mut open);
        let mut nested = Vec::new();
        let mut known = BTreeSet::new();
        while let Some(name) = (!open.is_empty()).then(|| open.remove(0)) {
            if known.insert(name.clone()) {
                nested.push(ObjectTable::of(command, &name, &root["$defs"][&name], &mut open));
            }
        }
        Self { payload, nested }
    }
}

impl ObjectTable {
    fn of(command: Command, name: &str, schema: &Value, nested: &mut Vec<String>) -> Self {
        let required = names(schema.get("required"));
        let properties = schema["properties"].as_object().into_iter().flatten();
        let mut fields: Vec<_> = properties
            .filter(|(field, _)| !is_envelope(field))
            .map(|(field, schema)| FieldRow {
                name: field.clone(),
                is_required: required.contains(&field.as_str()),
                value: value(schema, nested),
                senders: senders_of(command, name, field, schema),
                meaning: text(schema, "description"),
                words: words(schema),
            })
            .collect();
        // By name, because the order of the map is not fixed.
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

/// Whether it is one of the details that come with every command.
fn is_envelope(name: &str) -> bool {
    PhysicalDetails::KEYS.contains(&name) || DeviceDetails::KEYS.contains(&name)
}

fn names(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The kind of value of a field, in words. Adds the objects in it to `nested`.
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

/// The words that a field may have, from all parts of its schema.
fn words(field: &Value) -> Vec<(String, String)> {
    let own = field["x-words"].as_array().into_iter().flatten();
    let own = own.map(|word| (text(word, "const"), text(word, "description")));
    let offered = field["anyOf"].as_array().into_iter().flatten().flat_map(words);
    own.chain(offered).collect()
}

/// A text of a schema, escaped for a table.
fn text(schema: &Value, key: &str) -> String {
    schema.get(key).and_then(Value::as_str).unwrap_or_default().replace('|', "\\|")
}

/// The schema of the payload in the schema of a command's file.
fn payload_of(command: Command, file: &Value) -> &Value {
    match command.shape().key() {
        Some(key) => &file["properties"][key],
        None => file,
    }
}

/// The name of the type that a schema refers to, if the schema is a reference.
fn referred_type(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

/// The kinds of senders that write a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Senders {
    server: bool,
    readme: bool,
    older: bool,
}

impl fmt::Display for Senders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [(self.server, "server"), (self.readme, "README"), (self.older, "older READMEs")];
        let names: Vec<_> = names.iter().filter(|(writes, _)| *writes).map(|(_, name)| *name).collect();
        formatter.write_str(&names.join(", "))
    }
}

impl Senders {
    fn and(self, other: Self) -> Self {
        Self {
            server: self.server || other.server,
            readme: self.readme || other.readme,
            older: self.older || other.older,
        }
    }
}

/// The senders of a field of an object in the payload of a command.
///
/// The README documents a command's fields one by one. The server writes a group of fields as a whole, as far as they have
/// values, so the field counts as the server's if any of its payloads has it; the same goes for the README with a name that
/// the server does not use. A field that no sample has is the server's: it writes the field if it has a value.
fn senders_of(command: Command, object: &str, field: &str, schema: &Value) -> Senders {
    let here = SEEN.here.get(&place(object, field)).copied().unwrap_or_default();
    let meaning = schema["description"].as_str().unwrap_or_default();
    let is_of_payload = object == command.name();
    let anywhere = SEEN.anywhere.get(&place(field, meaning)).filter(|_| is_of_payload);
    let anywhere = anywhere.copied().unwrap_or_default();
    if schema["deprecated"] == true {
        return Senders { older: true, ..Senders::default() };
    }
    let server = here.server || anywhere.server;
    let readme = here.readme || anywhere.readme && !anywhere.server;
    let older = !server && !readme && here.and(anywhere).older;
    Senders { server: server || !readme && !older, readme, older }
}

type FieldKey = (String, String);

/// The senders of each field, according to the samples.
#[derive(Default)]
struct SendersSeen {
    /// By the name of a command or a type, and the field's name.
    here: BTreeMap<FieldKey, Senders>,
    /// In the payload of any command, by the field's name and meaning, because a name may have several meanings.
    anywhere: BTreeMap<FieldKey, Senders>,
}

static SEEN: LazyLock<SendersSeen> = LazyLock::new(|| {
    let mut seen = SendersSeen::default();
    for &command in Command::ALL {
        let root = Value::from(schema::request_schema(command, Form::Lenient));
        for sample in Sample::all_of(command) {
            let Ok(document) = serde_json::from_str::<Value>(sample.text()) else { continue };
            let payload = command.shape().key().map_or(&document, |key| &document[key]);
            let mut visit = Visit { root: &root, sender: sample.sender(), seen: &mut seen.here };
            visit.object(command.name(), payload_of(command, &root), payload);
        }
        for (field, schema) in payload_of(command, &root)["properties"].as_object().into_iter().flatten() {
            let here = seen.here.get(&place(command.name(), field)).copied().unwrap_or_default();
            let meaning = schema["description"].as_str().unwrap_or_default();
            let known = seen.anywhere.entry(place(field, meaning)).or_default();
            *known = known.and(here);
        }
    }
    seen
});

fn place(one: &str, other: &str) -> FieldKey {
    (one.to_owned(), other.to_owned())
}

/// Visits a payload together with its schema.
struct Visit<'a> {
    root: &'a Value,
    sender: Sender,
    seen: &'a mut BTreeMap<FieldKey, Senders>,
}

impl Visit<'_> {
    fn object(&mut self, name: &str, schema: &Value, object: &Value) {
        for (field, value) in object.as_object().into_iter().flatten() {
            let senders = self.seen.entry(place(name, field)).or_default();
            match self.sender {
                Sender::Server => senders.server = true,
                Sender::Older => senders.older = true,
                _ => senders.readme = true,
            }
            self.value(&schema["properties"][field], value);
        }
    }

    fn value(&mut self, schema: &Value, value: &Value) {
        let inside = value.as_str().and_then(EmbeddedStructure::of);
        let value = inside.as_ref().map_or(value, |inside| &inside.structure);
        if let Some(name) = referred_type(schema) {
            let root = self.root;
            self.object(name, &root["$defs"][name], value);
        }
        for element in value.as_array().into_iter().flatten() {
            self.value(&schema["items"], element);
        }
        for offered in schema["anyOf"].as_array().into_iter().flatten() {
            self.value(offered, value);
        }
    }
}
