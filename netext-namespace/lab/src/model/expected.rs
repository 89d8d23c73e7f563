//! The router that a sequence of commands asks for, by the words of the protocol.
//!
//! It is plain: lists, in the order of the commands. It is written from the protocol's description and the book, and
//! shares nothing with the extension.

use std::net::Ipv4Addr;

use super::site::{Site, Tier, public_vlan};
use super::step::{BalancerRule, Detour, FirewallRules, ListItem, PortForward, Step};
use crate::payload::SourceNat;

/// A router.
#[derive(Clone, Debug)]
pub(super) struct ExpectedRouter {
    pub(super) site: Site,
    /// Whether the VPC is in force.
    pub(super) has_vpc: bool,
    pub(super) networks: Vec<ExpectedNetwork>,
    /// The public addresses, each with the network that acquired it. A VPC's source NAT address belongs to none.
    pub(super) addresses: Vec<(Ipv4Addr, Option<Tier>)>,
    /// The address that guests leave by.
    pub(super) source_nat: Option<Ipv4Addr>,
    pub(super) detours: Vec<(Tier, Detour)>,
}

/// A guest network.
#[derive(Clone, Debug)]
pub(super) struct ExpectedNetwork {
    pub(super) tier: Tier,
    pub(super) is_in_force: bool,
    pub(super) statics: Vec<(Ipv4Addr, Ipv4Addr)>,
    pub(super) forwards: Vec<PortForward>,
    pub(super) balancers: Vec<BalancerRule>,
    pub(super) firewall: KnownFirewall,
    /// `None` without a list: then nothing is filtered.
    pub(super) list: Option<Vec<ListItem>>,
}

/// What is known about a network's firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KnownFirewall {
    /// No rules ever came: only NAT decides.
    Never,
    /// Rules came before a shutdown: nothing gets in, and what gets out is not said.
    Forgotten,
    /// These rules.
    Rules(FirewallRules),
}

impl ExpectedRouter {
    /// No router yet.
    pub(super) fn new(site: Site) -> Self {
        let networks = site.tiers().iter().map(|tier| ExpectedNetwork::new(*tier)).collect();
        let (addresses, detours) = (Vec::new(), Vec::new());
        Self { site, has_vpc: false, networks, addresses, source_nat: None, detours }
    }

    /// The guest network with this number.
    pub(super) fn network(&self, tier: Tier) -> &ExpectedNetwork {
        &self.networks[usize::from(tier) - 1]
    }

    fn network_mut(&mut self, tier: Tier) -> &mut ExpectedNetwork {
        &mut self.networks[usize::from(tier) - 1]
    }

    /// The guest networks that are in force.
    pub(super) fn in_force(&self) -> impl Iterator<Item = &ExpectedNetwork> {
        self.networks.iter().filter(|network| network.is_in_force)
    }

    pub(super) fn has_address(&self, address: Ipv4Addr) -> bool {
        self.addresses.iter().any(|(other, _)| *other == address)
    }

    /// Whether the router has an interface on a public VLAN.
    pub(super) fn is_on(&self, vlan: u8) -> bool {
        self.addresses.iter().any(|(address, _)| public_vlan(*address) == vlan)
    }

    /// The first of the operator's rules that diverts a guest's packet, and whose gateway can be reached.
    pub(super) fn detour(&self, source: Ipv4Addr, destination: Ipv4Addr) -> Option<&Detour> {
        let detours = self.detours.iter().map(|(_, detour)| detour);
        let mut in_force = detours.filter(|detour| self.is_on(detour.vlan));
        in_force.find(|detour| detour.from.contains(source) && detour.to.contains(destination))
    }

