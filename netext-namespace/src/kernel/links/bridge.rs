//! Bridges on the host and how their segments leave it.

use std::collections::BTreeMap;

use super::error::LinkError;
use super::observed::{self, Link};
use super::{address, message, sysctl};
use crate::kernel::netlink::{NetlinkError, Socket};
use crate::plan::{BridgePlan, InterfaceName, LinkPlan, Uplink};
use rustix::io::Errno;

/// The bridge that a planned bridge comes down to: where ports are attached.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) name: InterfaceName,
    pub(super) index: u32,
}

/// Segments by the name that the plan has for their bridge.
pub(super) type Segments = BTreeMap<InterfaceName, Segment>;

/// Makes sure of every bridge that the plan names, those that only interfaces name included.
pub(super) fn ensure(host: &mut Socket, plan: &LinkPlan) -> Result<Segments, LinkError> {
    let mut segments = Segments::new();
    for bridge in &plan.bridges {
        let segment = ensure_one(host, bridge)?;
        segments.insert(bridge.name.clone(), segment);
    }
    for interface in plan.namespace.iter().flat_map(|router| &router.interfaces) {
        if !segments.contains_key(&interface.bridge) {
            let segment = existing(host, &interface.bridge)?;
            segments.insert(interface.bridge.clone(), segment);
        }
    }
    Ok(segments)
}

fn ensure_one(host: &mut Socket, plan: &BridgePlan) -> Result<Segment, LinkError> {
    match &plan.uplink {
        Uplink::Existing => existing(host, &plan.name),
        Uplink::HostLocal => match find_bridge(host, &plan.name)? {
            Some(bridge) => settle(host, &plan.name, &bridge),
            None => create(host, &plan.name),
        },
        Uplink::Vlan { device, id, name } => on_vlan(host, &plan.name, device, *id, name),
        Uplink::Untagged { device } => on_device(host, &plan.name, device),
    }
}

fn existing(host: &mut Socket, name: &InterfaceName) -> Result<Segment, LinkError> {
    let bridge = find_bridge(host, name)?.ok_or_else(|| LinkError::NoBridge { bridge: name.clone() })?;
    settle(host, name, &bridge)
}

/// The VLAN interface comes before the bridge, so that a bridge without one is never a half-made one of ours: an
/// operator's bridge that bears the conventional name, however it leaves the host, is used as it stands.
fn on_vlan(
    host: &mut Socket,
    name: &InterfaceName,
    device: &InterfaceName,
    id: u16,
    vlan_name: &InterfaceName,
) -> Result<Segment, LinkError> {
    let bridge = find_bridge(host, name)?;
    let mut vlan = find(host, vlan_name)?;
    let ours = bridge.as_ref().is_none_or(|bridge| bridge.group == message::OUR_GROUP);
    if vlan.is_none() && ours {
        vlan = Some(create_vlan(host, name, device, id, vlan_name)?);
    }
    if let (None, Some(vlan)) = (&bridge, &vlan) {
        // The operator's own bridge of another name holds the VLAN: it is the segment.
        if let Some(segment) = bridge_of(host, vlan_name, vlan, name)? {
            return Ok(segment);
        }
    }
    let segment = match &bridge {
        Some(bridge) => settle(host, name, bridge)?,
        None => create(host, name)?,
    };
    if let Some(vlan) = vlan {
        attach(host, vlan_name, &vlan, &segment)?;
    }
    Ok(segment)
}

