//! The links and routes of a router.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::model::{InterfaceName, NamespaceName, Route, RoutingRule};

/// The protocol number (`proto 110`) of our routes and rules. Those of people and routing daemons have others, and are
/// left alone.
pub const ROUTE_PROTOCOL: u8 = 110;

/// The links of one router: the bridges that its segments live on, and its namespace.
///
/// An L2 network has only a bridge.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LinkPlan {
    /// Bridges on the host, one per segment.
    pub bridges: Vec<BridgePlan>,
    /// The router itself; `None` if it has no interface in the network.
    pub namespace: Option<NamespacePlan>,
}

/// A bridge on the host that a segment's ports are attached to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgePlan {
    /// The bridge's conventional name. A bridge that already has it is used as it is.
    pub name: InterfaceName,
    /// How the segment leaves the host.
    pub uplink: Uplink,
}

/// How a bridge's segment leaves the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Uplink {
    /// It does not: the segment exists on this host alone.
    HostLocal,
    /// Through an 802.1Q sub-interface of a NIC.
    Vlan {
        /// The NIC.
        device: InterfaceName,
        /// VLAN id, 1 to 4094.
        id: u16,
        /// Name of the sub-interface, by convention `<device>.<id>`.
        name: InterfaceName,
    },
    /// Through a NIC as it is, or the bridge that holds it, or `device` itself if it is a bridge.
    Untagged {
        /// The NIC or bridge.
        device: InterfaceName,
    },
    /// In a way that is not ours to make: the bridge must exist.
    Existing,
}

/// A router: one network namespace and its interfaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespacePlan {
    /// Name under `/run/netns`.
    pub name: NamespaceName,
    /// Whether packets are forwarded between the interfaces (IPv4 and IPv6).
    pub forwarding: bool,
    /// The router's interfaces.
    pub interfaces: Vec<InterfacePlan>,
    /// The IPv4 way out.
    pub default_route: Option<DefaultRoute>,
    /// Routes and rules beyond the main table.
    pub routing: RoutingPlan,
}

/// A veth pair: one end in the namespace, the other a port of a bridge on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfacePlan {
    /// The end in the namespace.
    pub name: InterfaceName,
    /// The end on the host.
    pub peer: InterfaceName,
    /// The bridge that `peer` is a port of: the name of a [`BridgePlan`], or of a bridge of the host.
    pub bridge: InterfaceName,
    /// Hardware address of the end in the namespace.
    pub mac: [u8; 6],
    /// Addresses of the interface, each with the prefix of its subnet.
    pub addresses: BTreeSet<IpNet>,
    /// Whether a new IPv4 address is announced to neighbours (gratuitous ARP).
    pub announce: bool,
}

/// The IPv4 default route of a router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultRoute {
    /// Next hop, a neighbour on `interface`.
    pub gateway: Ipv4Addr,
    /// The interface in the namespace that leads to it.
    pub interface: InterfaceName,
}

/// The routes and rules of a router beyond its main table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RoutingPlan {
    /// The routes.
    pub routes: BTreeSet<TableRoute>,
    /// The rules.
    pub rules: BTreeSet<TableRule>,
}

/// A route of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableRoute {
    /// The table's number.
    pub table: u32,
    /// The route.
    pub route: Route,
}

/// A rule with its priority and the table that it leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableRule {
    /// The kernel consults the rule with the least priority first.
    pub priority: u32,
    /// The packets that it matches.
    pub rule: RoutingRule,
    /// The table's number.
    pub table: u32,
}

/// As `ip route` takes it.
impl fmt::Display for TableRoute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} table {}", self.route, self.table)
    }
}

/// As `ip rule` takes it.
impl fmt::Display for TableRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} priority {} table {}", self.rule, self.priority, self.table)
    }
}
