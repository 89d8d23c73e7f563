//! Load balancer rules: connections to a port of a public address, spread over instances.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use netext_protocol::{LoadBalancerAlgorithm, LoadBalancerProtocol, LoadBalancerRule, TransportProtocol};
use serde::{Deserialize, Serialize};

/// A load balancer rule. Its name, which is a tenant's text, is not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balancer {
    /// The public address and port.
    pub public: SocketAddrV4,
    /// The protocol that it carries.
    pub protocol: LoadBalancerProtocol,
    /// How a member is chosen.
    pub algorithm: LoadBalancerAlgorithm,
    /// The members, without those that were revoked.
    pub members: BTreeSet<SocketAddrV4>,
}

/// A load balancer rule that is not possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBalancer {
    /// Port 0 cannot be connected to.
    #[error("lb_rules: rule {rule}: {field} 0 is not a port from 1 to 65535")]
    PortZero {
        /// The rule.
        rule: u64,
        /// The payload's field.
        field: &'static str,
    },
    /// A member is not a guest of the network, nor of another tier of its VPC: connections would leave the network, or
    /// come back to the router itself.
    #[error("lb_rules: rule {rule}: backend {member} is not a guest of {among}")]
    NoGuest {
        /// The rule.
        rule: u64,
        /// The member.
        member: Ipv4Addr,
        /// The networks whose guests may be members, with their subnets as far as they are known.
        among: String,
    },
    /// A protocol that a later version of the protocol crate knows.
    #[error("lb_rules: rule {rule}: protocol {protocol} cannot be balanced here")]
    Protocol {
        /// The rule.
        rule: u64,
        /// Its protocol.
        protocol: LoadBalancerProtocol,
    },
    /// An algorithm that a later version of the protocol crate knows.
    #[error("lb_rules: rule {rule}: algorithm {algorithm} is not supported here")]
    Algorithm {
        /// The rule.
        rule: u64,
        /// Its algorithm.
        algorithm: LoadBalancerAlgorithm,
    },
}

impl Balancer {
    /// The rule as a command gives it. For an address that no member may have, `refuse_member` names the networks whose
    /// guests may be members.
    pub(super) fn new(
        rule: &LoadBalancerRule,
        refuse_member: impl Fn(Ipv4Addr) -> Option<String>,
    ) -> Result<Self, InvalidBalancer> {
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
            if let Some(among) = refuse_member(member.ip) {
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

    /// The public end, which no two rules have in common.
    pub fn public_end(&self) -> (TransportProtocol, SocketAddrV4) {
        (self.transport(), self.public)
    }
}
