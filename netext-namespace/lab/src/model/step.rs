//! The commands of a sequence, and how the management server would send them.

use std::fmt;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::cidr::Cidr;
use super::packet::TCP;
use super::rule::PacketMatch;
use super::site::{Site, Tier, VPC_RANGE};
use crate::balancer::Balancer;
use crate::firewall::{AccessList, Firewall, Rule};
use crate::forward::Forward;
use crate::lab::Lab;
use crate::network::Network;
use crate::outcome::CommandOutcome;
use crate::payload::{SourceNat, action_document, joined};
use crate::vpc::Vpc;

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    ImplementVpc(Ipv4Addr),
    /// The VPC's guests leave by another address.
    LeaveBy(Ipv4Addr),
    Implement(Tier),
    Shutdown(Tier),
    Destroy(Tier),
    Assign(Tier, Ipv4Addr, SourceNat),
    Release(Tier, Ipv4Addr),
    AddStatic(Tier, Ipv4Addr, Ipv4Addr),
    DeleteStatic(Tier, Ipv4Addr, Ipv4Addr),
    AddForward(Tier, PortForward),
    DeleteForward(Tier, PortForward),
    Firewall(Tier, FirewallRules),
    AccessList(Tier, Vec<ListItem>),
    Balance(Tier, Vec<BalancerRule>),
    /// Guests' traffic to these networks leaves through the operator's gateway on a VLAN.
    AddDetour(Tier, Detour),
    DeleteDetour(Tier, Detour),
}

/// A port forward; a range keeps the offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PortForward {
    pub(super) protocol: u8,
    pub(super) public: Ipv4Addr,
    pub(super) ports: (u16, u16),
    pub(super) private: Ipv4Addr,
    pub(super) first_private: u16,
}

/// All firewall rules of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FirewallRules {
    pub(super) egress_allowed: bool,
    pub(super) ingress: Vec<(Ipv4Addr, PacketMatch)>,
    pub(super) egress: Vec<PacketMatch>,
}

/// An item of an access list. Its networks are the other end, in both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListItem {
    pub(super) number: u32,
    pub(super) allows: bool,
    pub(super) is_ingress: bool,
    pub(super) packets: PacketMatch,
}

/// A load balancer rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BalancerRule {
    pub(super) id: u32,
    pub(super) protocol: u8,
    pub(super) public: Ipv4Addr,
    pub(super) port: u16,
    pub(super) is_revoked: bool,
    pub(super) members: Vec<(Ipv4Addr, u16)>,
    pub(super) revoked_members: Vec<(Ipv4Addr, u16)>,
}

/// An operator's route and the rule that leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Detour {
    pub(super) table: u32,
    pub(super) from: Cidr,
    pub(super) to: Cidr,
    pub(super) vlan: u8,
}

/// The cloud's networks, as the management server knows them.
#[derive(Debug)]
pub(super) struct Cloud<'lab> {
    lab: &'lab Lab,
    site: Site,
    vpc: Vpc<'lab>,
}

impl<'lab> Cloud<'lab> {
    pub(super) fn new(lab: &'lab Lab, site: Site) -> Self {
        Self { lab, site, vpc: lab.vpc(site.router()) }
    }

    pub(super) fn network(&self, tier: Tier) -> Network<'lab> {
        match self.site {
            Site::Isolated => self.lab.network(209).with_ip6("2001:db8:1::1", "2001:db8:1::/64"),
            Site::Vpc => self.vpc.tier(tier.into()),
        }
    }

    /// Runs the commands of a step; the last outcome decides.
    pub(super) fn run(&self, step: &Step) -> CommandOutcome {
        let of_vpc = |command: &str, source_nat: Ipv4Addr| {
            let fields = self.network(1).public_fields(&source_nat.to_string(), SourceNat::Yes);
            let range = json!({"vpc_cidr": format!("{VPC_RANGE}/16")});
            self.lab.run(command, &self.vpc.document(&joined(&fields, &range)))
        };
        match step {
            Step::ImplementVpc(address) => of_vpc("implement-vpc", *address),
            Step::LeaveBy(address) => of_vpc("update-vpc-source-nat-ip", *address),
            Step::AddDetour(tier, detour) => {
                let [table, route, rule] = detour.actions();
                self.act(*tier, "pbr-create-table", &table);
                self.act(*tier, "pbr-add-route", &route);
                self.act(*tier, "pbr-add-rule", &rule)
            }
            Step::DeleteDetour(tier, detour) => self.act(*tier, "pbr-delete-table", &detour.actions()[0]),
            step => {
                let network = self.network(step.tier());
                let (command, fields) = step.command(&network);
                self.lab.run(command, &network.document(&fields))
            }
        }
    }

    fn act(&self, tier: Tier, action: &str, parameters: &Value) -> CommandOutcome {
        let document = self.network(tier).document(&json!({}));
        self.lab.run("custom-action", &action_document(&document, action, parameters))
    }
}

