//! The network that a command is about.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::wire::object::object;
use crate::{GuestType, NetworkId, NetworkState, Segment, VpcId, ZoneId};

object! { group
    /// The network that a command is about: an isolated, shared or layer-2 network, or a tier of a VPC.
    pub struct Network {
        required {
            /// The network's id: the number in the server's database, the same in every command.
            network_id: NetworkId = "network_id",
        }
        optional {
            /// The layer-2 segment that guests are on: what follows `://` in the network's broadcast URI. A number is
            /// a VLAN (1 to 4094) or a VXLAN (above), another text is the name of a segment that its owner knows.
            /// Absent for a flat network, and possibly on a repeated `implement-network`.
            vlan: Segment = "vlan",
            /// The zone's id: the number in the server's database.
            zone_id: ZoneId = "zone_id",
            /// The kind of network, in any case. Another word is refused.
            guest_type: GuestType = "guest_type",
            /// The server's state of the network at the time of the command, in any case. Older servers do not send
            /// it, and newer ones may send other words.
            network_state: NetworkState = "network_state",
            /// The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in
            /// another IP range of a shared network.
            gateway: Ipv4Addr = "gateway",
            /// The guests' IPv4 subnet. About a VPC as a whole some senders call `vpc_cidr` so.
            cidr: Ipv4Net = "cidr",
            /// The id of the VPC, if the network is a tier of one: the number in the server's database.
            vpc_id: VpcId = "vpc_id",
            /// The guests' IPv6 gateway, where the network has IPv6.
            network_ip6_gateway: Ipv6Addr = "network_ip6_gateway",
            /// The guests' IPv6 prefix, where the network has IPv6.
            network_ip6_cidr: Ipv6Net = "network_ip6_cidr",
        }
    }
}
