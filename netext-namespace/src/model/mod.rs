//! The desired state: routers with their tiers, public addresses and rules, as plain data.
//!
//! Commands change a [`Router`], and [`crate::compile`] makes plans for links, packets and daemons of it. Nothing here
//! touches the kernel, the disk or the clock.

mod address;
mod balancer;
mod names;
mod nic;
mod nics;
mod option;
mod policy_routing;
mod router;
mod tier;

pub use address::{ForwardKey, ForwardTarget, InvalidForward, PublicAddress, forward_ends};
pub use balancer::{Balancer, InvalidBalancer};
pub use names::{
    InterfaceName, InvalidDevice, InvalidRouterId, NameError, NamespaceName, RouterId, SegmentDevice,
    SegmentDevices, bridge_name, gateway_mac, guest_interface, public_interface, public_mac, vlan_interface,
};
pub use nic::{DnsListing, GuestNic};
pub use nics::{AddressUse, Nics};
pub(crate) use option::joined;
pub use option::{InvalidOption, OptionValue};
pub(crate) use policy_routing::MAIN_PRIORITY;
pub use policy_routing::{
    FIRST_OWN_TABLE, FirewallMark, HopScope, InvalidRoutingTableId, IpProtocol, NextHop, PlacedRule,
    PolicyRouting, PolicyRoutingError, PortSpan, Route, RouteAction, RoutePattern, RoutingRule, RoutingTable,
    RoutingTableId, RoutingTableName, RoutingTableRef, RuleWords, UnknownProtocol, WordError,
};
pub use router::{BalancerInForce, ImplementedVpc, Router};
pub use tier::{AddressRange, Ipv6Subnet, ServedRange, Tier, TierServices};
