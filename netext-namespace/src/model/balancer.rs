//! Load balancer rules: connections to a port of a public address, spread over instances.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use ipnet::Ipv4Net;
use netext_protocol::{
    LoadBalancerAlgorithm, LoadBalancerProtocol, LoadBalancerRule, Network, TransportProtocol,
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
    /// A member that is not a guest of the network, or of another tier of its VPC: connections would leave for the
    /// outside, or come back to the router itself.
    #[error("lb_rules: rule {rule}: backend {member} is no guest of the network{of}", of = guests(subnets))]
    NoGuest {
        /// The rule.
        rule: u64,
        /// The member.
        member: Ipv4Addr,
        /// The subnets that guests can be in, as far as they are known.
        subnets: Vec<Ipv4Net>,
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
    /// The rule as a command about a network of a router gives it.
    pub fn of(router: &Router, network: &Network, rule: &LoadBalancerRule) -> Result<Self, InvalidBalancer> {
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
        let subnets = subnets(router, network);
        let live = rule.backends.iter().filter(|member| !member.revoked);
        let members = live.map(|member| {
            if !is_guest(&subnets, member.ip) || is_gateway(router, network, member.ip) {
                let (rule, member, subnets) = (id, member.ip, subnets.clone());
                return Err(InvalidBalancer::NoGuest { rule, member, subnets });
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

/// The subnets that the members of a network's rules can be in: its own, and for a VPC those of all tiers. A tier
/// that is not known yet is somewhere in the VPC's range, and anywhere if that is not known either.
fn subnets(router: &Router, network: &Network) -> Vec<Ipv4Net> {
    let mut of_tiers = router.tiers.values().filter_map(Tier::subnet);
    let own = network.cidr.map(|cidr| cidr.trunc());
    match router.id {
        RouterId::Network(_) => own.or_else(|| of_tiers.next()).into_iter().collect(),
        RouterId::Vpc(_) => {
            let range = router.vpc.and_then(|vpc| vpc.cidr);
            range.map_or_else(Vec::new, |range| own.into_iter().chain(of_tiers).chain([range]).collect())
        }
    }
}

/// Whether an address may be an instance's, as far as it is known where those are.
fn is_guest(subnets: &[Ipv4Net], address: Ipv4Addr) -> bool {
    let is_elsewhere = address.is_unspecified()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast();
    // The wider range of a VPC has hosts where its subnets have none.
    let mut around = subnets.iter().filter(|subnet| subnet.contains(&address));
    let is_inside = subnets.is_empty() || around.clone().next().is_some();
    let is_of_no_host = around.any(|subnet| {
        subnet.prefix_len() < 31 && (address == subnet.network() || address == subnet.broadcast())
    });
    !is_elsewhere && is_inside && !is_of_no_host
}

/// Whether an address is the gateway of the network or of another tier.
fn is_gateway(router: &Router, network: &Network, address: Ipv4Addr) -> bool {
    network.gateway == Some(address) || router.tiers.values().any(|tier| tier.gateway == Some(address))
}

fn guests(subnets: &[Ipv4Net]) -> String {
    let subnets: BTreeSet<_> = subnets.iter().map(ToString::to_string).collect();
    if subnets.is_empty() {
        return String::new();
    }
    format!(" ({})", subnets.into_iter().collect::<Vec<_>>().join(", "))
}
