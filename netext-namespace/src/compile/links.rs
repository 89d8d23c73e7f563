//! The bridges, interfaces, addresses and routes of a router.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::IpNet;
use netext_protocol::{GuestType, Segment};

use super::routing::routing;
use crate::model::{
    InterfaceName, Router, SegmentDevice, ServedRange, bridge_name, gateway_mac, guest_interface,
    public_interface, public_mac, vlan_interface,
};
use crate::plan::{BridgePlan, DefaultRoute, InterfacePlan, LinkPlan, NamespacePlan, Uplink};

/// The links of a router as far as its tiers are in force.
pub fn links(router: &Router) -> LinkPlan {
    let mut bridges: BTreeMap<InterfaceName, BridgePlan> = BTreeMap::new();
    let mut bridge = |device: &SegmentDevice, segment: &Segment| {
        let plan = bridge_plan(device, segment);
        let name = plan.name.clone();
        bridges.insert(name.clone(), plan);
        name
    };

    let mut interfaces = Vec::new();
    let mut serves = router.vpc.is_some();
    for (network, tier) in router.implemented_tiers() {
        let segment = tier.segment();
        let bridge = bridge(&router.devices.guest, &segment);
        if tier.guest_type() == GuestType::L2 {
            continue;
        }
        serves = true;
        let (peer, name) = guest_interface(router.id, &segment);
        let (mac, addresses) = (gateway_mac(network).octets(), tier.addresses().collect());
        interfaces.push(InterfacePlan { name, peer, bridge, mac, addresses, announce: true });
    }
    for (segment, addresses) in router.addresses_by_segment() {
        let bridge = bridge(&router.devices.public, &segment);
        let (peer, name) = public_interface(router.id, &segment);
        let addresses = addresses.map(|(ip, address)| IpNet::V4(address.interface_address(ip))).collect();
        let mac = public_mac(router.id, &segment).octets();
        interfaces.push(InterfacePlan { name, peer, bridge, mac, addresses, announce: true });
    }

    let namespace = serves.then(|| NamespacePlan {
        name: router.id.namespace(),
        forwarding: router.routes(),
        interfaces,
        default_route: default_route(router),
        routing: routing(router),
    });
    LinkPlan { bridges: bridges.into_values().collect(), namespace }
}

fn bridge_plan(device: &SegmentDevice, segment: &Segment) -> BridgePlan {
    let uplink = match (device, segment) {
        (SegmentDevice::None, _) => Uplink::HostLocal,
        (SegmentDevice::Nic(device), Segment::Untagged) => Uplink::Untagged { device: device.clone() },
        (SegmentDevice::Nic(device), Segment::Vlan(id)) => {
            Uplink::Vlan { device: device.clone(), id: *id, name: vlan_interface(device, *id) }
        }
        // Overlays are made by whoever owns them: the hypervisor's agent, a controller.
        (SegmentDevice::Nic(_), _) => Uplink::Existing,
    };
    BridgePlan { name: bridge_name(device, segment), uplink }
}

/// The way out: that of the source NAT address, else of any public address, else the guests' own gateway where
/// the router only serves them.
fn default_route(router: &Router) -> Option<DefaultRoute> {
    let source_nat = router.public_addresses().filter(|(ip, _)| router.source_nat == Some(*ip));
    let public = source_nat.chain(router.public_addresses()).find_map(|(_, address)| {
        let (_, interface) = public_interface(router.id, &address.segment());
        Some(DefaultRoute { gateway: address.gateway?, interface })
    });
    let through_guests = || {
        router.implemented_tiers().filter(|(_, tier)| !tier.routes()).find_map(|(_, tier)| {
            let (_, interface) = guest_interface(router.id, &tier.segment());
            Some(DefaultRoute { gateway: guests_gateway(&tier.ranges())?, interface })
        })
    };
    public.or_else(through_guests)
}

/// The gateway that guests and the router have in common: that of a range in which the router has an address, if
/// there is one.
fn guests_gateway(ranges: &[ServedRange]) -> Option<Ipv4Addr> {
    let own = ranges.iter().filter(|range| !range.is_remote());
    own.chain(ranges).find_map(|range| range.gateway)
}
