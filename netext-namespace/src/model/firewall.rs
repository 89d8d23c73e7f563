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
        let allows_any = rules.rules.iter().any(|rule| rule.subject != FirewallSubject::Egress);
        tier.unrestricted = of_vpc && !allows_any && !tier.restricts_ingress();
        tier.firewall = Some(rules);
        tier.restricted_before.clear();
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

    /// Whether any of its firewall rules opens a public address.
    pub fn names(&self, public: Ipv4Addr) -> bool {
        let rules = self.firewall.iter().flat_map(|firewall| &firewall.rules);
        rules.into_iter().any(|rule| rule.subject == FirewallSubject::Ingress { public_ip: public })
    }
}
