//! The router's IPv4 way out.

use std::net::Ipv4Addr;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::io::Errno;

use super::error::LinkError;
use super::veth::Interface;
use crate::drift::{Pass, RouterPart};
use crate::kernel::netlink::{NetlinkRequest, NetlinkSocket, attributes, number};
use crate::plan::DefaultRoute;

/// `struct rtmsg`, which comes before the attributes.
const HEADER: usize = 12;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;

/// A default route as it is.
#[derive(Debug)]
struct Default {
    gateway: Option<Ipv4Addr>,
    interface: Option<u32>,
    protocol: RouteProtocol,
}

impl Default {
    /// `None` for a route that is not ours: not a default route of the main table with the best metric, or one
    /// that a routing daemon keeps. What a person or a script added by hand counts as ours.
    fn read(entry: &[u8]) -> Option<Self> {
        let &[_, destination_length, _, tos, table, protocol, ..] = entry else { return None };
        let protocol = RouteProtocol::from(protocol);
        let by_hand = matches!(protocol, RouteProtocol::Boot | RouteProtocol::Static);
        if destination_length != 0 || tos != 0 || table != RouteHeader::RT_TABLE_MAIN || !by_hand {
            return None;
        }
        let mut route = Self { gateway: None, interface: None, protocol };
        for (kind, value) in attributes(entry.get(HEADER..)?) {
            match kind {
                RTA_OIF => route.interface = number(value),
                RTA_GATEWAY => {
                    route.gateway = value.first_chunk().map(|bytes: &[u8; 4]| Ipv4Addr::from(*bytes));
                }
                RTA_PRIORITY if number(value) != Some(0) => return None,
                _ => {}
            }
        }
        Some(route)
    }
}

/// Makes the default route the planned one, or takes it away when none is planned.
pub(super) fn ensure(
    router: &mut NetlinkSocket,
    planned: Option<&DefaultRoute>,
    interfaces: &[Interface<'_>],
    pass: &mut Pass,
) -> Result<(), LinkError> {
    let present = list(router)?;
    let requests: Vec<_> = match planned {
        None => present.iter().map(remove).collect(),
        Some(planned) => {
            let through = interfaces.iter().find(|interface| interface.plan.name == planned.interface);
            let through =
                through.ok_or_else(|| LinkError::NoInterface { interface: planned.interface.clone() })?;
            let is_planned = |route: &Default| {
                route.gateway == Some(planned.gateway) && route.interface == Some(through.index)
            };
            if present.iter().any(is_planned) { Vec::new() } else { vec![set(planned, through.index)] }
        }
    };
    Ok(router.carry_out(&requests, RouterPart::Route, pass)?)
}

fn list(router: &mut NetlinkSocket) -> Result<Vec<Default>, LinkError> {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    let request =
        NetlinkRequest::route("list the router's routes", &RouteNetlinkMessage::GetRoute(message), 0);
    // A namespace without an address has no routing table yet.
    Ok(router.dump(&request.tolerating(&[Errno::NOENT]), Default::read)?)
}

fn message(protocol: RouteProtocol) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = protocol;
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::Unicast;
    message
}

fn set(planned: &DefaultRoute, index: u32) -> NetlinkRequest {
    let mut message = message(RouteProtocol::Static);
    // The plan says that the gateway is a neighbour there, whatever the prefixes of the addresses say.
    message.header.flags = RouteFlags::Onlink;
    message.attributes =
        vec![RouteAttribute::Gateway(RouteAddress::Inet(planned.gateway)), RouteAttribute::Oif(index)];
    let attempted = format!("set the default route to {} through {}", planned.gateway, planned.interface);
    NetlinkRequest::route(attempted, &RouteNetlinkMessage::NewRoute(message), NLM_F_CREATE | NLM_F_REPLACE)
}

fn remove(route: &Default) -> NetlinkRequest {
    let mut message = message(route.protocol);
    message.header.scope = RouteScope::NoWhere;
    message
        .attributes
        .extend(route.gateway.map(|gateway| RouteAttribute::Gateway(RouteAddress::Inet(gateway))));
    message.attributes.extend(route.interface.map(RouteAttribute::Oif));
    NetlinkRequest::route("remove the default route", &RouteNetlinkMessage::DelRoute(message), 0)
        .tolerating(&[Errno::SRCH])
}
