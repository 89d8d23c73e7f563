//! Policy routing: rules, and the tables of routes that they lead to.
//!
//! Our routes and rules are known by their protocol number. Those of people, scripts and routing daemons are not
//! looked at. A route is useless without the interface and the gateway that it leads through, and these may not be
//! ours. So a route that the kernel refuses holds up nothing else: it is reported, and tried again the next time.

mod route;

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use netext_protocol::PortRange;
use netlink_packet_core::DefaultNla;
use netlink_packet_route::route::RouteProtocol;
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleFlags, RuleMessage, RulePortRange};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::io::Errno;

use super::netlink::uapi::{
    FIB_RULE_HDR, FR_ACT_TO_TBL, FRA_DPORT_RANGE, FRA_DST, FRA_FWMARK, FRA_FWMASK, FRA_IIFNAME, FRA_IP_PROTO,
    FRA_OIFNAME, FRA_PRIORITY, FRA_PROTOCOL, FRA_SPORT_RANGE, FRA_SRC, FRA_TABLE,
};
use super::netlink::{
    CREATE, NetlinkError, NetlinkRequest, NetlinkSocket, address, attributes, number, string,
};
use crate::drift::{Pass, RouterPart};
use crate::model::{InterfaceName, IpProtocol, RouteAction, RoutingRule};
use crate::plan::{ROUTE_PROTOCOL, RoutingPlan, TableRoute, TableRule};
use route::InterfaceIndexes;
#[cfg(any(fuzzing, test))]
pub(super) use route::KernelRoute;
#[cfg(not(any(fuzzing, test)))]
use route::KernelRoute;
pub(super) use route::ensure_default;

/// A route or a rule that the kernel refused.
#[derive(Debug)]
pub enum RoutingRefusal {
    /// A route, and why.
    Route(TableRoute, NetlinkError),
    /// A rule, and why.
    Rule(TableRule, NetlinkError),
}

impl RoutingRefusal {
    /// The number of its table.
    pub fn table(&self) -> u32 {
        match self {
            Self::Route(TableRoute { table, .. }, _) | Self::Rule(TableRule { table, .. }, _) => *table,
        }
    }

    /// Whether a plan has it.
    pub fn is_of(&self, plan: &RoutingPlan) -> bool {
        match self {
            Self::Route(route, _) => plan.routes.contains(route),
            Self::Rule(rule, _) => plan.rules.contains(rule),
        }
    }
}

impl fmt::Display for RoutingRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(_, error) | Self::Rule(_, error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for RoutingRefusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Route(_, error) | Self::Rule(_, error) => error.source(),
        }
    }
}

impl From<RoutingRefusal> for NetlinkError {
    fn from(refused: RoutingRefusal) -> Self {
        match refused {
            RoutingRefusal::Route(_, error) | RoutingRefusal::Rule(_, error) => error,
        }
    }
}

/// The interfaces that the routes of a plan name.
pub(super) fn devices(plan: &RoutingPlan) -> impl Iterator<Item = &InterfaceName> {
    plan.routes.iter().filter_map(|planned| match &planned.route.action {
        RouteAction::Unicast(hop) => hop.device.as_ref(),
        _ => None,
    })
}

