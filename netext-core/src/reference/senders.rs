//! Who sends a field, as the samples show it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use netext_protocol::schema::{self, Form};
use netext_protocol::{Command, Sample, Sender, Shape};
use serde_json::Value;

use super::{payload_of, referred_type};
use crate::payload_file::Inside;

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

/// Who writes a field of an object in the payload of a command.
///
/// The README documents a command's fields one by one. The server writes a group of fields as a whole, as far as
/// they have values, so its other payloads that have the field count as well; so do those of the README for a name
/// that the server does not know. A field that no sample has is one that the server writes if it has a value.
pub(super) fn of(command: Command, object: &str, field: &str, schema: &Value) -> Senders {
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

type Place = (String, String);

/// Who writes which field, as the samples show it.
#[derive(Default)]
struct Seen {
    /// By the name of a command, or of a type, and the field's.
    here: BTreeMap<Place, Senders>,
    /// In any command's payload, by the field's name and meaning: the same name may mean other things.
    anywhere: BTreeMap<Place, Senders>,
}

static SEEN: LazyLock<Seen> = LazyLock::new(|| {
    let mut seen = Seen::default();
    for &command in Command::ALL {
        let root = Value::from(schema::request_schema(command, Form::Lenient));
        for sample in Sample::all_of(command) {
            let Ok(document) = serde_json::from_str::<Value>(sample.text()) else { continue };
            let payload = if command.shape() == Shape::Flat { &document } else { &document["payload"] };
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

fn place(one: &str, other: &str) -> Place {
    (one.to_owned(), other.to_owned())
}

/// Walks through a payload beside its schema.
struct Visit<'a> {
    root: &'a Value,
    sender: Sender,
    seen: &'a mut BTreeMap<Place, Senders>,
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
        let inside = value.as_str().and_then(Inside::of);
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
