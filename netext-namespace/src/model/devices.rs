//! The host's NICs that carry a router's traffic.

use std::fmt;

use netext_protocol::PhysicalDetails;
use serde::{Deserialize, Serialize};

use super::{InterfaceName, NameError};

/// The NICs that the operator registered for guest and for public traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentDevices {
    /// `guest.network.device`.
    pub guest: SegmentDevice,
    /// `public.network.device`.
    pub public: SegmentDevice,
}

/// A NIC of the host, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SegmentDevice {
    /// A NIC, or a bridge.
    Nic(InterfaceName),
    /// `none`: segments stay on the host.
    None,
}

impl SegmentDevices {
    /// What the operator registered; what is not registered stays as it was.
    pub fn learn(&mut self, details: &PhysicalDetails) -> Result<(), InvalidDevice> {
        let device = |detail: &'static str, value: Option<&str>, known: &SegmentDevice| match value {
            None => Ok(known.clone()),
            Some(value) => {
                SegmentDevice::try_from(value.to_owned()).map_err(|source| InvalidDevice { detail, source })
            }
        };
        self.guest = device("guest.network.device", details.guest_device(), &self.guest)?;
        self.public = device("public.network.device", details.public_device(), &self.public)?;
        Ok(())
    }
}

/// A registered detail that names no NIC.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("physical-network-extension-details.{detail}: {source}; register a NIC of the hosts, or none")]
pub struct InvalidDevice {
    detail: &'static str,
    source: NameError,
}

impl Default for SegmentDevice {
    fn default() -> Self {
        Self::Nic(InterfaceName::try_from("eth1").expect("eth1 is a valid name"))
    }
}

impl TryFrom<String> for SegmentDevice {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        if name == "none" { Ok(Self::None) } else { InterfaceName::try_from(name).map(Self::Nic) }
    }
}

impl From<SegmentDevice> for String {
    fn from(device: SegmentDevice) -> Self {
        device.to_string()
    }
}

impl fmt::Display for SegmentDevice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nic(name) => name.fmt(formatter),
            Self::None => formatter.write_str("none"),
        }
    }
}
