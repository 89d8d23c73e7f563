//! Bridges on the host and how their segments leave it.

use std::collections::BTreeMap;

use super::error::LinkError;
use super::link::{self, KernelLink, NOT_YET};
use super::sysctl;
use crate::drift::{Pass, RouterPart};
use crate::kernel::netlink::{NetlinkError, NetlinkSocket};
use crate::model::InterfaceName;
use crate::plan::{BridgePlan, LinkPlan, Uplink};
use rustix::io::Errno;

/// The bridge that stands for a planned bridge: ports are attached to it.
#[derive(Debug, Clone)]
pub(super) struct SegmentBridge {
    pub(super) name: InterfaceName,
    pub(super) index: u32,
    /// The MTU of the bridge: the smallest among its ports, the router's included once it has one.
    bridge_mtu: u32,
    /// The MTU of the way out of the host, if it is known. A bridge silently drops a frame that is too long for its
    /// port; a router that knows the MTU reports packets that are too long.
    pub(super) uplink_mtu: Option<u32>,
}

impl SegmentBridge {
    /// The MTU that a new port gets; `None` on a segment that a rehearsal would have made.
    pub(super) fn mtu(&self) -> Option<u32> {
        self.uplink_mtu.or(Some(self.bridge_mtu)).filter(|mtu| *mtu > 0)
    }

    fn through(self, uplink: &KernelLink) -> Self {
        Self { uplink_mtu: Some(uplink.mtu).filter(|mtu| *mtu > 0), ..self }
    }
}

/// The bridges of segments by the name that the plan has for their bridge.
pub(super) type SegmentBridges = BTreeMap<InterfaceName, SegmentBridge>;

/// Makes sure of every bridge that the plan names, including those that only interfaces name.
pub(super) fn ensure(
    host: &mut NetlinkSocket,
    plan: &LinkPlan,
    pass: &mut Pass,
) -> Result<SegmentBridges, LinkError> {
    let mut segments = SegmentBridges::new();
    for bridge in &plan.bridges {
        let segment = ensure_one(host, bridge, pass)?;
        segments.insert(bridge.name.clone(), segment);
    }
    for interface in plan.namespace.iter().flat_map(|router| &router.interfaces) {
        if !segments.contains_key(&interface.bridge) {
            let segment = existing(host, &interface.bridge, pass)?;
            segments.insert(interface.bridge.clone(), segment);
        }
    }
    Ok(segments)
}

fn ensure_one(
    host: &mut NetlinkSocket,
    plan: &BridgePlan,
    pass: &mut Pass,
) -> Result<SegmentBridge, LinkError> {
    match &plan.uplink {
        Uplink::Existing => existing(host, &plan.name, pass),
        Uplink::HostLocal => match find_bridge(host, &plan.name)? {
            Some(bridge) => settle(host, &plan.name, &bridge, pass),
            None => create(host, &plan.name, pass),
        },
        Uplink::Vlan { device, id, name } => on_vlan(host, &plan.name, (device, *id, name), pass),
        Uplink::Untagged { device } => on_device(host, &plan.name, device, pass),
    }
}

fn existing(
    host: &mut NetlinkSocket,
    name: &InterfaceName,
    pass: &mut Pass,
) -> Result<SegmentBridge, LinkError> {
    let bridge = find_bridge(host, name)?.ok_or_else(|| LinkError::NoBridge { bridge: name.clone() })?;
    settle(host, name, &bridge, pass)
}

