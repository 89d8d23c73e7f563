//! The firewall, as access lists of the network's switch.
//!
//! They match packets after destination NAT, so a rule for a public address becomes a rule for the targets of that
//! address. Established connections pass: every list that allows traffic is stateful.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use netext_core::DeviceError;
use netext_core::protocol::{
    FirewallRule, FirewallRules, FirewallSubject, PortRange, Traffic, TransportProtocol,
};

use super::Subnet;
use super::balancers::{Target, targets};
use crate::rows::Row;
use crate::state::State;

/// Above all rules: guests can reach the resolvers that they get by DHCP.
const RESOLVERS: u16 = 1002;
const RULES: u16 = 1001;
const DEFAULT: u16 = 1000;

pub(super) fn rules(state: &State) -> Result<Vec<Row>, DeviceError> {
    let Some(firewall) = state.firewall.as_ref().filter(|_| state.is_implemented) else {
        return Ok(Vec::new());
    };
    let subnet = Subnet::of(state)?;
    let mut lists = AccessLists::default();
    ingress(&mut lists, state, firewall, subnet)?;
    egress(&mut lists, state, firewall, subnet)?;
    Ok(lists.0)
}

fn ingress(
    lists: &mut AccessLists,
    state: &State,
    firewall: &FirewallRules,
    subnet: Subnet,
) -> Result<(), DeviceError> {
    for rule in &firewall.rules {
        let FirewallSubject::Ingress { public_ip } = rule.subject else { continue };
        let Some(from) = addresses("ip4.src", &rule.source_cidrs) else { continue };
        for target in targets(state, public_ip) {
            if let Some(packets) = reaching(rule, &target)? {
                lists.add("to-lport", RULES, "allow-related", format!("{packets}{from}"));
            }
        }
    }
    let cidr = subnet.cidr;
    lists.add("to-lport", DEFAULT, "drop", format!("ip4.dst == {cidr} && ip4.src != {cidr}"));
    Ok(())
}

/// The match for a target of an ingress rule; `None` if the rule does not allow this target.
fn reaching(rule: &FirewallRule, target: &Target) -> Result<Option<String>, DeviceError> {
    Ok(match target {
        Target::Instance(instance) => Some(format!("ip4.dst == {instance}{}", traffic(rule.traffic)?)),
        Target::Port { protocol, public, instance } => {
            let is_allowed = match (rule.traffic, protocol) {
                (Traffic::All, _) => true,
                (Traffic::Tcp(ports), TransportProtocol::Tcp)
                | (Traffic::Udp(ports), TransportProtocol::Udp) => ports.ports().contains(public),
                _ => false,
            };
            let (address, port) = (instance.ip(), instance.port());
            is_allowed.then(|| format!("ip4.dst == {address} && {protocol}.dst == {port}"))
        }
    })
}

fn egress(
    lists: &mut AccessLists,
    state: &State,
    firewall: &FirewallRules,
    subnet: Subnet,
) -> Result<(), DeviceError> {
    let (rule_action, default_action) =
        if firewall.default_egress_allow { ("drop", "allow-related") } else { ("allow-related", "drop") };
    let cidr = subnet.cidr;
    let leaving = format!("ip4.src == {cidr} && ip4.dst != {cidr}");
    for rule in firewall.rules.iter().filter(|rule| rule.subject == FirewallSubject::Egress) {
        let from = addresses("ip4.src", &rule.source_cidrs);
        let (Some(from), Some(to)) = (from, addresses("ip4.dst", &rule.dest_cidrs)) else { continue };
        let packets = format!("{leaving}{}{from}{to}", traffic(rule.traffic)?);
        lists.add("from-lport", RULES, rule_action, packets);
    }
    for resolver in state.resolvers.iter().filter(|it| it.is_ipv4()) {
        for protocol in [TransportProtocol::Udp, TransportProtocol::Tcp] {
            let packets = format!("ip4.src == {cidr} && ip4.dst == {resolver} && {protocol}.dst == 53");
            lists.add("from-lport", RESOLVERS, "allow-related", packets);
        }
    }
    lists.add("from-lport", DEFAULT, default_action, leaving);
    Ok(())
}

/// Rows of access lists. The index of a row is its key, so that a change of one rule leaves the others alone.
#[derive(Default)]
struct AccessLists(Vec<Row>);

impl AccessLists {
    fn add(&mut self, direction: &str, priority: u16, action: &str, packets: String) {
        let row = Row::new("ACL", format!("rule/{}", self.0.len()));
        let row = row.with("direction", direction).with("priority", priority);
        self.0.push(row.with("action", action).with("match", packets));
    }
}

/// The networks of a rule, as the rest of a match; empty if the rule covers all networks. `None` if the rule names
/// networks and none of them is IPv4: such a rule matches no packet here, and must not become one that matches all.
fn addresses(field: &str, networks: &[IpNet]) -> Option<String> {
    let any: IpNet = Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0).into();
    if networks.is_empty() || networks.contains(&any) {
        return Some(String::new());
    }
    let networks = networks.iter().filter(|network| matches!(network.addr(), IpAddr::V4(_)));
    let networks: Vec<_> = networks.map(|network| network.trunc().to_string()).collect();
    (!networks.is_empty()).then(|| format!(" && {field} == {{{}}}", networks.join(", ")))
}

/// The packets of a rule, as the rest of a match.
fn traffic(traffic: Traffic) -> Result<String, DeviceError> {
    let ports = |protocol: &str, ports: PortRange| match ports {
        PortRange::ALL => format!(" && {protocol}"),
        ports if ports.is_single() => format!(" && {protocol}.dst == {}", ports.first()),
        ports => format!(" && {} <= {protocol}.dst <= {}", ports.first(), ports.last()),
    };
    Ok(match traffic {
        Traffic::All => String::new(),
        Traffic::Tcp(range) => ports("tcp", range),
        Traffic::Udp(range) => ports("udp", range),
        Traffic::Icmp { icmp_type, icmp_code } => {
            let part = |name: &str, value: Option<u8>| {
                value.map(|value| format!(" && icmp4.{name} == {value}")).unwrap_or_default()
            };
            format!(" && icmp4{}{}", part("type", icmp_type), part("code", icmp_code))
        }
        Traffic::Protocol(number) => format!(" && ip.proto == {number}"),
        other => return Err(DeviceError::invalid(format!("OVN cannot match {other:?}"))),
    })
}
