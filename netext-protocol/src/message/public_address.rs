//! Public addresses: their use, static NAT and port forwards.

use std::net::Ipv4Addr;

use super::payload;
use crate::group::PublicIp;
use crate::value::traffic::{PortRange, TransportProtocol};
use crate::wire::object::object;

payload! { network
    /// `assign-ip`: use a public address for the network. The source NAT address of a VPC's tiers belongs to
    /// the VPC.
    pub struct AssignIp and
    /// `release-ip`: stop using a public address. Releasing an address that was never assigned succeeds.
    pub struct ReleaseIp {
        groups {
            /// The address.
            public: PublicIp,
        }
    }
}

payload! { network
    /// `add-static-nat`: give an instance a public address of its own, in both directions.
    pub struct AddStaticNat and
    /// `delete-static-nat`: take the public address away from the instance.
    pub struct DeleteStaticNat {
        groups {
            /// The public address.
            public: PublicIp,
        }
        required {
            /// The instance's IPv4 address on the guest network.
            private_ip: Ipv4Addr = "private_ip",
        }
    }
}

object! { group
    /// A port forward. The protocol gives forwards no id: two are the same if all of these fields are.
    pub struct PortForward {
        required {
            /// The port or ports of the public address, 0 to 65535: `22`, `8080-8090` or `8080:8090`.
            public_port: PortRange = "public_port",
            /// The instance's IPv4 address on the guest network.
            private_ip: Ipv4Addr = "private_ip",
            /// The port or ports of the instance, 0 to 65535: one, or as many as `public_port` has.
            private_port: PortRange = "private_port",
            /// The transport protocol, in any case. Another word is refused.
            protocol: TransportProtocol = "protocol",
        }
    }
}

payload! { network
    /// `add-port-forward`: forward ports of a public address to an instance.
    pub struct AddPortForward and
    /// `delete-port-forward`: stop forwarding these ports to the instance. A late delete must not remove a
    /// newer forward of the same ports to another instance or port.
    pub struct DeletePortForward {
        groups {
            /// The public address.
            public: PublicIp,
            /// The forward.
            forward: PortForward,
        }
    }
}
