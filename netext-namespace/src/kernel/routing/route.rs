//! Routes of the kernel: the default route, and those of other tables.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteMetric, RouteProtocol,
    RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::io::Errno;

use crate::drift::{Pass, RouterPart};
use crate::kernel::netlink::uapi::{
    AF_INET, AF_INET6, RTA_DST, RTA_GATEWAY, RTA_METRICS, RTA_OIF, RTA_PREFSRC, RTA_PRIORITY, RTA_TABLE,
    RTAX_MTU, RTMSG,
};
use crate::kernel::netlink::{
    CREATE, NetlinkError, NetlinkRequest, NetlinkSocket, address, attribute, attributes, number,
};
use crate::model::{HopScope, InterfaceName, NextHop, Route, RouteAction};
use crate::plan::{DefaultRoute, ROUTE_PROTOCOL, TableRoute};

/// The largest number that an interface could have.
const NO_INTERFACE: u32 = i32::MAX.unsigned_abs();
/// The metric that the kernel gives an IPv6 route without one.
const IPV6_METRIC: u32 = 1024;

/// The indexes of the interfaces that routes name, as far as the interfaces exist.
pub(in crate::kernel) type InterfaceIndexes = BTreeMap<InterfaceName, u32>;

/// A route that the kernel has.
#[derive(Debug)]
pub(in crate::kernel) struct KernelRoute {
    family: u8,
    destination: Option<IpAddr>,
    prefix_len: u8,
    tos: u8,
    table: u32,
    protocol: RouteProtocol,
    kind: u8,
    scope: u8,
    onlink: bool,
    metric: u32,
    gateway: Option<IpAddr>,
    interface: Option<u32>,
    source: Option<IpAddr>,
    mtu: Option<u32>,
}

impl KernelRoute {
    pub(in crate::kernel) fn read(entry: &[u8]) -> Option<Self> {
        let &[family, prefix_len, _, tos, table, protocol, scope, kind, ..] = entry else { return None };
        let flags = RouteFlags::from_bits_retain(number(entry.get(8..)?)?);
        let mut route = Self {
            family,
            destination: None,
            prefix_len,
            tos,
            table: table.into(),
            protocol: protocol.into(),
            kind,
            scope,
            onlink: flags.contains(RouteFlags::Onlink),
            metric: 0,
            gateway: None,
            interface: None,
            source: None,
            mtu: None,
        };
        for (kind, value) in attributes(entry.get(RTMSG..)?) {
            match kind {
                RTA_DST => route.destination = address(value),
                RTA_TABLE => route.table = number(value)?,
                RTA_PRIORITY => route.metric = number(value)?,
                RTA_GATEWAY => route.gateway = address(value),
                RTA_OIF => route.interface = number(value),
                RTA_PREFSRC => route.source = address(value),
                RTA_METRICS => route.mtu = attribute(value, RTAX_MTU).and_then(number),
                _ => {}
            }
        }
        Some(route)
    }

    /// Whether it is ours among those of tables: neither a person's nor a routing daemon's.
    fn is_ours(&self) -> bool {
        self.protocol == RouteProtocol::from(ROUTE_PROTOCOL)
    }

    /// Whether it is the router's default route: the one of the main table with the best metric, unless a routing
    /// daemon maintains it. A default route that a person or a script added by hand counts.
    fn is_default(&self) -> bool {
        let by_hand = matches!(self.protocol, RouteProtocol::Boot | RouteProtocol::Static);
        let is_best = self.prefix_len == 0 && self.tos == 0 && self.metric == 0;
        is_best && by_hand && self.table == u32::from(RouteHeader::RT_TABLE_MAIN)
    }

