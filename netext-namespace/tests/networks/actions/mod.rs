//! Actions of operators on networks and VPCs.

mod hooks;
mod inspection;
mod reboot;
mod refusals;
mod routing;
mod traffic;
