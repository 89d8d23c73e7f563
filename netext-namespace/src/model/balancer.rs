//! Load balancer rules: connections to a port of a public address, spread over instances.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use ipnet::Ipv4Net;
use netext_protocol::{
    LoadBalancerAlgorithm, LoadBalancerProtocol, LoadBalancerRule, Network, NetworkId, TransportProtocol,
};
use serde::{Deserialize, Serialize};

use super::{Router, RouterId, Tier};

/// A load balancer rule. Its name, which is a tenant's text, is not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balancer {
    /// The public address and port.
    pub public: SocketAddrV4,
    /// What it carries.
    pub protocol: LoadBalancerProtocol,
    /// How a member is chosen.
    pub algorithm: LoadBalancerAlgorithm,
    /// The members, without those that were revoked.
    pub members: BTreeSet<SocketAddrV4>,
}

/// A load balancer rule that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBalancer {
    /// Port 0 is no port that anyone can connect to.
    #[error("lb_rules: rule {rule}: {field} 0 is not a port from 1 to 65535")]
    PortZero {
        /// The rule.
        rule: u64,
        /// The payload's field.
        field: &'static str,
    },
    /// A member that is no guest of the network, nor of another tier of its VPC: connections would leave them, or come
    /// back to the router itself.
    #[error("lb_rules: rule {rule}: backend {member} is no guest of {among}")]
    NoGuest {
        /// The rule.
        rule: u64,
        /// The member.
        member: Ipv4Addr,
        /// Whose guests may be members, with the subnets as far as they are known.
        among: String,
    },
    /// A protocol that a later version of the protocol crate knows.
    #[error("lb_rules: rule {rule}: protocol {protocol} is not one that can be balanced here")]
    Protocol {
        /// The rule.
        rule: u64,
        /// Its protocol.
        protocol: LoadBalancerProtocol,
    },
    /// An algorithm that a later version of the protocol crate knows.
    #[error("lb_rules: rule {rule}: algorithm {algorithm} is not one that members can be chosen by here")]
    Algorithm {
        /// The rule.
        rule: u64,
        /// Its algorithm.
        algorithm: LoadBalancerAlgorithm,
    },
}

impl Balancer {
    /// The rule as a command about a network of this router gives it.
    fn of(router: &Router, rule: &LoadBalancerRule) -> Result<Self, InvalidBalancer> {
        use LoadBalancerAlgorithm::{LeastConn, RoundRobin, Source};
        use LoadBalancerProtocol::{Tcp, TcpProxy, Udp};

        let (id, protocol, algorithm) = (rule.id, rule.protocol, rule.algorithm);
        if !matches!(protocol, Tcp | TcpProxy | Udp) {
            return Err(InvalidBalancer::Protocol { rule: id, protocol });
        }
        if !matches!(algorithm, RoundRobin | LeastConn | Source) {
            return Err(InvalidBalancer::Algorithm { rule: id, algorithm });
        }
        let port = |field, port| match port {
            0 => Err(InvalidBalancer::PortZero { rule: id, field }),
            port => Ok(port),
        };
        let public = SocketAddrV4::new(rule.public_ip, port("publicPort", rule.public_port)?);
        let private_port = port("privatePort", rule.private_port)?;
        let live = rule.backends.iter().filter(|member| !member.revoked);
        let members = live.map(|member| {
            if !router.may_have_guest(member.ip) {
                let among = router.guests_in_words();
                return Err(InvalidBalancer::NoGuest { rule: id, member: member.ip, among });
            }
            Ok(SocketAddrV4::new(member.ip, port("backends.port", member.port.unwrap_or(private_port))?))
        });
        Ok(Self { public, protocol, algorithm, members: members.collect::<Result<_, _>>()? })
    }

    /// The transport protocol.
    pub fn transport(&self) -> TransportProtocol {
        match self.protocol {
            LoadBalancerProtocol::Udp => TransportProtocol::Udp,
            _ => TransportProtocol::Tcp,
        }
    }