    /// Whether the management server could send this command now, and its meaning is described.
    pub(super) fn may(&self, step: &Step) -> bool {
        let is_vpc = self.site == Site::Vpc;
        let works = |tier: Tier| self.network(tier).is_in_force;
        let owns = |tier: Tier, address: Ipv4Addr| {
            let is_usable = |owner: Option<Tier>| owner == Some(tier) || owner.is_none();
            self.addresses.iter().any(|(other, owner)| *other == address && is_usable(*owner))
        };
        match step {
            Step::ImplementVpc(_) => is_vpc && !self.has_vpc,
            Step::LeaveBy(address) => {
                let is_free = self.addresses.iter().all(|(other, owner)| other != address || owner.is_none());
                self.has_vpc && is_free && !self.is_static(*address)
            }
            Step::Implement(_) => self.has_vpc || !is_vpc,
            Step::Shutdown(tier) => works(*tier) && !self.has_earlier_source_nat(),
            Step::Destroy(tier) => is_vpc && works(*tier) && !self.has_earlier_source_nat(),
            Step::Assign(tier, address, SourceNat::Yes) => {
                let is_free = !self.has_address(*address) || owns(*tier, *address);
                works(*tier) && is_free && !is_vpc && !self.is_static(*address)
            }
            Step::Assign(tier, address, SourceNat::No) => works(*tier) && !self.has_address(*address),
            Step::Release(tier, address) => works(*tier) && self.addresses.contains(&(*address, Some(*tier))),
            Step::AddStatic(tier, public, private) => {
                let has_none = self.network(*tier).statics.iter().all(|(_, guest)| guest != private);
                // The source NAT address of a network cannot be a guest's at the same time.
                let is_free = has_none && !self.is_static(*public) && self.source_nat != Some(*public);
                works(*tier) && owns(*tier, *public) && is_free
            }
            Step::DeleteStatic(tier, ..) | Step::DeleteForward(tier, _) => works(*tier),
            Step::AddForward(tier, forward) => {
                let is_taken = |other: &PortForward| other.has_public_end_of(forward);
                let is_free = !self.others(*tier).flat_map(|network| &network.forwards).any(is_taken);
                works(*tier) && owns(*tier, forward.public) && is_free
            }
            Step::Balance(tier, rules) => {
                let is_free = |rule: &BalancerRule| {
                    let mut others = self.others(*tier).flat_map(|network| &network.balancers);
                    owns(*tier, rule.public) && others.all(|other| other.id != rule.id)
                };
                works(*tier) && rules.iter().all(is_free)
            }
            Step::Firewall(..) => !is_vpc,
            Step::AccessList(..) => is_vpc && self.has_vpc,
            Step::AddDetour(tier, detour) => {
                let is_free = self.detours.iter().all(|(_, other)| other.table != detour.table);
                works(*tier) && is_free && self.is_on(detour.vlan)
            }
            Step::DeleteDetour(tier, detour) => works(*tier) && self.detours.contains(&(*tier, *detour)),
        }
    }

    /// Whether a VPC has an address that its guests left by earlier. What becomes of it with the end of a tier that it
    /// leads to is not said.
    fn has_earlier_source_nat(&self) -> bool {
        let mut of_nobody = self.addresses.iter().filter(|(_, owner)| owner.is_none());
        of_nobody.any(|(address, _)| Some(*address) != self.source_nat)
    }

    fn others(&self, tier: Tier) -> impl Iterator<Item = &ExpectedNetwork> {
        self.networks.iter().filter(move |network| network.tier != tier)
    }

    fn is_static(&self, public: Ipv4Addr) -> bool {
        self.networks.iter().any(|network| network.statics.iter().any(|(other, _)| *other == public))
    }

