//! The names of segments.

use std::fmt;
use std::str::FromStr;

use netext_core::protocol::NetworkId;
use netext_core::{Context, DeviceError};
use serde_json::Value;

/// The name by which every host finds a network: `<prefix>-<mode>-<id>`, such as `cs-nat-240`.
///
/// A network keeps its name when the operator registers another mode or prefix, because its instances stay plugged in.
/// So `ensure-network-device` answers mode and prefix once, and they come back with every command; the registration
/// counts if nothing came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Naming {
    pub(crate) mode: Mode,
    pub(crate) prefix: Prefix,
}

impl Naming {
    pub(crate) const MODE: &str = "mode";
    pub(crate) const PREFIX: &str = "name_prefix";

    /// The mode and prefix of a network; default: `internal` and `cs`.
    pub(crate) fn of(context: &Context) -> Result<Self, DeviceError> {
        Ok(Self {
            mode: detail(context, Self::MODE)?.unwrap_or(Mode::Internal),
            prefix: detail(context, Self::PREFIX)?.unwrap_or_default(),
        })
    }

    pub(crate) fn segment(&self, id: NetworkId) -> String {
        format!("{}-{}-{id}", self.prefix, self.mode)
    }
}

/// The network's own detail, else the registered one.
fn detail<T: FromStr<Err = DeviceError>>(context: &Context, name: &str) -> Result<Option<T>, DeviceError> {
    match context.device_details().get(name) {
        Some(Value::String(stored)) if !stored.is_empty() => stored.parse().map(Some),
        None | Some(Value::Null | Value::String(_)) => {
            context.physical_details().get(name).map(str::parse).transpose()
        }
        Some(other) => Err(DeviceError::invalid(format!("the detail {name} is {other}; it must be a text"))),
    }
}

/// The network that a host connects a segment to. An unknown word is refused, because it decides whether guests reach
/// external networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// External networks, through the host's own address.
    Nat,
    /// None: guests reach each other only.
    Internal,
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nat => "nat",
            Self::Internal => "internal",
        })
    }
}

impl FromStr for Mode {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        match text {
            "nat" => Ok(Self::Nat),
            "internal" => Ok(Self::Internal),
            _ => {
                Err(DeviceError::invalid(format!("the detail mode is {text:?}; it must be nat or internal")))
            }
        }
    }
}

/// The beginning of all names: up to 32 lower-case letters, digits and `-`, beginning with a letter. Such a name needs no
/// escaping on hosts, in URIs or in tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix(String);

impl Default for Prefix {
    fn default() -> Self {
        Self("cs".to_owned())
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Prefix {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.len() <= 32 && text.starts_with(|it: char| it.is_ascii_lowercase()) && text.bytes().all(plain)
        {
            return Ok(Self(text.to_owned()));
        }
        Err(DeviceError::invalid(format!(
            "the detail name_prefix is {text:?}; it must be up to 32 of a-z, 0-9 and '-', beginning with a letter"
        )))
    }
}
