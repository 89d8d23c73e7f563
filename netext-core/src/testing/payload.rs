//! Payloads made of samples and changes.

use netext_protocol::{Command, DeviceDetails, PhysicalDetails, Request, Sample};
use serde_json::{Map, Value};

/// The details that travel with every command; the [`Server`](super::Server) adds them.
const DETAILS: [&str; 2] = [PhysicalDetails::KEYS[0], DeviceDetails::KEYS[0]];

/// The fields of one command's payload, right or wrong.
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
    /// A payload of a command without any field.
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
    /// If there is no such sample.
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

    /// With some fields.
    pub(crate) fn of_fields(command: Command, fields: Map<String, Value>) -> Self {
        Self { command, fields }
    }

    /// With a field set to a value, right or wrong. A path such as `fw_rules/rules/0/protocol` leads into
    /// nested fields.
    ///
    /// # Panics
    /// If the path leads through something that is not there.
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

    /// Without a field.
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

    /// The same, to be changed at will.
    pub fn fields_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.fields
    }

    /// The whole document, with the details that travel with it.
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