impl Detour {
    /// The parameters of the three actions that create it.
    fn actions(&self) -> [Value; 3] {
        let table = self.table.to_string();
        let gateway = super::site::detour_address(self.vlan);
        [
            json!({"table-id": table, "table-name": format!("way{table}")}),
            json!({"table": table, "route": format!("default via {gateway}")}),
            json!({"table": table, "rule": format!("from {} to {}", self.from, self.to)}),
        ]
    }
}

impl Step {
    fn tier(&self) -> Tier {
        match self {
            Self::ImplementVpc(_) | Self::LeaveBy(_) => 1,
            Self::Implement(tier)
            | Self::Shutdown(tier)
            | Self::Destroy(tier)
            | Self::Assign(tier, ..)
            | Self::Release(tier, _)
            | Self::AddStatic(tier, ..)
            | Self::DeleteStatic(tier, ..)
            | Self::AddForward(tier, _)
            | Self::DeleteForward(tier, _)
            | Self::Firewall(tier, _)
            | Self::AccessList(tier, _)
            | Self::Balance(tier, _)
            | Self::AddDetour(tier, _)
            | Self::DeleteDetour(tier, _) => *tier,
        }
    }

    /// The same command with a rule less.
    pub(super) fn smaller(&self) -> Vec<Self> {
        match self {
            Self::Firewall(tier, rules) => {
                let with =
                    |ingress, egress| Self::Firewall(*tier, FirewallRules { ingress, egress, ..*rules });
                let ingress = without_one(&rules.ingress).map(|ingress| with(ingress, rules.egress.clone()));
                let egress = without_one(&rules.egress).map(|egress| with(rules.ingress.clone(), egress));
                ingress.chain(egress).collect()
            }
            Self::AccessList(tier, items) => {
                without_one(items).map(|items| Self::AccessList(*tier, items)).collect()
            }
            Self::Balance(tier, rules) => {
                without_one(rules).map(|rules| Self::Balance(*tier, rules)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn command(&self, network: &Network<'_>) -> (&'static str, Value) {
        let static_nat = |public: &Ipv4Addr, private: &Ipv4Addr| {
            network.static_nat_fields(&public.to_string(), &private.to_string())
        };
        match self {
            Self::Implement(_) => ("implement-network", network.extension_field()),
            Self::Shutdown(_) => ("shutdown-network", json!({"network_state": "shutdown"})),
            Self::Destroy(_) => ("destroy-network", json!({"network_state": "destroy"})),
            Self::Assign(_, public, kind) => ("assign-ip", network.public_fields(&public.to_string(), *kind)),
            Self::Release(_, public) => {
                ("release-ip", network.public_fields(&public.to_string(), SourceNat::No))
            }
            Self::AddStatic(_, public, private) => ("add-static-nat", static_nat(public, private)),
            Self::DeleteStatic(_, public, private) => ("delete-static-nat", static_nat(public, private)),
            Self::AddForward(_, forward) => ("add-port-forward", network.forward_fields(&forward.to_lab())),
            Self::DeleteForward(_, forward) => {
                ("delete-port-forward", network.forward_fields(&forward.to_lab()))
            }
            Self::Firewall(_, rules) => ("apply-fw-rules", network.firewall_fields(&rules.to_lab())),
            Self::AccessList(_, items) => {
                let list = items.iter().fold(AccessList::new(), |list, item| list.with(item.to_lab()));
                ("apply-network-acl", network.access_list_fields(&list))
            }
            Self::Balance(_, rules) => {
                let rules: Vec<_> = rules.iter().map(BalancerRule::to_lab).collect();
                ("apply-lb-rules", network.balancer_fields(&rules.iter().collect::<Vec<_>>()))
            }
            Self::ImplementVpc(_) | Self::LeaveBy(_) | Self::AddDetour(..) | Self::DeleteDetour(..) => {
                unreachable!("not a single command of a network")
            }
        }
    }
}

impl PortForward {
    /// The last private port.
    fn last_private(&self) -> u16 {
        self.first_private + (self.ports.1 - self.ports.0)
    }

    fn to_lab(self) -> Forward {
        let range = |first: u16, last: u16| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        let public = format!("{}:{}", self.public, range(self.ports.0, self.ports.1));
        let private = format!("{}:{}", self.private, range(self.first_private, self.last_private()));
        Forward::of(protocol_name(self.protocol), &public, &private)
    }
}

impl FirewallRules {
    fn to_lab(&self) -> Firewall {
        let empty = if self.egress_allowed { Firewall::egress_allowed() } else { Firewall::egress_denied() };
        let ingress = self.ingress.iter();
        let ingress = ingress.map(|(public, packets)| packets.put_into(Rule::ingress(&public.to_string())));
        let egress = self.egress.iter().map(|packets| packets.put_into(Rule::egress()));
        ingress.chain(egress).fold(empty, Firewall::with)
    }
}

impl ListItem {
    fn to_lab(&self) -> Rule {
        let item = match (self.allows, self.is_ingress) {
            (true, true) => Rule::allow_in,
            (false, true) => Rule::deny_in,
            (true, false) => Rule::allow_out,
            (false, false) => Rule::deny_out,
        };
        self.packets.put_into(item(self.number))
    }
}

impl BalancerRule {
    fn to_lab(&self) -> Balancer {
        let end = |(address, port): &(Ipv4Addr, u16)| format!("{address}:{port}");
        let rule = Balancer::of(self.id, protocol_name(self.protocol), &end(&(self.public, self.port)));
        let rule = self.members.iter().fold(rule, |rule, member| rule.member(&end(member)));
        let rule = self.revoked_members.iter().fold(rule, |rule, member| rule.revoked_member(&end(member)));
        if self.is_revoked { rule.revoked() } else { rule }
    }
}

/// The lists that lack one item.
fn without_one<T: Clone>(items: &[T]) -> impl Iterator<Item = Vec<T>> {
    (0..items.len()).map(|left_out| [&items[..left_out], &items[left_out + 1..]].concat())
}

fn protocol_name(protocol: u8) -> &'static str {
    if protocol == TCP { "tcp" } else { "udp" }
}

/// One line, and a line for each rule.
impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ImplementVpc(address) => write!(formatter, "implement-vpc, source NAT {address}"),
            Self::LeaveBy(address) => write!(formatter, "update-vpc-source-nat-ip {address}"),
            Self::Implement(tier) => write!(formatter, "implement-network {tier}"),
            Self::Shutdown(tier) => write!(formatter, "shutdown-network {tier}"),
            Self::Destroy(tier) => write!(formatter, "destroy-network {tier}"),
            Self::Assign(tier, address, SourceNat::Yes) => {
                write!(formatter, "assign-ip {tier} {address}, source NAT")
            }
            Self::Assign(tier, address, SourceNat::No) => write!(formatter, "assign-ip {tier} {address}"),
            Self::Release(tier, address) => write!(formatter, "release-ip {tier} {address}"),
            Self::AddStatic(tier, public, private) => {
                write!(formatter, "add-static-nat {tier} {public} -> {private}")
            }
            Self::DeleteStatic(tier, public, private) => {
                write!(formatter, "delete-static-nat {tier} {public} -> {private}")
            }
            Self::AddForward(tier, forward) => write!(formatter, "add-port-forward {tier} {forward}"),
            Self::DeleteForward(tier, forward) => write!(formatter, "delete-port-forward {tier} {forward}"),
            Self::Firewall(tier, rules) => {
                let policy = if rules.egress_allowed { "allowed" } else { "denied" };
                write!(formatter, "apply-fw-rules {tier}, egress {policy}")?;
                for (public, packets) in &rules.ingress {
                    write!(formatter, "\n  ingress to {public}: {packets}")?;
                }
                rules.egress.iter().try_for_each(|packets| write!(formatter, "\n  egress: {packets}"))
            }
            Self::AccessList(tier, items) => {
                write!(formatter, "apply-network-acl {tier}")?;
                items.iter().try_for_each(|item| write!(formatter, "\n  {item}"))
            }
            Self::Balance(tier, rules) => {
                write!(formatter, "apply-lb-rules {tier}")?;
                rules.iter().try_for_each(|rule| write!(formatter, "\n  {rule}"))
            }
            Self::AddDetour(tier, detour) => write!(formatter, "pbr-add-rule {tier} {detour}"),
            Self::DeleteDetour(tier, detour) => write!(formatter, "pbr-delete-table {tier} {detour}"),
        }
    }
}

impl fmt::Display for PortForward {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, public, ports: (first, last), private, first_private } = self;
        let protocol = protocol_name(*protocol);
        write!(formatter, "{protocol} {public}:{first}-{last} -> {private}:{first_private}")
    }
}

impl fmt::Display for ListItem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = if self.allows { "allow" } else { "deny" };
        let direction = if self.is_ingress { "ingress" } else { "egress" };
        write!(formatter, "{} {action} {direction}: {}", self.number, self.packets)
    }
}

impl fmt::Display for BalancerRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let revoke = if self.is_revoked { "revoke " } else { "" };
        let protocol = protocol_name(self.protocol);
        write!(formatter, "{revoke}rule {} {protocol} {}:{} ->", self.id, self.public, self.port)?;
        for (address, port) in &self.members {
            write!(formatter, " {address}:{port}")?;
        }
        self.revoked_members
            .iter()
            .try_for_each(|(address, port)| write!(formatter, " revoked {address}:{port}"))
    }
}

impl fmt::Display for Detour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, from, to, vlan } = self;
        write!(formatter, "table {table}: from {from} to {to} by the operator's gateway on VLAN {vlan}")
    }
}
