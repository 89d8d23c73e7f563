//! What a router's links and daemons shall look like, as plain data.
//!
//! A plan says what must be there, not how to get there: [`crate::kernel::links::apply`] compares it with
//! the kernel and acts on the difference only.

mod daemon;
mod element;
mod name;
mod protocol;
mod routing;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use daemon::{Account, CommandLine, ConfigFile, Daemon, DaemonPlan, OnChange, Successor};
pub use element::{Element, ElementChange, Field, Fields};
pub use name::{InterfaceName, NameError, NamespaceName};
pub use protocol::{IpProtocol, UnknownProtocol};
pub use routing::{
    FIRST_OWN_TABLE, InvalidTableId, Mark, NextHop, PROTOCOL, PortSpan, Route, RoutePattern, RoutingPlan,
    Rule, RuleWords, Scope, TableId, TableRoute, TableRule, Way, WordError,
};

/// The table of packet rules in every router's namespace.
pub const TABLE: &str = "inet netext";

/// The links of one router: the bridges that its segments live on, and its namespace.
///
/// An L2 network has only a bridge.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LinkPlan {
    /// Bridges on the host, one per segment.
    pub bridges: Vec<BridgePlan>,
    /// The router itself; `None` when the network has no gateway of ours.
    pub namespace: Option<NamespacePlan>,
}

/// A bridge on the host that a segment's ports are attached to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgePlan {
    /// The bridge's conventional name; a bridge that bears it already is used as it stands.
    pub name: InterfaceName,
    /// How the segment leaves the host.
    pub uplink: Uplink,
}

/// How a bridge's segment leaves the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Uplink {
    /// It does not: a segment of this host alone.
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
    /// Through a NIC as it is, or the bridge that holds it, or `device` itself when it is a bridge.
    Untagged {
        /// The NIC or bridge.
        device: InterfaceName,
    },
    /// Somebody else's business: the bridge must be there already.
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
    /// Whether neighbours are told about an IPv4 address (gratuitous ARP) when it is newly added.
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
