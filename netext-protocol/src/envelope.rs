//! What surrounds every request: the operator's and the device's details.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::wire::field::{GIVEN_TWICE, refuse_entry};
use crate::wire::object::{Fields, Style, Written, take_field};
use crate::wire::refuse::refuse;
use crate::{Command, DeviceDetails, Extra, ParseError, PhysicalDetails, Request};

/// The contents of a payload file: a request with the details that travel with it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope<R> {
    /// What the operator registered on the physical network.
    pub physical_details: PhysicalDetails,
    /// What the device last said about itself; empty for a new network or one that was shut down.
    pub device_details: DeviceDetails,
    /// The request.
    pub request: R,
    /// Fields beside the payload that this version of the protocol does not know.
    pub extra: Extra,
}

/// A request that has a command.
pub(crate) trait Payload: Fields {
    /// The command.
    const COMMAND: Command;
    /// The key that holds the request's fields; `None` where they stand beside the details.
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

    /// With what the operator registered.
    pub fn physical_details(mut self, details: PhysicalDetails) -> Self {
        self.physical_details = details;
        self
    }

    /// With what the device last said about itself.
    pub fn device_details(mut self, details: DeviceDetails) -> Self {
        self.device_details = details;
        self
    }

    /// The same envelope around something made of the request.
    pub fn map<T>(self, change: impl FnOnce(R) -> T) -> Envelope<T> {
        Envelope {
            physical_details: self.physical_details,
            device_details: self.device_details,
            request: change(self.request),
            extra: self.extra,
        }
    }
}

/// Reads the payload file of one command.
pub(crate) fn parse<R: Payload>(file: &[u8]) -> Result<Envelope<R>, ParseError> {
    let mut deserializer = serde_json::Deserializer::from_slice(file);
    let envelope = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| ParseError::in_field(R::COMMAND, &error))?;
    deserializer.end().map_err(|error| ParseError::after_the_end(R::COMMAND, &error))?;
    Ok(envelope)
}

impl<'de, R: Payload> Deserialize<'de> for Envelope<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EnvelopeVisitor(PhantomData))
    }
}

struct EnvelopeVisitor<R>(PhantomData<R>);

impl<'de, R: Payload> Visitor<'de> for EnvelopeVisitor<R> {
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
                name if R::KEY == Some(name) => nested = Some(entries.next_value::<Nested<R>>()?.0),
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

struct Nested<R>(R);

impl<'de, R: Fields> Deserialize<'de> for Nested<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::wire::object::read(deserializer).map(Self)
    }
}

/// An envelope on its way out, in one of the two styles of a payload.
pub(crate) struct Sealed<'a, R> {
    pub(crate) envelope: &'a Envelope<Request>,
    pub(crate) request: &'a R,
    pub(crate) style: Style,
}

impl<R: Payload> Sealed<'_, R> {
    pub(crate) fn to_json_text(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and maps with text keys always have a JSON form")
    }
}

impl<R: Payload> Serialize for Sealed<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        if R::KEY.is_none() {
            self.request.write(self.style, &mut object)?;
        }
        object.serialize_entry(PhysicalDetails::KEYS[0], &self.envelope.physical_details)?;
        object.serialize_entry(DeviceDetails::KEYS[0], &self.envelope.device_details)?;
        if let Some(key) = R::KEY {
            object.serialize_entry(key, &Written(self.request, self.style))?;
        }
        for (name, value) in self.envelope.extra.iter() {
            object.serialize_entry(name, value)?;
        }
        object.end()
    }
}

/// The details' part of a payload file's schema.
#[cfg(feature = "schema")]
pub(crate) fn describe(schema: &mut crate::schema::ObjectSchema, generator: &mut schemars::SchemaGenerator) {
    let spellings =
        |names: [&'static str; 2]| names.map(|name| crate::schema::Spelling { name, is_older: false });
    schema.always_written::<PhysicalDetails>(
        &spellings(PhysicalDetails::KEYS),
        "What the operator registered on the physical network: texts by name.",
        generator,
    );
    schema.always_written::<DeviceDetails>(
        &spellings(DeviceDetails::KEYS),
        "What the device last printed for `ensure-network-device`.",
        generator,
    );
}
