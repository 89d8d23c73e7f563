//! Instances' NICs, and the DHCP and DNS service of their networks.

use std::collections::BTreeMap;

use serde::{Deserializer, Serialize, de};

use super::payload;
use crate::group::Resolvers;
use crate::value::identifier::{HostName, NicId};
use crate::wire::field::{self, Field, OptionalValue, WriteStyle};
use crate::wire::refusal::{GIVEN_TWICE, excerpt};
use crate::wire::text::Text;

payload! { nic
    /// `prepare-nic`: prepare the network for an instance's NIC. On a shared network it may be the first
    /// command.
    pub struct PrepareNic {
        optional {
            /// The instance's host name, one label or several.
            hostname: HostName = "hostname",
        }
    }
}

payload! { nic
    /// `release-nic`: release what was prepared for an instance's NIC.
    pub struct ReleaseNic and
    /// `remove-dhcp-entry`: remove an instance's reservation.
    pub struct RemoveDhcpEntry {}
}

payload! { nic
    /// `config-dhcp-subnet`: serve DHCP on a network.
    pub struct ConfigDhcpSubnet and
    /// `config-dns-subnet`: serve DNS on a network. The name `data-server` resolves to the extension IP.
    pub struct ConfigDnsSubnet and
    /// `remove-dns-entry`: remove the names of an address. The server sends no host name.
    pub struct RemoveDnsEntry {
        groups {
            /// The resolvers and the domain for guests.
            resolvers: Resolvers,
        }
    }
}

payload! { nic
    /// `add-dhcp-entry`: reserve an instance's address. Give no router to a NIC that does not carry the
    /// instance's default route.
    pub struct AddDhcpEntry and
    /// `add-dns-entry`: make an instance's name resolve.
    pub struct AddDnsEntry {
        groups {
            /// The resolvers and the domain for guests.
            resolvers: Resolvers,
        }
        optional {
            /// The instance's host name, one label or several.
            hostname: HostName = "hostname",
        }
    }
}

payload! { guests
    /// `remove-dhcp-subnet`: stop serving DHCP on a network.
    pub struct RemoveDhcpSubnet {}
}

payload! { guests
    /// `remove-dns-subnet`: stop serving DNS on a network; DHCP goes on.
    pub struct RemoveDnsSubnet {
        groups {
            /// The resolvers and the domain, as they were.
            resolvers: Resolvers,
        }
    }
}

payload! { guests
    /// `set-dhcp-options`: set a NIC's own DHCP options. No server sends it yet.
    pub struct SetDhcpOptions {
        required {
            /// The id of the NIC that gets the options: the number in the server's database.
            nic_id: NicId = "nic_id",
        }
        optional {
            /// The options, in place of those that the NIC had: the option's number (1 to 254, RFC 2132) to
            /// its value as text, such as `"26": "1400"` for an MTU of 1400 bytes. If they are absent,
            /// nothing changes; an empty object removes all of them.
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
        for (name, OptionalValue(value)) in field::read_map::<OptionalValue<String>, D>(deserializer)? {
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

    fn write<S: serde::Serializer>(value: &Self, _: WriteStyle, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    #[cfg(feature = "schema")]
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::wire::json_schema::texts_by_name("DhcpOptions", "DHCP options: values by number.", generator)
    }
}

impl Serialize for DhcpOptions {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
