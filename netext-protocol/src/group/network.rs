//! The network that a command is about.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::wire::object::object;
use crate::{GuestType, NetworkId, NetworkState, Segment, VpcId, ZoneId};

object! { group
    /// The network that a command is about: an isolated, shared or layer-2 network, or a tier of a VPC.
    pub struct Network {
        required {
            /// The network's id.
            network_id: NetworkId = "network_id",
        }
        optional {
            /// The segment: what follows `://` in the network's broadcast URI. Absent for a flat network, and
            /// possibly on a repeated `implement-network`.
            vlan: Segment = "vlan",
            /// The zone.
            zone_id: ZoneId = "zone_id",
            /// How guests use the network.
            guest_type: GuestType = "guest_type",
            /// The server's state of the network; older servers do not send it.
            network_state: NetworkState = "network_state",
            /// The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
            gateway: Ipv4Addr = "gateway",
            /// The guests' IPv4 subnet.
            cidr: Ipv4Net = "cidr",
            /// The VPC, if the network is a tier of one.
            vpc_id: VpcId = "vpc_id",
            /// The guests' IPv6 gateway.
            network_ip6_gateway: Ipv6Addr = "network_ip6_gateway",
            /// The guests' IPv6 prefix.
            network_ip6_cidr: Ipv6Net = "network_ip6_cidr",
        }
    }
}
