//! The services of a network, and the capabilities that each of them has.

mod capability;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use capability::{Capability, CapabilityValues, InvalidCapability};

macro_rules! services {
    ($($(#[doc = $doc:literal])* $service:ident = $name:literal,)*) => {
        /// A service of a network that a device may provide, as `network.services` names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Service {
            $($(#[doc = $doc])* #[serde(rename = $name)] $service,)*
        }

        impl Service {
            /// Every service.
            pub const ALL: &'static [Self] = &[$(Self::$service),*];

            /// The service's name in CloudStack.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$service => $name,)*
                }
            }

            /// The service with this name, in any case; `None` if the protocol knows no such service.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|service| service.name().eq_ignore_ascii_case(name))
            }

            /// The meaning of the service, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$service => concat!($($doc),*).trim_ascii(),)*
                }
            }
        }
    };
}

services! {
    /// Addresses for instances.
    Dhcp = "Dhcp",
    /// Name resolution for instances.
    Dns = "Dns",
    /// Metadata, user data, passwords and keys for instances.
    UserData = "UserData",
    /// A shared public address for guests' traffic to the outside.
    SourceNat = "SourceNat",
    /// Public addresses of their own for instances.
    StaticNat = "StaticNat",
    /// Forwards of public ports to instances.
    PortForwarding = "PortForwarding",
    /// Rules for traffic to public addresses, and from guests to the outside.
    Firewall = "Firewall",
    /// Load balancing: connections to a public address are distributed to instances.
    Lb = "Lb",
    /// Ordered access lists between the tiers of a VPC and the outside.
    NetworkAcl = "NetworkACL",
    /// The device is the guests' gateway.
    Gateway = "Gateway",
    /// Actions that an operator defines and starts by name.
    CustomAction = "CustomAction",
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
