//! The instance's network interface that a command is about.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::Ipv6Net;

use crate::wire::object::object;
use crate::{MacAddr, NicId, NicUuid};

object! { group
    /// The instance's network interface that a command is about. Its gateway stands in
    /// [`Network::gateway`](crate::Network#structfield.gateway), because the wire has one field for both.
    pub struct Nic {
        required {
            /// The NIC's id.
            nic_id: NicId = "nic_id",
            /// Its hardware address.
            mac: MacAddr = "mac",
        }
        optional {
            /// Its id in the API.
            nic_uuid: NicUuid = "nic_uuid",
            /// Its IPv4 address; absent on layer-2 networks.
            ip: Ipv4Addr = "ip",
            /// The netmask that belongs to the address.
            netmask: Ipv4Addr = "netmask",
            /// Whether the instance's default route leaves by this NIC. A NIC that does not carry it is
            /// given no router.
            default_nic: bool = "default_nic",
            /// Its place among the instance's NICs, from 0.
            device_id: u32 = "device_id",
            /// Its IPv6 address.
            ip6_address: Ipv6Addr = "ip6_address" | "nic_ip6_address",
            /// Its IPv6 gateway.
            ip6_gateway: Ipv6Addr = "ip6_gateway" | "nic_ip6_gateway",
            /// The IPv6 prefix that the address belongs to.
            ip6_cidr: Ipv6Net = "ip6_cidr" | "nic_ip6_cidr",
        }
    }
}
