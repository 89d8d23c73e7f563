//! Rules that lead packets to tables.

use std::net::IpAddr;

use netext_protocol::PortRange;
use netlink_packet_core::DefaultNla;
use netlink_packet_route::route::RouteProtocol;
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleFlags, RuleMessage, RulePortRange};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::io::Errno;

use super::CREATE;
use crate::kernel::netlink::{
    NetlinkError, NetlinkRequest, NetlinkSocket, address, attributes, number, string,
};
use crate::model::{IpProtocol, RoutingRule};
use crate::plan::{ROUTE_PROTOCOL, TableRule};

/// `struct fib_rule_hdr`, which comes before the attributes.
const HEADER: usize = 12;
const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_IIFNAME: u16 = 3;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_TABLE: u16 = 15;
const FRA_FWMASK: u16 = 16;
const FRA_OIFNAME: u16 = 17;
const FRA_PROTOCOL: u16 = 21;
const FRA_IP_PROTO: u16 = 22;
const FRA_SPORT_RANGE: u16 = 23;
const FRA_DPORT_RANGE: u16 = 24;
const FR_ACT_TO_TBL: u8 = 1;

/// A rule of ours that is there.
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
    fn read(entry: &[u8]) -> Option<Self> {
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
        for (kind, value) in attributes(entry.get(HEADER..)?) {
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
    pub(super) fn is(&self, planned: &TableRule) -> bool {
        *self == Self::of(planned)
    }

    /// The planned rule as the kernel would show it.
    fn of(planned: &TableRule) -> Self {
        let TableRule { priority, rule, table } = planned;
        let span = |ports: PortRange| (ports.first(), ports.last());
        Self {
            family: u8::from(family(rule)),
            action: FR_ACT_TO_TBL,
            not: rule.not,
            from: rule
                .from
                .map(|network| (network.addr(), network.prefix_len()))
                .filter(|(_, length)| *length > 0),
            to: rule
                .to
                .map(|network| (network.addr(), network.prefix_len()))
                .filter(|(_, length)| *length > 0),
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

    /// Takes it away, exactly this one.
    pub(super) fn remove(&self) -> NetlinkRequest {
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
pub(super) fn list(socket: &mut NetlinkSocket) -> Result<Vec<KernelRule>, NetlinkError> {
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
pub(super) fn add(planned: &TableRule) -> NetlinkRequest {
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