/// The VLAN interface is created before the bridge, so that a bridge without one is never a half-made one of ours: an
/// operator's bridge of the conventional name is used as it is, however its segment leaves the host.
fn on_vlan(
    host: &mut NetlinkSocket,
    name: &InterfaceName,
    (device, id, vlan_name): (&InterfaceName, u16, &InterfaceName),
    pass: &mut Pass,
) -> Result<SegmentBridge, LinkError> {
    let bridge = find_bridge(host, name)?;
    let mut vlan = find(host, vlan_name)?;
    let ours = bridge.as_ref().is_none_or(|bridge| bridge.group == link::OUR_GROUP);
    if vlan.is_none() && ours {
        vlan = Some(create_vlan(host, name, (device, id, vlan_name), pass)?);
    }
    if let (None, Some(vlan)) = (&bridge, &vlan) {
        // The operator's own bridge of another name holds the VLAN: it is the segment.
        if let Some(segment) = bridge_of(host, vlan_name, vlan, name, pass)? {
            return Ok(segment);
        }
    }
    let segment = match &bridge {
        Some(bridge) => settle(host, name, bridge, pass)?,
        None => create(host, name, pass)?,
    };
    if let Some(vlan) = vlan {
        if !vlan.up {
            // It cannot come up before the NIC below it.
            raise(host, device, pass)?;
        }
        attach(host, vlan_name, &vlan, &segment, pass)?;
        return Ok(segment.through(&vlan));
    }
    Ok(segment)
}

fn create_vlan(
    host: &mut NetlinkSocket,
    bridge: &InterfaceName,
    (device, id, name): (&InterfaceName, u16, &InterfaceName),
    pass: &mut Pass,
) -> Result<KernelLink, LinkError> {
    let parent = find(host, device)?
        .ok_or_else(|| LinkError::NoDevice { device: device.clone(), bridge: bridge.clone() })?;
    let requests = [link::create_vlan(name, parent.index, id), link::no_ipv6_address(name)];
    let refused = match host.carry_out(&requests, RouterPart::Link, pass) {
        Err(error) if error.is(Errno::OPNOTSUPP) => return Err(LinkError::NoVlan { source: error }),
        // Another network of the same segment may have created it at the same time; or it has another name.
        Err(error) if !error.is(Errno::EXIST) => return Err(error.into()),
        outcome => outcome.err(),
    };
    if !pass.acts() {
        // As it would be: new, and no port of any bridge.
        return Ok(KernelLink::default());
    }
    match (find(host, name)?, refused) {
        (Some(vlan), _) => Ok(vlan),
        (None, Some(error)) => Err(error.into()),
        (None, None) => Err(LinkError::NoDevice { device: name.clone(), bridge: bridge.clone() }),
    }
}

fn raise(host: &mut NetlinkSocket, device: &InterfaceName, pass: &mut Pass) -> Result<(), NetlinkError> {
    match find(host, device)? {
        Some(nic) if !nic.up => host.carry_out(&[link::bring_up(device)], RouterPart::Link, pass),
        _ => Ok(()),
    }
}

fn on_device(
    host: &mut NetlinkSocket,
    name: &InterfaceName,
    device: &InterfaceName,
    pass: &mut Pass,
) -> Result<SegmentBridge, LinkError> {
    let bridge = find_bridge(host, name)?;
    if let Some(bridge) = bridge.as_ref().filter(|bridge| bridge.group != link::OUR_GROUP) {
        return settle(host, name, bridge, pass);
    }
    let nic = find(host, device)?
        .ok_or_else(|| LinkError::NoDevice { device: device.clone(), bridge: name.clone() })?;
    if nic.is_bridge() {
        return settle(host, device, &nic, pass);
    }
    if let Some(segment) = bridge_of(host, device, &nic, name, pass)? {
        return Ok(segment);
    }
    refuse_addressed(host, device, &nic, name)?;
    let segment = match &bridge {
        Some(bridge) => settle(host, name, bridge, pass)?,
        None => create(host, name, pass)?,
    };
    attach(host, device, &nic, &segment, pass)?;
    Ok(segment.through(&nic))
}

/// Refuses to put a NIC into a bridge that has addresses of the host: the host would lose them.
fn refuse_addressed(
    host: &mut NetlinkSocket,
    device: &InterfaceName,
    nic: &KernelLink,
    bridge: &InterfaceName,
) -> Result<(), LinkError> {
    let addresses = link::addresses(host, nic.index, "list the addresses of the NIC")?;
    match addresses.iter().find(|address| address.index == nic.index && !address.is_link_local()) {
        None => Ok(()),
        Some(address) => {
            Err(LinkError::Addressed { device: device.clone(), bridge: bridge.clone(), address: address.net })
        }
    }
}

