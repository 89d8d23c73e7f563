//! The public address that a command is about.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::Segment;
use crate::wire::object::object;

object! { group
    /// The public address that a command is about, and the segment that it lives on.
    pub struct PublicIp {
        required {
            /// The address.
            public_ip: Ipv4Addr = "public_ip",
        }
        optional {
            /// The public segment; absent means untagged.
            public_vlan: Segment = "public_vlan",
            /// The gateway towards the outside.
            public_gateway: Ipv4Addr = "public_gateway",
            /// The public subnet: its network or any address of it, with the prefix length.
            public_cidr: Ipv4Net = "public_cidr",
        }
        defaulted {
            /// Whether the guests without an address of their own leave by this one.
            source_nat: bool = "source_nat",
        }
    }
}
