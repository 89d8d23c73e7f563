//! The payload file: a request, and the details of operator and device that travel with it.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_path_to_error::Error as PathError;

use crate::command::Command;
use crate::command::table::for_each_command;
use crate::value::details::{DeviceDetails, PhysicalDetails};
use crate::wire::field::WriteStyle;
use crate::wire::fields::{Extra, Fields, StyledObject, read, take_field};
use crate::wire::refusal::{GIVEN_TWICE, PathStep, problem, refuse, refuse_entry, split_inner};

/// The contents of a payload file: a request, and the details that travel with it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope<R> {
    /// The details that the operator registered on the physical network.
    pub physical_details: PhysicalDetails,
    /// The details that the device last printed; empty for a new network or one that was shut down.
    pub device_details: DeviceDetails,
    /// The request.
    pub request: R,
    /// Fields beside the payload that this version of the protocol does not know.
    pub extra: Extra,
}

/// The request of one command.
trait CommandPayload: Fields {
    /// The command.
    const COMMAND: Command;
    /// The key that holds the request's fields; `None` if they stand beside the details.
    const KEY: Option<&'static str> = Self::COMMAND.shape().key();
}

impl<R> Envelope<R> {
    /// A request without any details.
    pub fn new(request: R) -> Self {
        Self {
            physical_details: PhysicalDetails::default(),
            device_details: DeviceDetails::default(),
            request,
            extra: Extra::default(),
        }
    }

    /// Sets the details that the operator registered.
    pub fn physical_details(mut self, details: PhysicalDetails) -> Self {
        self.physical_details = details;
        self
    }

    /// Sets the details that the device last printed.
    pub fn device_details(mut self, details: DeviceDetails) -> Self {
        self.device_details = details;
        self
    }

    /// The same envelope with another value in place of the request.
    pub fn map<T>(self, change: impl FnOnce(R) -> T) -> Envelope<T> {
        Envelope {
            physical_details: self.physical_details,
            device_details: self.device_details,
            request: change(self.request),
            extra: self.extra,
        }
    }
}

macro_rules! define_request {
    ($($(#[$meta:meta])* $variant:ident { method: $method:ident, name: $name:literal, $($fact:tt)* })*) => {
        /// The payload of any command.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Request {
            $($(#[$meta])* $variant(crate::$variant),)*
        }

        impl Request {
            /// The command of the payload.
            pub const fn command(&self) -> Command {
                match self {
                    $(Self::$variant(_) => Command::$variant,)*
                }
            }
        }

        $(
            impl From<crate::$variant> for Request {
                fn from(request: crate::$variant) -> Self {
                    Self::$variant(request)
                }
            }

            impl CommandPayload for crate::$variant {
                const COMMAND: Command = Command::$variant;
            }
        )*

        fn parse_any(command: Command, file: &[u8]) -> Result<Envelope<Request>, ParseError> {
            match command {
                $(Command::$variant => Ok(parse::<crate::$variant>(file)?.map(Request::from)),)*
            }
        }

        fn write_any(envelope: &Envelope<Request>, style: WriteStyle) -> String {
            match &envelope.request {
                $(Request::$variant(request) => StyledEnvelope { envelope, request, style }.to_json(),)*
            }
        }
    };
}

for_each_command!(define_request);

impl Envelope<Request> {
    /// Reads the payload file of a command.
    ///
    /// ```
    /// use netext_protocol::{Command, Envelope, Request};
    ///
    /// let file = br#"{"payload": {"network_id": "209", "vlan": "1910"}}"#;
    /// let envelope = Envelope::parse(Command::ShutdownNetwork, file)?;
    /// let Request::ShutdownNetwork(request) = envelope.request else { unreachable!() };
    /// assert_eq!(request.network.network_id.get(), 209);
    /// # Ok::<(), netext_protocol::ParseError>(())
    /// ```
    pub fn parse(command: Command, file: &[u8]) -> Result<Self, ParseError> {
        parse_any(command, file)
    }

    /// Writes the payload file as the server would write it.
    pub fn to_json(&self) -> String {
        write_any(self, WriteStyle::Text)
    }

    /// Writes the payload file in the strict form, which the strict schemas describe: numbers are numbers,
    /// absent fields are left out, every field has one spelling, and rules and metadata are objects and
    /// lists. It parses to the same envelope.
    ///
    /// ```
    /// use netext_protocol::{Command, Envelope};
    ///
    /// let file = br#"{"payload": {"network_id": "209", "vlan": "", "dns": "192.0.2.53"}}"#;
    /// let envelope = Envelope::parse(Command::RemoveDnsSubnet, file)?;
    /// assert_eq!(
    ///     envelope.to_strict_json(),
    ///     r#"{"physical-network-extension-details":{},"network-extension-details":{},"payload":{"network_id":209,"dns":["192.0.2.53"]}}"#,
    /// );
    /// # Ok::<(), netext_protocol::ParseError>(())
    /// ```
    pub fn to_strict_json(&self) -> String {
        write_any(self, WriteStyle::Strict)
    }
}

/// Reads the payload file of one command.
fn parse<R: CommandPayload>(file: &[u8]) -> Result<Envelope<R>, ParseError> {
    let mut deserializer = serde_json::Deserializer::from_slice(file);
    let envelope = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| ParseError::in_field(R::COMMAND, &error))?;
    deserializer.end().map_err(|error| ParseError::after_the_end(R::COMMAND, &error))?;
    Ok(envelope)
}

impl<'de, R: CommandPayload> Deserialize<'de> for Envelope<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EnvelopeVisitor(PhantomData))
    }
}

