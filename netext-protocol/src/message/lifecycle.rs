//! The life of networks and VPCs, and the choice of their device.

use serde::{Deserialize, Serialize};

use super::payload;
use crate::group::{PublicIp, Subject, Vpc};
use crate::value::details::DeviceDetails;
use crate::value::network::BroadcastDomainType;
use crate::wire::object::object;

object! { payload
    /// `ensure-network-device`: choose the device of a network or VPC, or keep the current one, and print its
    /// details. The server sends it before almost every other command. If it fails, the other command still
    /// runs.
    pub struct EnsureNetworkDevice {
        groups {
            /// The network or VPC.
            subject: Subject,
        }
        defaulted {
            /// The details that the device printed last, the same as `network-extension-details`. Empty
            /// (`{}`) for a new network, or one that was shut down.
            current_details: DeviceDetails = "current_details",
        }
    }
}

payload! { guests
    /// `implement-network`: create a network, or restore it. Its `vlan` may be absent when it is implemented
    /// again.
    pub struct ImplementNetwork {}
}

payload! { network
    /// `shutdown-network`: take a network down. The server forgets the device's details, and replays every
    /// rule when it implements the network again.
    pub struct ShutdownNetwork and
    /// `destroy-network`: delete a network for good. This device may never have implemented it, and the
    /// details may be empty.
    pub struct DestroyNetwork {}
}

object! { payload
    /// `implement-vpc`: create a VPC, or restore it. The source NAT address may come later.
    pub struct ImplementVpc {
        groups {
            /// The VPC.
            vpc: Vpc,
        }
        perhaps {
            /// The source NAT address, if there is one yet.
            public: PublicIp,
        }
    }
}

object! { payload
    /// `shutdown-vpc`: take a VPC down. Every tier was destroyed before.
    pub struct ShutdownVpc and
    /// `destroy-vpc`: delete a VPC for good. No server sends it yet.
    pub struct DestroyVpc {
        groups {
            /// The VPC.
            vpc: Vpc,
        }
    }
}

object! { payload
    /// `update-vpc-source-nat-ip`: from now on, guests without a public address of their own use this one.
    pub struct UpdateVpcSourceNatIp {
        groups {
            /// The VPC.
            vpc: Vpc,
            /// The new source NAT address.
            public: PublicIp,
        }
    }
}

/// The output of `implement-network` from a device that owns its segments: the network's new segment.
///
/// Such a device registers `network.isolation.method` as `NetworkExtension`. A device on VLANs prints
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NetworkUpdate {
    /// The kind of the network's broadcast domain.
    #[serde(rename = "network.broadcast_domain_type")]
    pub broadcast_domain_type: BroadcastDomainType,
    /// The segment's URI, such as `vlan://1910` or `ovn://cs-net-42`.
    #[serde(rename = "network.broadcast_uri")]
    pub broadcast_uri: String,
}

impl NetworkUpdate {
    /// Makes it of both fields: the server accepts them only as a pair.
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
            "description": "The new segment of a network, from a device that owns its segments. Print both fields or nothing.",
            "properties": {
                "network.broadcast_domain_type": {
                    "type": "string",
                    "minLength": 1,
                    "description": format!(
                        "The type of the broadcast domain: one of {}. The server logs and ignores another type, but stores the URI.",
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
        crate::wire::json_schema::claiming_no_failure(schema, generator)
    }
}
