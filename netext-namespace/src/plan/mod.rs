//! The links, packet rules and daemons that a router needs, as plain data.
//!
//! A plan says what must exist, not how to get there: [`crate::kernel`] and [`crate::daemons`] compare it with what
//! is there, and act on the difference only.

mod daemons;
mod links;
mod packets;

pub use daemons::{
    ChangeNotice, CommandLine, ConfigFile, Daemon, DaemonAccount, DaemonPlan, DaemonProgram, DaemonSuccessor,
    HealthQuestion,
};
pub use links::{
    BridgePlan, DefaultRoute, InterfacePlan, LinkPlan, NamespacePlan, ROUTE_PROTOCOL, RoutingPlan,
    TableRoute, TableRule, Uplink,
};
pub use packets::{
    ElementChange, ElementField, ElementFields, FlowMatch, PACKET_TABLE, RulesetGeneration, SetElement,
};
