//! Firewall rules, and which networks' rules restrict a public address.
//!
//! Tiers of a VPC may share a public address, and the commands of each carry the rules of that tier alone. So an
//! address is restricted while the rules of any network that uses it restrict it, whichever network named it last.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use netext_protocol::{FirewallRules, FirewallSubject, Network, NetworkId};

use super::{Router, RouterId, Tier};

impl Router {
    /// Replaces the firewall rules of a network.
    ///
    /// The server does not know the firewall of a VPC's public addresses by tier and may send an empty list for it,
    /// which means that no restriction is known. But once a tier had an ingress rule, an empty list lets nothing in:
    /// deleting the last rule must not open what it restricted.
    pub fn apply_firewall(&mut self, network: &Network, rules: FirewallRules) {
        let of_vpc = matches!(self.id, RouterId::Vpc(_));
        let tier = self.tier(network);
        let restricted = tier.restricts_ingress();
        tier.firewall = Some(rules);
        tier.unrestricted = of_vpc && !restricted && !tier.opens_any();
        tier.restricted_before.clear();
    }

    /// Takes over what commands said of a network before it was known to be a tier of this VPC: its lists, its
    /// public addresses with what leads from them, its balancers. What is known of the tier already stays.
    pub fn adopt(&mut self, network: NetworkId, mut waiting: Self) {
        let Some(mut tier) = waiting.tiers.remove(&network).filter(|tier| !tier.implemented) else { return };
        if self.tiers.contains_key(&network) {
            return;
        }
        tier.unrestricted = !tier.opens_any();
        self.tiers.insert(network, tier);
        for (public, address) in waiting.addresses {
            self.addresses.entry(public).or_insert(address);
        }
    }

    /// Whether a public address lets in only what rules allow.
    pub fn is_restricted(&self, public: Ipv4Addr) -> bool {
        self.tiers.keys().any(|network| self.restricts(*network, public))
    }

    /// The public addresses that a network's rules restrict.
    pub(super) fn restricted_by(&self, network: NetworkId) -> BTreeSet<Ipv4Addr> {
        self.addresses.keys().copied().filter(|public| self.restricts(network, *public)).collect()
    }

    /// Whether a network's rules restrict a public address: it has rules, and the address is its own. A tier's own are
    /// those that it took up, that lead to it or that its rules name, and those that it had when it was shut down.
    fn restricts(&self, network: NetworkId, public: Ipv4Addr) -> bool {
        let Some(tier) = self.tiers.get(&network).filter(|tier| tier.restricts_ingress()) else {
            return false;
        };
        matches!(self.id, RouterId::Network(_))
            || tier.assigned.contains(&public)
            || tier.restricted_before.contains(&public)
            || self.leads_to(network, public)
            || tier.names(public)
    }
}

impl Tier {
    /// Whether its firewall rules restrict the public addresses that it uses.
    pub fn restricts_ingress(&self) -> bool {
        self.firewall.is_some() && !self.unrestricted
    }

    /// Whether any of its firewall rules is about a public address.
    fn opens_any(&self) -> bool {
        let mut rules = self.firewall.iter().flat_map(|firewall| &firewall.rules);
        rules.any(|rule| rule.subject != FirewallSubject::Egress)
    }

    /// Whether any of its firewall rules opens this public address.
    pub fn names(&self, public: Ipv4Addr) -> bool {
        let rules = self.firewall.iter().flat_map(|firewall| &firewall.rules);
        rules.into_iter().any(|rule| rule.subject == FirewallSubject::Ingress { public_ip: public })
    }
}
