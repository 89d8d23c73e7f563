//! Payloads made of samples and changes, and the text that the server writes for them.

use std::fmt::Write as _;

use netext_protocol::{Command, DeviceDetails, PhysicalDetails, Request, Sample};
use serde_json::{Map, Value};

/// The details that travel with every command; the [`Server`](super::Server) adds them.
const DETAILS: [&str; 2] = [PhysicalDetails::KEYS[0], DeviceDetails::KEYS[0]];

/// The fields of one command's payload, valid or not.
///
/// ```
/// use netext_core::protocol::Command;
/// use netext_core::testing::Payload;
/// use serde_json::json;
///
/// let payload = Payload::sample(Command::ApplyFwRules)
///     .with("network_id", 4711)
///     .with("fw_rules/rules/0/protocol", "sctp")
///     .without("vlan");
/// assert_eq!(payload.field("fw_rules/rules/0/protocol"), Some(&json!("sctp")));
/// assert_eq!(payload.field("vlan"), None);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    command: Command,
    fields: Map<String, Value>,
}

impl Payload {
    /// A payload without fields.
    pub fn empty(command: Command) -> Self {
        Self { command, fields: Map::new() }
    }

    /// The fields of the plainest sample of a command.
    pub fn sample(command: Command) -> Self {
        Self::of(Sample::of(command))
    }

    /// The fields of a sample by its name, such as `implement-network.tier`.
    ///
    /// # Panics
    /// If no sample has this name.
    #[track_caller]
    pub fn sample_named(name: &str) -> Self {
        Self::of(Sample::named(name).unwrap_or_else(|| panic!("there is no sample {name}")))
    }

    /// The fields of a sample.
    pub fn of(sample: Sample) -> Self {
        let document = serde_json::from_str(sample.text()).expect("a sample is JSON");
        Self::of_document(sample.command(), document)
    }

    /// The fields of a whole payload document, without the details that travel with it.
    pub(crate) fn of_document(command: Command, document: Value) -> Self {
        let Value::Object(mut document) = document else { return Self::empty(command) };
        if let Some(key) = command.shape().key() {
            let fields = document.remove(key).and_then(|payload| match payload {
                Value::Object(fields) => Some(fields),
                _ => None,
            });
            return Self { command, fields: fields.unwrap_or_default() };
        }
        for details in DETAILS {
            document.remove(details);
        }
        Self { command, fields: document }
    }

    /// A payload with these fields.
    pub(crate) fn of_fields(command: Command, fields: Map<String, Value>) -> Self {
        Self { command, fields }
    }

    /// Sets a field to any value, valid or not. A path such as `fw_rules/rules/0/protocol` leads into nested
    /// fields.
    ///
    /// # Panics
    /// If the path leads through a field that does not exist.
    #[track_caller]
    pub fn with(mut self, path: &str, value: impl Into<Value>) -> Self {
        match path.rsplit_once('/') {
            None => drop(self.fields.insert(path.to_owned(), value.into())),
            Some((parent, key)) => match self.place(parent) {
                Some(Value::Object(object)) => drop(object.insert(key.to_owned(), value.into())),
                Some(Value::Array(list)) if key.parse().is_ok_and(|index: usize| index < list.len()) => {
                    list[key.parse::<usize>().expect("parsed above")] = value.into();
                }
                _ => panic!("{}: nothing has a {key} at {parent}", self.command),
            },
        }
        self
    }

    /// Removes a field, if it is there.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.remove(name);
        self
    }

    /// The value at a path.
    pub fn field(&self, path: &str) -> Option<&Value> {
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let value = self.fields.get(first)?;
        if rest.is_empty() { Some(value) } else { value.pointer(&format!("/{rest}")) }
    }

    fn place(&mut self, path: &str) -> Option<&mut Value> {
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let value = self.fields.get_mut(first)?;
        if rest.is_empty() { Some(value) } else { value.pointer_mut(&format!("/{rest}")) }
    }

    /// The command.
    pub fn command(&self) -> Command {
        self.command
    }

    /// The fields.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// The fields, for changes.
    pub fn fields_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.fields
    }

    /// The whole payload document, with the registered details of the physical network and the stored details of
    /// the device.
    pub fn document(&self, physical: impl Into<Value>, device: impl Into<Value>) -> Value {
        let mut document = Map::new();
        document.insert(DETAILS[0].into(), physical.into());
        document.insert(DETAILS[1].into(), device.into());
        match self.command.shape().key() {
            Some(key) => drop(document.insert(key.into(), self.fields.clone().into())),
            None => document.extend(self.fields.clone()),
        }
        document.into()
    }
}

impl From<Request> for Payload {
    fn from(request: Request) -> Self {
        let command = request.command();
        let text = netext_protocol::Envelope::new(request).to_json();
        Self::of_document(command, serde_json::from_str(&text).expect("an envelope is JSON"))
    }
}

impl From<&Payload> for Payload {
    fn from(payload: &Payload) -> Self {
        payload.clone()
    }
}

/// Writes a document as Gson, the server's JSON library, writes it into payload files: in one line, with the
/// characters escaped that have a meaning in HTML.
///
/// ```
/// use netext_core::testing::as_gson_writes;
/// use serde_json::json;
///
/// assert_eq!(as_gson_writes(&json!({"password": "a=b&c<d>'"})), r#"{"password":"a\u003db\u0026c\u003cd\u003e\u0027"}"#);
/// ```
pub fn as_gson_writes(document: &Value) -> String {
    let mut written = String::new();
    for character in document.to_string().chars() {
        match character {
            // All of these occur inside of strings only. The last two are JavaScript's line separators.
            '<' | '>' | '&' | '=' | '\'' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string cannot fail.
                let _ = write!(written, "\\u{:04x}", u32::from(character));
            }
            character => written.push(character),
        }
    }
    written
}

/// Calls `change` with every text in a value and the name of its field: `name` for the value itself, and an empty
/// name for the elements of a list.
pub(super) fn each_text(name: &str, value: &mut Value, change: &mut dyn FnMut(&str, &mut String)) {
    match value {
        Value::String(text) => change(name, text),
        Value::Object(fields) => {
            fields.iter_mut().for_each(|(name, value)| each_text(name, value, change));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| each_text("", value, change)),
        _ => {}
    }
}
