//! Choosing the device of a network or VPC.

use crate::wire::object::object;
use crate::{DeviceDetails, Subject};

object! { payload
    /// `ensure-network-device`: choose the device of a network or VPC, or keep the present one, and print its
    /// details. It is sent before almost every other command, and if it fails the other command still runs.
    pub struct EnsureNetworkDevice {
        groups {
            /// The network or VPC.
            subject: Subject,
        }
        defaulted {
            /// The details that the device printed last, the same as `network-extension-details`. Empty (`{}`) for a
            /// new network, or one that was shut down.
            current_details: DeviceDetails = "current_details",
        }
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
            "description": "What the device says about itself; stored, and handed back with every command. \
                            At most 1024 bytes. By convention host and namespace, for a VPC also vpc_id.",
            "additionalProperties": {},
        });
        crate::schema::claiming_no_failure(schema, generator)
    }
}
