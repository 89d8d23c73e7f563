//! Routes of tables.

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteMetric, RouteProtocol,
    RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::io::Errno;

use super::{CREATE, InterfaceIndexes};
use crate::kernel::netlink::{NetlinkError, NetlinkRequest, NetlinkSocket, address, attributes, number};
use crate::model::{HopScope, NextHop, RouteAction};
use crate::plan::{ROUTE_PROTOCOL, TableRoute};

/// `struct rtmsg`, which comes before the attributes.
const HEADER: usize = 12;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_METRICS: u16 = 8;
const RTA_TABLE: u16 = 15;
const RTAX_MTU: u16 = 2;
/// The largest number that an interface could have.
const NO_INTERFACE: u32 = i32::MAX.cast_unsigned();
/// What the kernel makes of an IPv6 route without a metric.
const IPV6_METRIC: u32 = 1024;

/// A route of ours that is there.
#[derive(Debug)]
pub(super) struct KernelRoute {
    family: u8,
    destination: Option<IpAddr>,
    prefix_len: u8,
    table: u32,
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
    /// `None` for a route that is not ours.
    fn read(entry: &[u8]) -> Option<Self> {
        let &[family, prefix_len, _, _, table, protocol, scope, kind, ..] = entry else { return None };
        if protocol != ROUTE_PROTOCOL {
            return None;
        }
        let flags = number(entry.get(8..)?)?;
        let mut route = Self {
            family,
            destination: None,
            prefix_len,
            table: table.into(),
            kind,
            scope,
            onlink: RouteFlags::from_bits_retain(flags).contains(RouteFlags::Onlink),
            metric: 0,
            gateway: None,
            interface: None,
            source: None,
            mtu: None,
        };
        for (kind, value) in attributes(entry.get(HEADER..)?) {
            match kind {
                RTA_DST => route.destination = address(value),
                RTA_TABLE => route.table = number(value)?,
                RTA_PRIORITY => route.metric = number(value)?,
                RTA_GATEWAY => route.gateway = address(value),
                RTA_OIF => route.interface = number(value),
                RTA_PREFSRC => route.source = address(value),
                RTA_METRICS => {
                    let mtu = attributes(value).find(|(kind, _)| *kind == RTAX_MTU);
                    route.mtu = mtu.and_then(|(_, value)| number(value));
                }
                _ => {}
            }
        }
        Some(route)
    }

    /// Whether it is the planned one. What the plan leaves open, the kernel may have chosen.
    pub(super) fn is(&self, planned: &TableRoute, indexes: &InterfaceIndexes) -> bool {
        let TableRoute { table, route } = planned;
        let destination = route.destination;
        let is_default = self.destination.is_none() || self.destination == Some(destination.addr());
        let hop = match &route.way {
            RouteAction::Unicast(hop) => {
                let index = hop.device.as_ref().map(|device| indexes.get(device).copied());
                index.is_none_or(|index| index.is_some() && self.interface == index)
                    && self.gateway == hop.gateway
                    && self.source == hop.source
                    && self.mtu == hop.mtu
                    && self.onlink == hop.onlink
                    // IPv6 knows none.
                    && (self.family == AF_INET6 || self.scope == u8::from(scope(hop)))
            }
            _ => true,
        };
        hop && self.family == family(destination)
            && is_default
            && self.prefix_len == destination.prefix_len()
            && self.table == *table
            && self.kind == u8::from(kind(&route.way))
            && self.metric == metric(planned)
    }

    /// Takes it away; it may have gone by itself, with the interface that it led through.
    pub(super) fn remove(&self) -> NetlinkRequest {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::from(self.family);
        message.header.destination_prefix_length = self.prefix_len;
        message.header.protocol = RouteProtocol::from(ROUTE_PROTOCOL);
        message.header.scope = RouteScope::NoWhere;
        message.header.kind = RouteType::from(self.kind);
        let shown = self.destination.map_or_else(|| "default".to_owned(), |address| address.to_string());
        let attempted = format!("remove the route to {shown}/{} of table {}", self.prefix_len, self.table);
        message.attributes.push(RouteAttribute::Table(self.table));
        message.attributes.push(RouteAttribute::Priority(self.metric));
        message
            .attributes
            .extend(self.destination.map(|address| RouteAttribute::Destination(address.into())));
        message.attributes.extend(self.gateway.map(|address| RouteAttribute::Gateway(address.into())));
        message.attributes.extend(self.interface.map(RouteAttribute::Oif));
        NetlinkRequest::route(attempted, &RouteNetlinkMessage::DelRoute(message), 0)
            .tolerating(&[Errno::SRCH])
    }
}

