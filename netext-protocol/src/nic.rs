//! Instances' network interfaces coming and going.

use std::net::Ipv4Addr;

use crate::wire::object::object;
use crate::{HostName, Network, Nic};

object! { payload
    /// `prepare-nic`: an instance's NIC is about to be used. On a shared network it may be the first command.
    pub struct PrepareNic {
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
            /// The instance's host name, one label or several.
            hostname: HostName = "hostname",
        }
    }
}

object! { payload
    /// `release-nic`: an instance's NIC is no longer used.
    pub struct ReleaseNic {
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
