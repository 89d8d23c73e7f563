//! The two maps of details that travel with every command.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::value::secret::Secret;
use crate::wire::field::{self, Field, OptionalValue, WriteStyle};
use crate::wire::text::{self, InvalidText};

/// The details that the operator registered on the physical network: texts by name.
///
/// Conventional names have a method; every other name belongs to the vendor. The values may be credentials,
/// so `Debug` shows only those of harmless conventional names.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PhysicalDetails(BTreeMap<String, Secret>);

impl PhysicalDetails {
    /// The keys of these details in a payload file: the server's, and another spelling that readers accept.
    pub const KEYS: [&str; 2] = ["physical-network-extension-details", "physical_network_extension_details"];

    const HARMLESS: [&str; 7] = [
        "hosts",
        "host",
        "port",
        "username",
        "guest.network.device",
        "public.network.device",
        "physicalnetworkname",
    ];

    /// Whether values of this name may be shown, because they are not credentials. Only some conventional
    /// names qualify: the values of the others are known to the vendor alone.
    pub fn is_harmless(name: &str) -> bool {
        Self::HARMLESS.contains(&name)
    }

    /// The value registered under a name; blank ones count as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Secret::expose).filter(|value| !value.trim().is_empty())
    }

    /// Registers a value.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Secret>) {
        self.0.insert(name.into(), value.into());
    }

    /// Every value by its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The hosts to work on: `hosts` (a comma-separated list), otherwise `host`. Empty if neither is
    /// registered.
    pub fn hosts(&self) -> Vec<&str> {
        let listed = self.get("hosts").or_else(|| self.get("host")).unwrap_or_default();
        listed.split(',').map(str::trim).filter(|host| !host.is_empty()).collect()
    }

    /// The hosts' SSH port: `port`; `None` if it is not registered.
    pub fn port(&self) -> Result<Option<u16>, InvalidText> {
        self.get("port").map(|port| text::parse(port.trim())).transpose()
    }

    /// The account on the hosts: `username`.
    pub fn username(&self) -> Option<&str> {
        self.get("username")
    }

    /// The account's password: `password`.
    pub fn password(&self) -> Option<&Secret> {
        self.0.get("password").filter(|password| !password.expose().is_empty())
    }

    /// The account's private key in PEM: `sshkey`. Its line breaks may arrive as `\n`.
    pub fn ssh_key(&self) -> Option<Secret> {
        self.get("sshkey").map(|key| key.replace("\\n", "\n").into())
    }

    /// The hosts' interface that carries guest traffic: `guest.network.device`.
    pub fn guest_device(&self) -> Option<&str> {
        self.get("guest.network.device")
    }

    /// The hosts' interface that carries public traffic: `public.network.device`.
    pub fn public_device(&self) -> Option<&str> {
        self.get("public.network.device")
    }

    /// The physical network's name, which the server adds: `physicalnetworkname`.
    pub fn physical_network_name(&self) -> Option<&str> {
        self.get("physicalnetworkname")
    }
}

impl fmt::Debug for PhysicalDetails {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = formatter.debug_map();
        for (name, value) in &self.0 {
            if Self::is_harmless(name) {
                map.entry(name, &value.expose());
            } else {
                map.entry(name, value);
            }
        }
        map.finish()
    }
}

impl FromIterator<(String, Secret)> for PhysicalDetails {
    fn from_iter<I: IntoIterator<Item = (String, Secret)>>(details: I) -> Self {
        Self(details.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for PhysicalDetails {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = field::read_map::<OptionalValue<Secret>, D>(deserializer)?;
        Ok(texts.into_iter().filter_map(|(name, OptionalValue(value))| Some((name, value?))).collect())
    }
}

impl Field for PhysicalDetails {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn write<S: serde::Serializer>(value: &Self, _: WriteStyle, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    #[cfg(feature = "schema")]
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let description = "The details that the operator registered on the physical network: texts by name.";
        crate::wire::json_schema::texts_by_name("PhysicalDetails", description, generator)
    }
}

/// The device's details from its last answer to `ensure-network-device`: any JSON object. The server stores
/// it and sends it with every command.
///
/// By convention `{"host": "192.0.2.10", "namespace": "cs-net-42"}`, for a VPC also `vpc_id`. Keep its text
/// within [`DeviceDetails::MAX_BYTES`].
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DeviceDetails(Map<String, Value>);

impl DeviceDetails {
    /// The keys of these details in a payload file: the server's, and another spelling that readers accept.
    pub const KEYS: [&str; 2] = ["network-extension-details", "network_extension_details"];

    /// The longest JSON text of the details, in bytes. The server's table has no room for more.
    pub const MAX_BYTES: usize = 1024;

    /// A detail's value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A detail's value, if it is a text.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Adds or replaces a detail.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// The same details with one more.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(name, value);
        self
    }

    /// Every detail.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there are no details: the network is new, or was shut down.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Shows only the names: a device may have stored a token.
impl fmt::Debug for DeviceDetails {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl<'de> Deserialize<'de> for DeviceDetails {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(field::read_map(deserializer)?.into_iter().collect()))
    }
}

impl Field for DeviceDetails {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    /// The server sends `current_details`, and no other field, as an object in a string.
    fn write<S: serde::Serializer>(
        value: &Self,
        style: WriteStyle,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match style {
            WriteStyle::Text => serializer.collect_str(&Value::Object(value.0.clone())),
            WriteStyle::Native | WriteStyle::Strict => value.serialize(serializer),
        }
    }

    fn is_left_out(value: &Self) -> bool {
        value.is_empty()
    }

    #[cfg(feature = "schema")]
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::wire::json_schema::object_or_json::<Self>(generator)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for DeviceDetails {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DeviceDetails".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let schema = schemars::json_schema!({
            "title": "DeviceDetails",
            "type": "object",
            "description": "The device's details. The server stores them and sends them with every command. \
                            At most 1024 bytes. By convention host and namespace, for a VPC also vpc_id.",
            "additionalProperties": {},
        });
        crate::wire::json_schema::claiming_no_failure(schema, generator)
    }
}