/// Our routes in all tables.
pub(super) fn list(socket: &mut NetlinkSocket) -> Result<Vec<KernelRoute>, NetlinkError> {
    let mut routes = Vec::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut message = RouteMessage::default();
        message.header.address_family = family;
        // The kernel leaves out those of others.
        message.header.protocol = RouteProtocol::from(ROUTE_PROTOCOL);
        let request =
            NetlinkRequest::route("list the router's routes", &RouteNetlinkMessage::GetRoute(message), 0);
        // Without an address there is no routing table yet, and without IPv6 no such family.
        let tolerated = &[Errno::NOENT, Errno::AFNOSUPPORT, Errno::OPNOTSUPP];
        routes.extend(socket.dump(&request.tolerating(tolerated), KernelRoute::read)?);
    }
    Ok(routes)
}

/// Adds a planned route.
pub(super) fn add(planned: &TableRoute, indexes: &InterfaceIndexes) -> NetlinkRequest {
    let attempted = format!("add the route {planned}");
    let (destination, way) = (planned.route.destination, &planned.route.way);
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::from(family(destination));
    message.header.destination_prefix_length = destination.prefix_len();
    message.header.table = RouteHeader::RT_TABLE_UNSPEC;
    message.header.protocol = RouteProtocol::from(ROUTE_PROTOCOL);
    message.header.kind = kind(way);
    message.attributes = vec![
        RouteAttribute::Table(planned.table),
        RouteAttribute::Priority(metric(planned)),
        RouteAttribute::Destination(destination.addr().into()),
    ];
    if let RouteAction::Unicast(hop) = way {
        message.header.scope = scope(hop);
        if hop.onlink {
            message.header.flags = RouteFlags::Onlink;
        }
        if let Some(device) = &hop.device {
            // The kernel refuses a number that no interface has.
            message.attributes.push(RouteAttribute::Oif(*indexes.get(device).unwrap_or(&NO_INTERFACE)));
        }
        let address = |address: IpAddr| RouteAddress::from(address);
        message.attributes.extend(hop.gateway.map(|gateway| RouteAttribute::Gateway(address(gateway))));
        message.attributes.extend(hop.source.map(|source| RouteAttribute::PrefSource(address(source))));
        message.attributes.extend(hop.mtu.map(|mtu| RouteAttribute::Metrics(vec![RouteMetric::Mtu(mtu)])));
    }
    NetlinkRequest::route(attempted, &RouteNetlinkMessage::NewRoute(message), CREATE)
}

fn family(destination: IpNet) -> u8 {
    if destination.addr().is_ipv6() { AF_INET6 } else { AF_INET }
}

fn metric(planned: &TableRoute) -> u32 {
    let default = if planned.route.destination.addr().is_ipv6() { IPV6_METRIC } else { 0 };
    // The kernel takes an IPv6 route's 0 for none.
    planned.route.metric.filter(|metric| *metric > 0).unwrap_or(default)
}

fn kind(way: &RouteAction) -> RouteType {
    match way {
        RouteAction::Unicast(_) => RouteType::Unicast,
        RouteAction::Blackhole => RouteType::BlackHole,
        RouteAction::Unreachable => RouteType::Unreachable,
        RouteAction::Prohibit => RouteType::Prohibit,
        RouteAction::Throw => RouteType::Throw,
    }
}

/// What is not said follows from whether there is a gateway, as `ip route` has it.
fn scope(hop: &NextHop) -> RouteScope {
    match (hop.scope, hop.gateway) {
        (Some(HopScope::Global), _) | (None, Some(_)) => RouteScope::Universe,
        (Some(HopScope::Link), _) | (None, None) => RouteScope::Link,
        (Some(HopScope::Host), _) => RouteScope::Host,
    }
}
