//! The bridges, interfaces, addresses, routes and rules of a router.
//!
//! Public addresses may have several gateways, and the main table knows one. An answer must leave by the segment
//! that its connection came in by, and a guest's packet by the segment of the address that it is translated to. So
//! packets are marked with the way out of their public address (see [`mod@super::packets`]), and a rule for each
//! mark leads to a table of that way. A router with one gateway has no marks and no such tables.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use netext_protocol::{GuestType, Segment};

use crate::model::{
    FIRST_OWN_TABLE, FirewallMark, InterfaceName, MAIN_PRIORITY, NextHop, PlacedRule, PublicAddress, Route,
    RouteAction, Router, RoutingRule, SegmentDevice, ServedRange, bridge_name, gateway_mac, guest_interface,
    public_interface, public_mac, vlan_interface,
};
use crate::plan::{
    BridgePlan, DefaultRoute, InterfacePlan, LinkPlan, NamespacePlan, RoutingPlan, TableRoute, TableRule,
    Uplink,
};

/// Rules for answers come before those of operators: the other end expects answers from where it asked.
const ANSWERS_PRIORITY: u32 = 500;
/// Rules for connections that guests begin come after those of operators, and before the main table.
const OWN_PRIORITY: u32 = MAIN_PRIORITY - 1;
/// The bits of a packet's mark that are ours.
const MASK: u32 = 0xff00_0000;
/// The bit among them that distinguishes an answer from a connection that a guest begins.
const ANSWER: u32 = 0x8000_0000;
/// The number of ways that the other bits can count.
const MOST: u8 = 0x7f;

/// The links of a router, for the tiers that are in force.
pub(super) fn links(router: &Router, ways_out: &[WayOut]) -> LinkPlan {
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
        routing: routing(router, ways_out),
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
        // The hypervisor's agent or a controller makes overlays.
        (SegmentDevice::Nic(_), _) => Uplink::Existing,
    };
    BridgePlan { name: bridge_name(device, segment), uplink }
}

/// The gateway of the source NAT address, else of any public address, else the guests' own gateway where the router
/// only serves them.
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

/// The gateway that guests and the router have in common: if possible, that of a range in which the router has an
/// address.
fn guests_gateway(ranges: &[ServedRange]) -> Option<Ipv4Addr> {
    let own = ranges.iter().filter(|range| !range.is_remote());
    own.chain(ranges).find_map(|range| range.gateway)
}

/// The operators' tables and rules, and our own for a router with several ways out.
pub(super) fn routing(router: &Router, ways_out: &[WayOut]) -> RoutingPlan {
    let mut plan = RoutingPlan::default();
    for (id, table) in router.policy_routing.tables() {
        let id = u32::from(id);
        plan.routes.extend(table.routes.iter().map(|route| TableRoute { table: id, route: route.clone() }));
        let rule = |placed: &PlacedRule| TableRule {
            priority: placed.priority,
            rule: placed.rule.clone(),
            table: id,
        };
        plan.rules.extend(table.rules.iter().map(rule));
    }
    for way in ways_out {
        plan.routes.extend(way.routes());
        plan.rules.extend(way.rules());
    }
    plan
}

/// A way out: a gateway on a public segment.
#[derive(Debug)]
pub(super) struct WayOut {
    number: u8,
    gateway: Ipv4Addr,
    interface: InterfaceName,
    subnets: Vec<Ipv4Net>,
    /// The public addresses whose way it is.
    pub(super) addresses: Vec<Ipv4Addr>,
}

/// The ways out of a router that has several.
pub(super) fn ways_out(router: &Router) -> Vec<WayOut> {
    let mut ways: BTreeMap<(Segment, Ipv4Addr), Vec<(Ipv4Addr, &PublicAddress)>> = BTreeMap::new();
    for (ip, address) in router.public_addresses() {
        if let Some(gateway) = address.gateway {
            ways.entry((address.segment(), gateway)).or_default().push((ip, address));
        }
    }
    if ways.len() < 2 {
        return Vec::new();
    }
    let numbered = (1..=MOST).zip(ways);
    let way = |(number, ((segment, gateway), addresses)): (u8, ((Segment, Ipv4Addr), Vec<_>))| WayOut {
        number,
        gateway,
        interface: public_interface(router.id, &segment).1,
        subnets: subnets(&addresses),
        addresses: addresses.into_iter().map(|(ip, _)| ip).collect(),
    };
    numbered.map(way).collect()
}

fn subnets(addresses: &[(Ipv4Addr, &PublicAddress)]) -> Vec<Ipv4Net> {
    let subnets = addresses.iter().map(|(ip, address)| address.interface_address(*ip).trunc());
    let mut subnets: Vec<_> = subnets.filter(|subnet| subnet.prefix_len() < 32).collect();
    subnets.sort();
    subnets.dedup();
    subnets
}

impl WayOut {
    /// The mark of connections that guests begin by it.
    pub(super) fn own_mark(&self) -> u32 {
        u32::from(self.number) << MASK.trailing_zeros()
    }

    /// The mark of answers to connections that came in by it.
    pub(super) fn answer_mark(&self) -> u32 {
        self.own_mark() | ANSWER
    }

    /// The routes of its table: to its neighbours, and through its gateway to all others.
    pub(super) fn routes(&self) -> impl Iterator<Item = TableRoute> {
        let hop = |gateway: Option<Ipv4Addr>| {
            RouteAction::Unicast(NextHop {
                gateway: gateway.map(Into::into),
                device: Some(self.interface.clone()),
                source: None,
                mtu: None,
                scope: None,
                // It is a neighbour there, even if the prefixes of the addresses do not say so.
                onlink: gateway.is_some(),
            })
        };
        let route = move |subnet: Ipv4Net, gateway| TableRoute {
            table: self.table(),
            route: Route { destination: IpNet::V4(subnet), metric: None, action: hop(gateway) },
        };
        let neighbours = self.subnets.iter().map(move |subnet| (*subnet, None));
        neighbours.chain([(Ipv4Net::default(), Some(self.gateway))]).map(move |(to, via)| route(to, via))
    }

    /// The rules that lead to its table.
    pub(super) fn rules(&self) -> impl Iterator<Item = TableRule> {
        let marks = [(ANSWERS_PRIORITY, self.answer_mark()), (OWN_PRIORITY, self.own_mark())];
        marks.into_iter().map(|(priority, value)| TableRule {
            priority,
            rule: RoutingRule { mark: Some(FirewallMark { value, mask: MASK }), ..RoutingRule::default() },
            table: self.table(),
        })
    }

    fn table(&self) -> u32 {
        FIRST_OWN_TABLE + u32::from(self.number)
    }
}