    /// Carries out a command.
    pub(super) fn take(&mut self, step: &Step) {
        match step {
            Step::ImplementVpc(address) => {
                self.has_vpc = true;
                self.leave_by(*address, None);
            }
            Step::LeaveBy(address) => self.leave_by(*address, None),
            Step::Implement(tier) => self.network_mut(*tier).is_in_force = true,
            Step::Shutdown(tier) => self.shut_down(*tier),
            Step::Destroy(tier) => {
                self.shut_down(*tier);
                *self.network_mut(*tier) = ExpectedNetwork::new(*tier);
                self.forget_members(*tier);
            }
            Step::Assign(tier, address, SourceNat::Yes) => self.leave_by(*address, Some(*tier)),
            Step::Assign(tier, address, SourceNat::No) => {
                if !self.has_address(*address) {
                    self.addresses.push((*address, Some(*tier)));
                }
            }
            Step::Release(tier, address) => self.release(*tier, *address),
            Step::AddStatic(tier, public, private) => {
                self.network_mut(*tier).statics.push((*public, *private));
            }
            Step::DeleteStatic(tier, public, private) => {
                self.network_mut(*tier).statics.retain(|pair| *pair != (*public, *private));
            }
            Step::AddForward(tier, forward) => {
                let forwards = &mut self.network_mut(*tier).forwards;
                forwards.retain(|other| !other.has_public_end_of(forward));
                forwards.push(*forward);
            }
            Step::DeleteForward(tier, forward) => {
                self.network_mut(*tier).forwards.retain(|other| other != forward);
            }
            Step::Firewall(tier, rules) => {
                self.network_mut(*tier).firewall = KnownFirewall::Rules(rules.clone());
            }
            Step::AccessList(tier, items) => {
                let mut items = items.clone();
                items.sort_by_key(|item| item.number);
                self.network_mut(*tier).list = Some(items);
            }
            Step::Balance(tier, rules) => self.balance(*tier, rules),
            Step::AddDetour(tier, detour) => self.detours.push((*tier, *detour)),
            Step::DeleteDetour(_, detour) => self.detours.retain(|(_, other)| other.table != detour.table),
        }
    }

    fn leave_by(&mut self, address: Ipv4Addr, owner: Option<Tier>) {
        if !self.has_address(address) {
            self.addresses.push((address, owner));
        }
        self.source_nat = Some(address);
    }

    fn release(&mut self, tier: Tier, address: Ipv4Addr) {
        self.addresses.retain(|(other, _)| *other != address);
        if self.source_nat == Some(address) {
            self.source_nat = None;
        }
        let network = self.network_mut(tier);
        network.statics.retain(|(public, _)| *public != address);
        network.forwards.retain(|forward| forward.public != address);
        network.balancers.retain(|rule| rule.public != address);
    }

    /// The management server then sends everything again.
    fn shut_down(&mut self, tier: Tier) {
        let gone: Vec<_> = self.addresses.iter().filter(|(_, owner)| *owner == Some(tier)).copied().collect();
        for (address, _) in gone {
            self.release(tier, address);
        }
        let network = self.network_mut(tier);
        network.is_in_force = false;
        network.statics.clear();
        network.forwards.clear();
        network.balancers.clear();
        if network.firewall != KnownFirewall::Never {
            network.firewall = KnownFirewall::Forgotten;
        }
        if network.list.is_some() {
            network.list = Some(Vec::new());
        }
    }

    /// Another network may give the addresses of a destroyed one to other instances.
    fn forget_members(&mut self, tier: Tier) {
        let site = self.site;
        for rule in self.networks.iter_mut().flat_map(|network| &mut network.balancers) {
            rule.members.retain(|(address, _)| site.tier_of(*address) != Some(tier));
        }
    }

    fn balance(&mut self, tier: Tier, rules: &[BalancerRule]) {
        let balancers = &mut self.network_mut(tier).balancers;
        for rule in rules {
            balancers.retain(|other| other.id != rule.id);
            if !rule.is_revoked {
                balancers.push(BalancerRule { revoked_members: Vec::new(), ..rule.clone() });
            }
        }
    }
}

impl ExpectedNetwork {
    fn new(tier: Tier) -> Self {
        Self {
            tier,
            is_in_force: false,
            statics: Vec::new(),
            forwards: Vec::new(),
            balancers: Vec::new(),
            firewall: KnownFirewall::Never,
            list: None,
        }
    }
}

impl PortForward {
    /// Whether one replaces the other.
    pub(super) fn has_public_end_of(&self, other: &Self) -> bool {
        (self.protocol, self.public, self.ports) == (other.protocol, other.public, other.ports)
    }

    /// Where it leads.
    pub(super) fn target(&self, public: Ipv4Addr, protocol: u8, port: u16) -> Option<(Ipv4Addr, u16)> {
        let (first, last) = self.ports;
        let is_mine = (self.public, self.protocol) == (public, protocol) && (first..=last).contains(&port);
        is_mine.then(|| (self.private, self.first_private + (port - first)))
    }
}