fn create_vlan(
    host: &mut Socket,
    bridge: &InterfaceName,
    device: &InterfaceName,
    id: u16,
    name: &InterfaceName,
) -> Result<Link, LinkError> {
    let parent = find(host, device)?
        .ok_or_else(|| LinkError::NoDevice { device: device.clone(), bridge: bridge.clone() })?;
    let mut requests = vec![message::create_vlan(name, parent.index, id), message::no_ipv6_address(name)];
    if !parent.up {
        requests.push(message::bring_up(device));
    }
    let refused = match host.exchange(&requests) {
        Err(error) if error.is(Errno::OPNOTSUPP) => return Err(LinkError::NoVlan { source: error }),
        // Another network of the same segment may have made it at the same time; or it bears another name.
        Err(error) if !error.is(Errno::EXIST) => return Err(error.into()),
        outcome => outcome.err(),
    };
    match (find(host, name)?, refused) {
        (Some(vlan), _) => Ok(vlan),
        (None, Some(error)) => Err(error.into()),
        (None, None) => Err(LinkError::NoDevice { device: name.clone(), bridge: bridge.clone() }),
    }
}

fn on_device(host: &mut Socket, name: &InterfaceName, device: &InterfaceName) -> Result<Segment, LinkError> {
    let bridge = find_bridge(host, name)?;
    if let Some(bridge) = bridge.as_ref().filter(|bridge| bridge.group != message::OUR_GROUP) {
        return settle(host, name, bridge);
    }
    let nic = find(host, device)?
        .ok_or_else(|| LinkError::NoDevice { device: device.clone(), bridge: name.clone() })?;
    if nic.is_bridge() {
        return settle(host, device, &nic);
    }
    if let Some(segment) = bridge_of(host, device, &nic, name)? {
        return Ok(segment);
    }
    if let Some(address) = address::of_the_host(host, nic.index)? {
        return Err(LinkError::Addressed { device: device.clone(), bridge: name.clone(), address });
    }
    let segment = match &bridge {
        Some(bridge) => settle(host, name, bridge)?,
        None => create(host, name)?,
    };
    attach(host, device, &nic, &segment)?;
    Ok(segment)
}

/// The bridge that a link is a port of already, if any.
fn bridge_of(
    host: &mut Socket,
    device: &InterfaceName,
    link: &Link,
    wanted: &InterfaceName,
) -> Result<Option<Segment>, LinkError> {
    let Some(master) = link.master else { return Ok(None) };
    let master = observed::by_index(host, master)?.unwrap_or_default();
    match InterfaceName::try_from(master.name.as_str()) {
        Ok(name) if master.is_bridge() => settle(host, &name, &master).map(Some),
        _ => Err(LinkError::Enslaved { device: device.clone(), bridge: wanted.clone(), master: master.name }),
    }
}

/// Brings up a bridge that is there. Nothing else about it is ours to change, unless we made it.
fn settle(host: &mut Socket, name: &InterfaceName, bridge: &Link) -> Result<Segment, LinkError> {
    if !bridge.up {
        if bridge.group == message::OUR_GROUP {
            sysctl::no_ipv6(name)?;
        }
        host.exchange(&[message::bring_up(name)])?;
    }
    Ok(Segment { name: name.clone(), index: bridge.index })
}

fn create(host: &mut Socket, name: &InterfaceName) -> Result<Segment, LinkError> {
    match host.exchange(&[message::create_bridge(name)]) {
        // Networks share bridges and may be set up at the same time.
        Err(error) if !error.is(Errno::EXIST) => return Err(error.into()),
        _ => {}
    }
    existing(host, name)
}

fn attach(
    host: &mut Socket,
    name: &InterfaceName,
    link: &Link,
    segment: &Segment,
) -> Result<(), NetlinkError> {
    let request = match link.master {
        None => message::enslave(name, &segment.name, segment.index),
        Some(_) if !link.up => message::bring_up(name),
        Some(_) => return Ok(()),
    };
    host.exchange(&[request]).map(|_| ())
}

fn find(host: &mut Socket, name: &InterfaceName) -> Result<Option<Link>, NetlinkError> {
    Ok(observed::by_name(host, std::slice::from_ref(name))?.pop().flatten())
}

fn find_bridge(host: &mut Socket, name: &InterfaceName) -> Result<Option<Link>, LinkError> {
    match find(host, name)? {
        Some(link) if !link.is_bridge() => {
            Err(LinkError::NotABridge { name: name.clone(), kind: link.kind_words() })
        }
        found => Ok(found),
    }
}