struct EnvelopeVisitor<R>(PhantomData<R>);

impl<'de, R: CommandPayload> Visitor<'de> for EnvelopeVisitor<R> {
    type Value = Envelope<R>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    refuse!('de, text number flag null list);

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let (mut physical, mut device, mut nested) = (None, None, None);
        let mut flat = R::Partial::default();
        let mut extra = Extra::default();
        let mut keys = BTreeSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                return refuse_entry(&mut entries, GIVEN_TWICE);
            }
            match key.as_str() {
                name if PhysicalDetails::KEYS.contains(&name) => {
                    take_field(&mut physical, &mut entries)?;
                }
                name if DeviceDetails::KEYS.contains(&name) => {
                    take_field(&mut device, &mut entries)?;
                }
                name if R::KEY == Some(name) => nested = Some(entries.next_value::<NestedRequest<R>>()?.0),
                name if R::KEY.is_none() && R::take(&mut flat, name, &mut entries)? => {}
                _ => extra.insert(key, entries.next_value::<serde_json::Value>()?),
            }
        }
        let request = match (nested, R::KEY) {
            (Some(request), _) => request,
            (None, None) => R::finish(flat)?,
            (None, Some(key)) => return Err(de::Error::missing_field(key)),
        };
        Ok(Envelope {
            physical_details: physical.unwrap_or_default(),
            device_details: device.unwrap_or_default(),
            request,
            extra,
        })
    }
}

struct NestedRequest<R>(R);

impl<'de, R: Fields> Deserialize<'de> for NestedRequest<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer).map(Self)
    }
}

/// An envelope, to be written in one of the two styles of a payload file.
struct StyledEnvelope<'a, R> {
    envelope: &'a Envelope<Request>,
    request: &'a R,
    style: WriteStyle,
}

impl<R: CommandPayload> StyledEnvelope<'_, R> {
    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and maps with text keys always have a JSON form")
    }
}

impl<R: CommandPayload> Serialize for StyledEnvelope<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        if R::KEY.is_none() {
            self.request.write(self.style, &mut object)?;
        }
        object.serialize_entry(PhysicalDetails::KEYS[0], &self.envelope.physical_details)?;
        object.serialize_entry(DeviceDetails::KEYS[0], &self.envelope.device_details)?;
        if let Some(key) = R::KEY {
            object.serialize_entry(key, &StyledObject(self.request, self.style))?;
        }
        for (name, value) in self.envelope.extra.iter() {
            object.serialize_entry(name, value)?;
        }
        object.end()
    }
}

/// A malformed payload file: the message names the command, the field's path, the value found and the value
/// expected. It never holds the value of a secret.
///
/// ```
/// # use netext_protocol::{Command, Envelope};
/// let file = br#"{"payload": {"network_id": "209", "public_ip": "198.51.100.300"}}"#;
/// let error = Envelope::parse(Command::AssignIp, file).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     r#"assign-ip: payload.public_ip: "198.51.100.300" is not an IPv4 address"#,
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{command}: {path}: {problem}")]
pub struct ParseError {
    command: Command,
    path: String,
    pointer: String,
    problem: String,
}

impl ParseError {
    /// The command of the payload.
    pub fn command(&self) -> Command {
        self.command
    }

    /// The place in the file, such as `payload.fw_rules.rules[2].protocol`; `payload file` for the whole
    /// file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same place as a JSON pointer (RFC 6901), such as `/payload/fw_rules/rules/2/protocol`; empty for
    /// the whole file. Its keys are untrusted text, unchanged.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The value found and the value expected.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    fn in_field(command: Command, error: &PathError<serde_json::Error>) -> Self {
        let (inside, problem) = split_inner(problem(error.inner()));
        let steps: Vec<_> = PathStep::all_of(error.path()).into_iter().chain(inside).collect();
        let path = if steps.is_empty() { "payload file".to_owned() } else { in_one_line(&path(&steps)) };
        Self { command, path, pointer: pointer(&steps), problem }
    }

    fn after_the_end(command: Command, error: &serde_json::Error) -> Self {
        Self { command, path: "payload file".to_owned(), pointer: String::new(), problem: problem(error) }
    }
}

fn path(steps: &[PathStep]) -> String {
    let mut path = String::new();
    for step in steps {
        // Writing to a string cannot fail.
        let _ = match step {
            PathStep::Index(index) => write!(path, "[{index}]"),
            PathStep::Key(key) if path.is_empty() => write!(path, "{key}"),
            PathStep::Key(key) => write!(path, ".{key}"),
        };
    }
    path
}

fn pointer(steps: &[PathStep]) -> String {
    steps
        .iter()
        .map(|step| match step {
            PathStep::Index(index) => format!("/{index}"),
            PathStep::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        })
        .collect()
}

/// A path in a form that fits a one-line message: its keys are untrusted text.
fn in_one_line(path: &str) -> String {
    const LONGEST: usize = 250;
    let mut escaped: String = path.chars().flat_map(char::escape_debug).take(LONGEST + 1).collect();
    if let Some((cut, _)) = escaped.char_indices().nth(LONGEST) {
        escaped.truncate(cut);
        escaped.push_str("...");
    }
    escaped
}
