//! Addresses for instances.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::wire::field::{self, Field, Present};
use crate::wire::object::object;
use crate::{HostName, Network, Nic, NicId, Resolvers};

object! { payload
    /// `config-dhcp-subnet`: serve DHCP on a network.
    pub struct ConfigDhcpSubnet {
        groups {
            /// The network.
            network: Network,
            /// The NIC that is being set up.
            nic: Nic,
            /// What guests are told about name resolution.
            resolvers: Resolvers,
        }
        optional {
            /// What the device answers on inside the guest network.
            extension_ip: Ipv4Addr = "extension_ip",
        }
    }
}

object! { payload
    /// `remove-dhcp-subnet`: no longer serve DHCP on a network.
    pub struct RemoveDhcpSubnet {
        groups {
            /// The network.
            network: Network,
        }
        optional {
            /// What the device answers on inside the guest network.
            extension_ip: Ipv4Addr = "extension_ip",
        }
    }
}

object! { payload
    /// `add-dhcp-entry`: reserve an instance's address.
    pub struct AddDhcpEntry {
        groups {
            /// The network.
            network: Network,
            /// The NIC. If it does not carry the instance's default route it is given no router.
            nic: Nic,
            /// What guests are told about name resolution.
            resolvers: Resolvers,
        }
        optional {
            /// What the device answers on inside the guest network.
            extension_ip: Ipv4Addr = "extension_ip",
            /// The instance's host name.
            hostname: HostName = "hostname",
        }
    }
}

object! { payload
    /// `remove-dhcp-entry`: drop an instance's reservation.
    pub struct RemoveDhcpEntry {
        groups {
            /// The network.
            network: Network,
            /// The NIC.
            nic: Nic,
        }
        optional {
            /// What the device answers on inside the guest network.
            extension_ip: Ipv4Addr = "extension_ip",
        }
    }
}

object! { payload
    /// `set-dhcp-options`: set a NIC's own DHCP options. No server sends it yet.
    pub struct SetDhcpOptions {
        groups {
            /// The network.
            network: Network,
        }
        required {
            /// The NIC.
            nic_id: NicId = "nic_id",
        }
        optional {
            /// What the device answers on inside the guest network.
            extension_ip: Ipv4Addr = "extension_ip",
        }
        defaulted {
            /// The options.
            options: DhcpOptions = "options",
        }
    }
}

/// DHCP options by number (RFC 2132), each with its value as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DhcpOptions(BTreeMap<u8, String>);

impl DhcpOptions {
    /// An option's value.
    pub fn get(&self, option: u8) -> Option<&str> {
        self.0.get(&option).map(String::as_str)
    }

    /// Every option with its value, by ascending number.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &str)> {
        self.0.iter().map(|(option, value)| (*option, value.as_str()))
    }
}

impl FromIterator<(u8, String)> for DhcpOptions {
    fn from_iter<I: IntoIterator<Item = (u8, String)>>(options: I) -> Self {
        Self(options.into_iter().collect())
    }
}

/// The options as they are sent: an object, or the same as a JSON text.
#[derive(Default, Deserialize)]
#[serde(transparent)]
struct WireOptions(BTreeMap<String, Present<String>>);

impl Field for DhcpOptions {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WireOptions(options) = field::read_object_or_json(deserializer)?;
        options
            .into_iter()
            .map(|(option, Present(value))| match option.parse() {
                Ok(number @ 1..=254) => Ok((number, value)),
                _ => Err(de::Error::custom(format_args!(
                    "{option:?} is not the number of a DHCP option (1 to 254)"
                ))),
            })
            .collect()
    }

    fn write_as_text<S: serde::Serializer>(value: &Self, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::schema::object_or_json("DHCP options: number to value.")
    }
}

impl Serialize for DhcpOptions {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
