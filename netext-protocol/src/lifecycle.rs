//! The life of a network.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::wire::object::object;
use crate::{BroadcastDomainType, Network};

object! { payload
    /// `implement-network`: bring a network into being, or bring it back.
    pub struct ImplementNetwork {
        groups {
            /// The network. Its `vlan` may be absent when it is implemented again.
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
    /// `shutdown-network`: take a network down. The server forgets the device's details, and replays every
    /// rule when it implements the network again.
    pub struct ShutdownNetwork {
        groups {
            /// The network.
            network: Network,
        }
    }
}

object! { payload
    /// `destroy-network`: forget a network. It may never have been implemented here, and the details may be
    /// empty.
    pub struct DestroyNetwork {
        groups {
            /// The network.
            network: Network,
        }
    }
}

/// What a device that owns its segments answers to `implement-network`: where the network now lives.
///
/// Needed where `network.isolation.method` is `NetworkExtension`; a device on VLANs answers nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NetworkUpdate {
    /// The kind of broadcast domain that the network is on.
    #[serde(rename = "network.broadcast_domain_type")]
    pub broadcast_domain_type: BroadcastDomainType,
    /// The segment's URI, such as `vlan://1910` or `ovn://cs-net-42`.
    #[serde(rename = "network.broadcast_uri")]
    pub broadcast_uri: String,
}

impl NetworkUpdate {
    /// Both belong together: the server takes them as a pair.
    pub fn new(
        broadcast_domain_type: impl Into<BroadcastDomainType>,
        broadcast_uri: impl Into<String>,
    ) -> Self {
        Self { broadcast_domain_type: broadcast_domain_type.into(), broadcast_uri: broadcast_uri.into() }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for NetworkUpdate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NetworkUpdate".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let schema = schemars::json_schema!({
            "title": "NetworkUpdate",
            "type": "object",
            "description": "Where a network now lives, said by a device that owns its segments. Both or none.",
            "properties": {
                "network.broadcast_domain_type": {
                    "type": "string",
                    "minLength": 1,
                    "description": format!(
                        "The broadcast domain's type, out of {}. The server logs and ignores another one, while it stores the URI.",
                        BroadcastDomainType::KNOWN.iter().map(BroadcastDomainType::name).collect::<Vec<_>>().join(", "),
                    ),
                },
                "network.broadcast_uri": {
                    "type": "string",
                    "pattern": "^[A-Za-z][A-Za-z0-9+.-]*://.",
                    "description": "The segment's URI, such as vlan://1910 or ovn://cs-net-42.",
                },
            },
            "required": ["network.broadcast_domain_type", "network.broadcast_uri"],
        });
        crate::schema::claiming_no_failure(schema, generator)
    }
}