/// Makes our routes and rules match the plan, and returns those that the kernel refused.
///
/// Rules are removed before routes and added after them: no rule leads to a table that is only half there.
pub(super) fn ensure(
    socket: &mut NetlinkSocket,
    plan: &RoutingPlan,
    indexes: &InterfaceIndexes,
    pass: &mut Pass,
) -> Result<Vec<RoutingRefusal>, NetlinkError> {
    let (routes, rules) = (route::list(socket)?, list(socket)?);

    let is_stale = |rule: &&KernelRule| !plan.rules.iter().any(|planned| rule.is(planned));
    let mut stale: Vec<_> = rules.iter().filter(is_stale).map(KernelRule::remove).collect();
    let is_stale = |route: &&KernelRoute| !plan.routes.iter().any(|planned| route.is(planned, indexes));
    stale.extend(routes.iter().filter(is_stale).map(KernelRoute::remove));
    socket.carry_out(&stale, RouterPart::Route, pass)?;

    let mut refused = Vec::new();
    let is_missing = |planned: &&TableRoute| !routes.iter().any(|route| route.is(planned, indexes));
    let mut missing: Vec<_> = plan.routes.iter().filter(is_missing).collect();
    // A gateway may be a neighbour by another route.
    let has_gateway = |planned: &&TableRoute| matches!(&planned.route.action, RouteAction::Unicast(hop) if hop.gateway.is_some());
    missing.sort_by_key(has_gateway);
    for planned in missing {
        let added = socket.carry_out(&[route::add(planned, indexes)], RouterPart::Route, pass);
        refused.extend(added.err().map(|error| RoutingRefusal::Route(planned.clone(), error)));
    }
    for planned in plan.rules.iter().filter(|planned| !rules.iter().any(|rule| rule.is(planned))) {
        let added = socket.carry_out(&[add(planned)], RouterPart::Route, pass);
        refused.extend(added.err().map(|error| RoutingRefusal::Rule(planned.clone(), error)));
    }
    Ok(refused)
}

/// A rule of ours that the kernel has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct KernelRule {
    family: u8,
    action: u8,
    not: bool,
    from: Option<(IpAddr, u8)>,
    to: Option<(IpAddr, u8)>,
    tos: u8,
    iif: Option<String>,
    oif: Option<String>,
    mark: Option<u32>,
    mask: Option<u32>,
    protocol: Option<u8>,
    source_ports: Option<(u16, u16)>,
    destination_ports: Option<(u16, u16)>,
    priority: u32,
    table: u32,
}

impl KernelRule {
    /// `None` for a rule that is not ours.
    pub(super) fn read(entry: &[u8]) -> Option<Self> {
        let &[family, to_len, from_len, tos, table, _, _, action, ..] = entry else { return None };
        let flags = RuleFlags::from_bits_retain(number(entry.get(8..)?)?);
        let mut rule = Self {
            family,
            action,
            not: flags.contains(RuleFlags::Invert),
            tos,
            table: table.into(),
            ..Self::default()
        };
        let mut protocol = None;
        for (kind, value) in attributes(entry.get(FIB_RULE_HDR..)?) {
            match kind {
                FRA_DST => rule.to = address(value).map(|address| (address, to_len)),
                FRA_SRC => rule.from = address(value).map(|address| (address, from_len)),
                FRA_IIFNAME => rule.iif = Some(string(value)),
                FRA_OIFNAME => rule.oif = Some(string(value)),
                FRA_PRIORITY => rule.priority = number(value)?,
                FRA_FWMARK => rule.mark = number(value),
                FRA_FWMASK => rule.mask = number(value),
                FRA_TABLE => rule.table = number(value)?,
                FRA_PROTOCOL => protocol = value.first().copied(),
                FRA_IP_PROTO => rule.protocol = value.first().copied(),
                FRA_SPORT_RANGE => rule.source_ports = ports(value),
                FRA_DPORT_RANGE => rule.destination_ports = ports(value),
                _ => {}
            }
        }
        (protocol == Some(ROUTE_PROTOCOL)).then_some(rule)
    }

    /// Whether it is the planned one.
    fn is(&self, planned: &TableRule) -> bool {
        *self == Self::of(planned)
    }