/// The bridge that a link is already a port of, if any.
fn bridge_of(
    host: &mut NetlinkSocket,
    device: &InterfaceName,
    link: &KernelLink,
    wanted: &InterfaceName,
    pass: &mut Pass,
) -> Result<Option<SegmentBridge>, LinkError> {
    let Some(master) = link.master else { return Ok(None) };
    let master = link::by_index(host, master)?.unwrap_or_default();
    match InterfaceName::try_from(master.name.as_str()) {
        Ok(name) if master.is_bridge() => Ok(Some(settle(host, &name, &master, pass)?.through(link))),
        _ => Err(LinkError::Enslaved { device: device.clone(), bridge: wanted.clone(), master: master.name }),
    }
}

/// Brings up a bridge that exists. Nothing else of it is changed, unless it is ours.
fn settle(
    host: &mut NetlinkSocket,
    name: &InterfaceName,
    bridge: &KernelLink,
    pass: &mut Pass,
) -> Result<SegmentBridge, LinkError> {
    if !bridge.up {
        if bridge.group == link::OUR_GROUP {
            sysctl::settle_segment(name, pass)?;
        }
        host.carry_out(&[link::bring_up(name)], RouterPart::Link, pass)?;
    }
    Ok(SegmentBridge { name: name.clone(), index: bridge.index, bridge_mtu: bridge.mtu, uplink_mtu: None })
}

fn create(
    host: &mut NetlinkSocket,
    name: &InterfaceName,
    pass: &mut Pass,
) -> Result<SegmentBridge, LinkError> {
    match host.carry_out(&[link::create_bridge(name)], RouterPart::Link, pass) {
        // Networks share bridges and may be set up at the same time.
        Err(error) if !error.is(Errno::EXIST) => Err(error.into()),
        _ if !pass.acts() => {
            let made = KernelLink { index: NOT_YET, group: link::OUR_GROUP, ..KernelLink::default() };
            settle(host, name, &made, pass)
        }
        _ => existing(host, name, pass),
    }
}

fn attach(
    host: &mut NetlinkSocket,
    name: &InterfaceName,
    link: &KernelLink,
    segment: &SegmentBridge,
    pass: &mut Pass,
) -> Result<(), NetlinkError> {
    let request = match link.master {
        None => link::enslave(name, &segment.name, segment.index),
        Some(_) if !link.up => link::bring_up(name),
        Some(_) => return Ok(()),
    };
    host.carry_out(&[request], RouterPart::Link, pass)
}

fn find(host: &mut NetlinkSocket, name: &InterfaceName) -> Result<Option<KernelLink>, NetlinkError> {
    Ok(link::by_name(host, std::slice::from_ref(name))?.pop().flatten())
}

fn find_bridge(host: &mut NetlinkSocket, name: &InterfaceName) -> Result<Option<KernelLink>, LinkError> {
    match find(host, name)? {
        Some(link) if !link.is_bridge() => {
            Err(LinkError::NotABridge { name: name.clone(), kind: link.kind_words() })
        }
        found => Ok(found),
    }
}

/// Describes the uplinks of the plan that are up and have no carrier.
pub fn without_carrier(plan: &LinkPlan) -> Result<Vec<String>, LinkError> {
    let uplinks = plan.bridges.iter().filter_map(|bridge| match &bridge.uplink {
        Uplink::Vlan { device, .. } | Uplink::Untagged { device } => Some((device.clone(), &bridge.name)),
        Uplink::HostLocal | Uplink::Existing => None,
    });
    let (devices, bridges): (Vec<_>, Vec<_>) = uplinks.unzip();
    let mut host = NetlinkSocket::route()?;
    let links = link::by_name(&mut host, &devices)?;
    let silent = devices.iter().zip(bridges).zip(&links).filter(|(_, link)| {
        // A missing device, or one that is down, is a difference from the plan.
        link.as_ref().is_some_and(|link| link.up && !link.carrier)
    });
    Ok(silent
        .map(|((device, bridge), _)| format!("{device} has no carrier: nothing of {bridge} leaves this host"))
        .collect())
}
