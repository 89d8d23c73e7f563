//! Public addresses, and what leads from them to instances.

use std::net::Ipv4Addr;

use crate::wire::object::object;
use crate::{Network, PortRange, PublicIp, TransportProtocol};

object! { payload
    /// `assign-ip`: take up a public address. A VPC tier's source NAT address is the VPC's affair.
    pub struct AssignIp {
        groups {
            /// The network that uses the address.
            network: Network,
            /// The address.
            public: PublicIp,
        }
    }
}

object! { payload
    /// `release-ip`: give up a public address; one that never was here is given up already.
    pub struct ReleaseIp {
        groups {
            /// The network that used the address.
            network: Network,
            /// The address.
            public: PublicIp,
        }
    }
}

object! { payload
    /// `add-static-nat`: a public address belongs to one instance, in both directions.
    pub struct AddStaticNat {
        groups {
            /// The instance's network.
            network: Network,
            /// The public address.
            public: PublicIp,
        }
        required {
            /// The instance's IPv4 address on the guest network.
            private_ip: Ipv4Addr = "private_ip",
        }
    }
}

object! { payload
    /// `delete-static-nat`: the public address no longer belongs to the instance.
    pub struct DeleteStaticNat {
        groups {
            /// The instance's network.
            network: Network,
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
    /// Where a port forward leads. The protocol gives forwards no id: two are the same if all of this is.
    pub struct PortForward {
        required {
            /// The port or ports of the public address, 0 to 65535: `22`, `8080-8090` or `8080:8090`.
            public_port: PortRange = "public_port",
            /// The instance's IPv4 address on the guest network.
            private_ip: Ipv4Addr = "private_ip",
            /// The port or ports of the instance, 0 to 65535, as many as `public_port` has, or one.
            private_port: PortRange = "private_port",
            /// The transport protocol, in any case. Another word is refused.
            protocol: TransportProtocol = "protocol",
        }
    }
}

object! { payload
    /// `add-port-forward`: lead ports of a public address to an instance.
    pub struct AddPortForward {
        groups {
            /// The instance's network.
            network: Network,
            /// The public address.
            public: PublicIp,
            /// Where the forward leads.
            forward: PortForward,
        }
    }
}

object! { payload
    /// `delete-port-forward`: no longer lead these ports there. A delete that comes late must not remove a
    /// newer forward that leads elsewhere.
    pub struct DeletePortForward {
        groups {
            /// The instance's network.
            network: Network,
            /// The public address.
            public: PublicIp,
            /// Where the forward led.
            forward: PortForward,
        }
    }
}
