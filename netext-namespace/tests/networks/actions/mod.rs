//! What operators do to networks and VPCs by actions.

mod hooks;
mod inspection;
mod reboot;
mod refusals;
mod routing;
mod traffic;