    /// Whether it is the planned one. The kernel may have chosen what the plan leaves open.
    pub(super) fn is(&self, planned: &TableRoute, indexes: &InterfaceIndexes) -> bool {
        let TableRoute { table, route } = planned;
        let destination = route.destination;
        let same_destination = self.destination.is_none() || self.destination == Some(destination.addr());
        let same_hop = match &route.action {
            RouteAction::Unicast(hop) => {
                let index = hop.device.as_ref().map(|device| indexes.get(device).copied());
                index.is_none_or(|index| index.is_some() && self.interface == index)
                    && self.gateway == hop.gateway
                    && self.source == hop.source
                    && self.mtu == hop.mtu
                    && self.onlink == hop.onlink
                    // IPv6 routes have no scope.
                    && (self.family == AF_INET6 || self.scope == u8::from(scope(hop)))
            }
            _ => true,
        };
        same_hop
            && same_destination
            && self.family == family(destination)
            && self.prefix_len == destination.prefix_len()
            && self.table == *table
            && self.kind == u8::from(kind(&route.action))
            && self.metric == metric(planned)
    }

    /// Removes it. It may have gone by itself, with its interface.
    pub(super) fn remove(&self) -> NetlinkRequest {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::from(self.family);
        message.header.destination_prefix_length = self.prefix_len;
        message.header.protocol = self.protocol;
        message.header.scope = RouteScope::NoWhere;
        message.header.kind = RouteType::from(self.kind);
        message.attributes = vec![RouteAttribute::Table(self.table), RouteAttribute::Priority(self.metric)];
        let optional = [
            self.destination.map(|address| RouteAttribute::Destination(address.into())),
            self.gateway.map(|address| RouteAttribute::Gateway(address.into())),
            self.interface.map(RouteAttribute::Oif),
        ];
        message.attributes.extend(optional.into_iter().flatten());
        let attempted = if self.is_default() {
            "remove the default route".to_owned()
        } else {
            let shown = self.destination.map_or_else(|| "default".to_owned(), |address| address.to_string());
            format!("remove the route to {shown}/{} of table {}", self.prefix_len, self.table)
        };
        NetlinkRequest::route(attempted, &RouteNetlinkMessage::DelRoute(message), 0)
            .tolerating(&[Errno::SRCH])
    }
}

/// Our routes in all tables.
pub(super) fn list(socket: &mut NetlinkSocket) -> Result<Vec<KernelRoute>, NetlinkError> {
    let mut routes = Vec::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        // The kernel leaves out those of others.
        let protocol = RouteProtocol::from(ROUTE_PROTOCOL);
        let wanted = RouteHeader { address_family: family, protocol, ..RouteHeader::default() };
        routes.extend(dump(socket, wanted)?);
    }
    routes.retain(KernelRoute::is_ours);
    Ok(routes)
}

fn dump(socket: &mut NetlinkSocket, wanted: RouteHeader) -> Result<Vec<KernelRoute>, NetlinkError> {
    let mut message = RouteMessage::default();
    message.header = wanted;
    let request =
        NetlinkRequest::route("list the router's routes", &RouteNetlinkMessage::GetRoute(message), 0);
    // Without an address there is no routing table yet, and without IPv6 no such family.
    let tolerated = &[Errno::NOENT, Errno::AFNOSUPPORT, Errno::OPNOTSUPP];
    socket.dump(&request.tolerating(tolerated), KernelRoute::read)
}

/// Adds a planned route.
pub(super) fn add(planned: &TableRoute, indexes: &InterfaceIndexes) -> NetlinkRequest {
    let message = message(planned, indexes, RouteProtocol::from(ROUTE_PROTOCOL));
    NetlinkRequest::route(format!("add the route {planned}"), &RouteNetlinkMessage::NewRoute(message), CREATE)
}

/// Makes the router's default route the planned one, with the index of its interface, or removes it if none is planned.
pub(in crate::kernel) fn ensure_default(
    socket: &mut NetlinkSocket,
    planned: Option<(&DefaultRoute, u32)>,
    pass: &mut Pass,
) -> Result<(), NetlinkError> {
    let table = RouteHeader::RT_TABLE_MAIN;
    let wanted = RouteHeader { address_family: AddressFamily::Inet, table, ..RouteHeader::default() };
    let mut present = dump(socket, wanted)?;
    present.retain(KernelRoute::is_default);
    let requests: Vec<_> = match planned {
        None => present.iter().map(KernelRoute::remove).collect(),
        Some((planned, index)) => {
            let gateway = Some(IpAddr::V4(planned.gateway));
            let is_planned = |route: &KernelRoute| route.gateway == gateway && route.interface == Some(index);
            if present.iter().any(is_planned) { Vec::new() } else { vec![set_default(planned, index)] }
        }
    };
    socket.carry_out(&requests, RouterPart::Route, pass)
}

