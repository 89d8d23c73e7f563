//! What is wrong with the wires that segments leave this host by.

use super::error::LinkError;
use super::observed;
use crate::kernel::netlink::NetlinkSocket;
use crate::plan::{LinkPlan, Uplink};

/// The NICs of the plan that are up and have nothing at the other end, in words.
pub fn without_carrier(plan: &LinkPlan) -> Result<Vec<String>, LinkError> {
    let uplinks = plan.bridges.iter().filter_map(|bridge| match &bridge.uplink {
        Uplink::Vlan { device, .. } | Uplink::Untagged { device } => Some((device.clone(), &bridge.name)),
        Uplink::HostLocal | Uplink::Existing => None,
    });
    let (devices, bridges): (Vec<_>, Vec<_>) = uplinks.unzip();
    let mut host = NetlinkSocket::route()?;
    let links = observed::by_name(&mut host, &devices)?;
    let told = devices.iter().zip(bridges).zip(&links).filter(|(_, link)| {
        // One that is missing or down is a matter of the plan.
        link.as_ref().is_some_and(|link| link.up && !link.carrier)
    });
    Ok(told
        .map(|((device, bridge), _)| format!("{device} has no carrier: nothing of {bridge} leaves this host"))
        .collect())
}