    /// The planned rule as the kernel would show it.
    fn of(planned: &TableRule) -> Self {
        let TableRule { priority, rule, table } = planned;
        let span = |ports: PortRange| (ports.first(), ports.last());
        let prefix = |network: IpNet| (network.addr(), network.prefix_len());
        Self {
            family: u8::from(family(rule)),
            action: FR_ACT_TO_TBL,
            not: rule.not,
            from: rule.from.map(prefix).filter(|(_, length)| *length > 0),
            to: rule.to.map(prefix).filter(|(_, length)| *length > 0),
            tos: rule.tos,
            iif: rule.iif.as_ref().map(ToString::to_string),
            oif: rule.oif.as_ref().map(ToString::to_string),
            mark: rule.mark.map(|mark| mark.value).filter(|value| *value > 0),
            mask: rule.mark.filter(|mark| mark.mask > 0 || mark.value > 0).map(|mark| mark.mask),
            protocol: rule.protocol.map(IpProtocol::number),
            source_ports: rule.source_ports.map(|ports| span(ports.range())),
            destination_ports: rule.destination_ports.map(|ports| span(ports.range())),
            priority: *priority,
            table: *table,
        }
    }

    /// Removes it, and no other.
    fn remove(&self) -> NetlinkRequest {
        let attempted = format!("remove the rule of priority {} to table {}", self.priority, self.table);
        NetlinkRequest::route(attempted, &RouteNetlinkMessage::DelRule(self.message()), 0)
            .tolerating(&[Errno::NOENT])
    }

    fn message(&self) -> RuleMessage {
        let mut message = RuleMessage::default();
        message.header.family = AddressFamily::from(self.family);
        message.header.dst_len = self.to.map_or(0, |(_, length)| length);
        message.header.src_len = self.from.map_or(0, |(_, length)| length);
        message.header.tos = self.tos;
        message.header.action = RuleAction::from(self.action);
        if self.not {
            message.header.flags = RuleFlags::Invert;
        }
        let span = |(start, end)| RulePortRange { start, end };
        let optional = [
            self.to.map(|(address, _)| RuleAttribute::Destination(address)),
            self.from.map(|(address, _)| RuleAttribute::Source(address)),
            self.iif.clone().map(RuleAttribute::Iifname),
            self.oif.clone().map(RuleAttribute::Oifname),
            self.mark.map(RuleAttribute::FwMark),
            self.mask.map(RuleAttribute::FwMask),
            self.protocol.map(|protocol| RuleAttribute::Other(DefaultNla::new(FRA_IP_PROTO, vec![protocol]))),
            self.source_ports.map(|ports| RuleAttribute::SourcePortRange(span(ports))),
            self.destination_ports.map(|ports| RuleAttribute::DestinationPortRange(span(ports))),
        ];
        message.attributes = optional.into_iter().flatten().collect();
        message.attributes.push(RuleAttribute::Priority(self.priority));
        message.attributes.push(RuleAttribute::Table(self.table));
        message.attributes.push(RuleAttribute::Protocol(RouteProtocol::from(ROUTE_PROTOCOL)));
        message
    }
}

/// Our rules of both families.
fn list(socket: &mut NetlinkSocket) -> Result<Vec<KernelRule>, NetlinkError> {
    let mut rules = Vec::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut message = RuleMessage::default();
        message.header.family = family;
        let request =
            NetlinkRequest::route("list the router's rules", &RouteNetlinkMessage::GetRule(message), 0);
        // A kernel without IPv6 has no rules of that family.
        let tolerated = &[Errno::AFNOSUPPORT, Errno::OPNOTSUPP];
        rules.extend(socket.dump(&request.tolerating(tolerated), KernelRule::read)?);
    }
    Ok(rules)
}

/// Adds a planned rule.
fn add(planned: &TableRule) -> NetlinkRequest {
    let message = KernelRule::of(planned).message();
    NetlinkRequest::route(format!("add the rule {planned}"), &RouteNetlinkMessage::NewRule(message), CREATE)
}

fn family(rule: &RoutingRule) -> AddressFamily {
    if rule.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet }
}

fn ports(value: &[u8]) -> Option<(u16, u16)> {
    let &[a, b, c, d] = value.first_chunk()?;
    Some((u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d])))
}