fn set_default(planned: &DefaultRoute, index: u32) -> NetlinkRequest {
    let DefaultRoute { gateway, interface } = planned;
    let hop = NextHop {
        gateway: Some(IpAddr::V4(*gateway)),
        device: Some(interface.clone()),
        source: None,
        mtu: None,
        scope: None,
        // By the plan the gateway is a neighbour, even if the prefixes of the addresses do not say so.
        onlink: true,
    };
    let destination = IpNet::V4(Ipv4Net::default());
    let route = Route { destination, metric: None, action: RouteAction::Unicast(hop) };
    let route = TableRoute { table: RouteHeader::RT_TABLE_MAIN.into(), route };
    let indexes = InterfaceIndexes::from([(interface.clone(), index)]);
    let message = message(&route, &indexes, RouteProtocol::Static);
    NetlinkRequest::route(
        format!("set the default route to {gateway} through {interface}"),
        &RouteNetlinkMessage::NewRoute(message),
        NLM_F_CREATE | NLM_F_REPLACE,
    )
}

fn message(planned: &TableRoute, indexes: &InterfaceIndexes, protocol: RouteProtocol) -> RouteMessage {
    let (destination, action) = (planned.route.destination, &planned.route.action);
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::from(family(destination));
    message.header.destination_prefix_length = destination.prefix_len();
    message.header.table = RouteHeader::RT_TABLE_UNSPEC;
    message.header.protocol = protocol;
    message.header.kind = kind(action);
    message.attributes = vec![
        RouteAttribute::Table(planned.table),
        RouteAttribute::Priority(metric(planned)),
        RouteAttribute::Destination(destination.addr().into()),
    ];
    if let RouteAction::Unicast(hop) = action {
        message.header.scope = scope(hop);
        if hop.onlink {
            message.header.flags = RouteFlags::Onlink;
        }
        // The kernel refuses a number that no interface has.
        let index = |device| *indexes.get(device).unwrap_or(&NO_INTERFACE);
        let optional = [
            hop.device.as_ref().map(|device| RouteAttribute::Oif(index(device))),
            hop.gateway.map(|gateway| RouteAttribute::Gateway(RouteAddress::from(gateway))),
            hop.source.map(|source| RouteAttribute::PrefSource(RouteAddress::from(source))),
            hop.mtu.map(|mtu| RouteAttribute::Metrics(vec![RouteMetric::Mtu(mtu)])),
        ];
        message.attributes.extend(optional.into_iter().flatten());
    }
    message
}

fn family(destination: IpNet) -> u8 {
    if destination.addr().is_ipv6() { AF_INET6 } else { AF_INET }
}

fn metric(planned: &TableRoute) -> u32 {
    let default = if planned.route.destination.addr().is_ipv6() { IPV6_METRIC } else { 0 };
    // To the kernel, the metric 0 of an IPv6 route is none.
    planned.route.metric.filter(|metric| *metric > 0).unwrap_or(default)
}

fn kind(action: &RouteAction) -> RouteType {
    match action {
        RouteAction::Unicast(_) => RouteType::Unicast,
        RouteAction::Blackhole => RouteType::BlackHole,
        RouteAction::Unreachable => RouteType::Unreachable,
        RouteAction::Prohibit => RouteType::Prohibit,
        RouteAction::Throw => RouteType::Throw,
    }
}

/// As with `ip route`, a scope that is not given depends on whether there is a gateway.
fn scope(hop: &NextHop) -> RouteScope {
    match (hop.scope, hop.gateway) {
        (Some(HopScope::Global), _) | (None, Some(_)) => RouteScope::Universe,
        (Some(HopScope::Link), _) | (None, None) => RouteScope::Link,
        (Some(HopScope::Host), _) => RouteScope::Host,
    }
}
