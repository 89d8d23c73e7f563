//! Addresses for instances.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserializer, Serialize, de};

use crate::wire::field::{self, Field, GIVEN_TWICE, Perhaps};
use crate::wire::object::{Style, object};
use crate::wire::text::{Text, excerpt};
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
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
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
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
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
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
            extension_ip: Ipv4Addr = "extension_ip",
            /// The instance's host name, one label or several.
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
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
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
            /// The id of the NIC that gets the options: the number in the server's database.
            nic_id: NicId = "nic_id",
        }
        optional {
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
            extension_ip: Ipv4Addr = "extension_ip",
            /// The options, in place of those that the NIC had: the option's number (1 to 254, RFC 2132) to its value as
            /// text, such as `"26": "1400"` for an MTU of 1400 bytes. Absent they say nothing; an empty object takes all
            /// of them away.
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

impl Field for DhcpOptions {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut options = BTreeMap::new();
        for (name, Perhaps(value)) in field::read_map::<Perhaps<String>, D>(deserializer)? {
            let Some(number @ 1..=254) = u8::parse_text(&name) else {
                return Err(de::Error::custom(format_args!(
                    "{} is not the number of a DHCP option (1 to 254)",
                    excerpt(&name)
                )));
            };
            let Some(value) = value else { continue };
            if options.insert(number, value).is_some() {
                return Err(de::Error::custom(format_args!("option {number} is {GIVEN_TWICE}")));
            }
        }
        Ok(Self(options))
    }

    fn write<S: serde::Serializer>(value: &Self, _: Style, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    #[cfg(feature = "schema")]
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::schema::texts_by_name("DhcpOptions", "DHCP options: values by number.", generator)
    }
}

impl Serialize for DhcpOptions {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
