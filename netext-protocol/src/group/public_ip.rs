//! The public address that a command is about.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::Segment;
use crate::wire::object::object;

object! { group
    /// The public address that a command is about, and the segment that it lives on.
    pub struct PublicIp {
        required {
            /// The public IPv4 address.
            public_ip: Ipv4Addr = "public_ip",
        }
        optional {
            /// The segment of the public address: `vlan://101` or `101` for a VLAN, `vxlan://5000`, `vlan://untagged`.
            /// Absent means untagged.
            public_vlan: Segment = "public_vlan",
            /// The gateway of the public subnet: the way to the outside.
            public_gateway: Ipv4Addr = "public_gateway",
            /// The public subnet: its network or any address of it, with the prefix length, such as
            /// `198.51.100.10/24`.
            public_cidr: Ipv4Net = "public_cidr",
            /// Whether the public address is the source NAT address: guests without a public address of their own
            /// leave by it. Absent says nothing; see [`is_source_nat`](Self::is_source_nat).
            source_nat: bool = "source_nat",
        }
    }
}

impl PublicIp {
    /// Whether the command says that guests without a public address of their own leave by this one.
    pub fn is_source_nat(&self) -> bool {
        self.source_nat == Some(true)
    }
}