    /// What no two rules have in common.
    pub fn public_end(&self) -> (TransportProtocol, SocketAddrV4) {
        (self.transport(), self.public)
    }
}

impl Router {
    /// Takes over load balancer rules of a network: those that changed, or all of them.
    pub fn apply_balancers(
        &mut self,
        network: &Network,
        rules: &[LoadBalancerRule],
    ) -> Result<(), InvalidBalancer> {
        for rule in rules {
            if !rule.revoke {
                self.tier(network);
                let balancer = Balancer::of(self, rule)?;
                self.balance(network.network_id, rule.id, balancer);
            } else if let Some(tier) = self.tiers.get_mut(&network.network_id) {
                // What is to be deleted need not make sense.
                tier.balancers.remove(&rule.id);
            }
        }
        Ok(())
    }

    /// Spreads connections to a public port over guests. A rule that had the port before gives way: the server never
    /// keeps two, so its is the delete that comes late.
    pub fn balance(&mut self, network: NetworkId, rule: u64, balancer: Balancer) {
        for tier in self.tiers.values_mut() {
            tier.balancers.retain(|_, old| old.public_end() != balancer.public_end());
        }
        self.tiers.entry(network).or_default().balancers.insert(rule, balancer);
    }

    /// The tier in force whose guest may have an address.
    pub fn tier_with_guest(&self, address: Ipv4Addr) -> Option<(NetworkId, &Tier)> {
        self.routed_tiers().find(|(_, tier)| tier.may_have_guest(address))
    }

    /// Whether an instance may have an address, as far as is known. A tier that is implemented later is somewhere in
    /// the VPC's range; while the range is not known, only a known tier's guests can be told from strangers. Where
    /// nothing is known at all, the member waits: it is led to only when a tier in force has it.
    fn may_have_guest(&self, address: Ipv4Addr) -> bool {
        let is_elsewhere = address.is_unspecified()
            || address.is_loopback()
            || address.is_link_local()
            || address.is_multicast()
            || address.is_broadcast();
        let is_routers = self.tiers.values().any(|tier| tier.is_routers(address));
        if is_elsewhere || is_routers {
            return false;
        }
        if let Some(tier) = self.network_of(address).and_then(|network| self.tiers.get(&network)) {
            return tier.may_have_guest(address);
        }
        self.vpc.and_then(|vpc| vpc.cidr).map_or_else(
            || self.tiers.values().all(|tier| tier.subnet().is_none()),
            |range| is_host(range, address),
        )
    }

    fn guests_in_words(&self) -> String {
        let subnets: Vec<_> = self.tiers.values().filter_map(Tier::subnet).collect();
        let subnets: Vec<_> = subnets.iter().map(ToString::to_string).collect();
        let known = if subnets.is_empty() { String::new() } else { format!(" ({})", subnets.join(", ")) };
        match (self.id, self.vpc.and_then(|vpc| vpc.cidr)) {
            (RouterId::Network(_), _) => format!("the network{known}"),
            (RouterId::Vpc(_), Some(range)) => format!("the VPC ({range})"),
            (RouterId::Vpc(_), None) => {
                format!("the VPC's tiers{known}; its range is not known: implement-vpc names it as vpc_cidr")
            }
        }
    }
}

impl Tier {
    /// Whether an address may be a guest's.
    pub fn may_have_guest(&self, address: Ipv4Addr) -> bool {
        self.subnet().is_some_and(|subnet| is_host(subnet, address)) && !self.is_routers(address)
    }

    fn is_routers(&self, address: Ipv4Addr) -> bool {
        self.gateway == Some(address) || self.extension_ip == Some(address)
    }
}

fn is_host(subnet: Ipv4Net, address: Ipv4Addr) -> bool {
    subnet.contains(&address) && address != subnet.network() && address != subnet.broadcast()
}
