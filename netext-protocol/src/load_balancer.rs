//! Connections to a public address, spread over instances.

use std::net::Ipv4Addr;

use crate::Network;
use crate::wire::choice::choices;
use crate::wire::embedded::Embedded;
use crate::wire::field::structured_field;
use crate::wire::object::object;

object! { payload
    /// `apply-lb-rules`: add, change or revoke load balancer rules. Rules that are not named stay as they are.
    pub struct ApplyLbRules {
        groups {
            /// The network.
            network: Network,
        }
        embedded {
            /// The rules that changed, or all.
            lb_rules: Vec<LoadBalancerRule> = "lb_rules",
        }
    }
}

structured_field!(LoadBalancerRule, LoadBalancerMember);
impl Embedded for Vec<LoadBalancerRule> {}

object! { native
    /// One load balancer rule.
    pub struct LoadBalancerRule {
        required {
            /// The rule's id.
            id: u64 = "id",
            /// The public address.
            public_ip: Ipv4Addr = "publicIp",
            /// The port of the public address.
            public_port: u16 = "publicPort",
            /// The port of the instances, where a member names none.
            private_port: u16 = "privatePort",
            /// The protocol.
            protocol: LoadBalancerProtocol = "protocol",
            /// How a member is chosen.
            algorithm: LoadBalancerAlgorithm = "algorithm",
        }
        optional {
            /// The rule's name. Foreign text.
            name: String = "name",
        }
        defaulted {
            /// Whether the rule is to be deleted.
            revoke: bool = "revoke",
            /// The members.
            backends: Vec<LoadBalancerMember> = "backends",
        }
    }
}

object! { native
    /// One member of a load balancer rule.
    pub struct LoadBalancerMember {
        required {
            /// The instance's address.
            ip: Ipv4Addr = "ip",
        }
        optional {
            /// The instance's port.
            port: u16 = "port",
        }
        defaulted {
            /// Whether the member is to be taken out.
            revoked: bool = "revoked",
        }
    }
}

choices! {
    /// What a load balancer rule carries.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    LoadBalancerProtocol = "a load balancer protocol (tcp, udp, tcp-proxy)", "^([Tt][Cc][Pp](-[Pp][Rr][Oo][Xx][Yy])?|[Uu][Dd][Pp])$" {
        /// TCP connections.
        Tcp = "tcp",
        /// UDP datagrams.
        Udp = "udp",
        /// TCP connections, each opened with a PROXY protocol header that names the client.
        TcpProxy = "tcp-proxy",
    }
    /// How a load balancer chooses a member.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    LoadBalancerAlgorithm = "a load balancer algorithm (roundrobin, leastconn, source)", "^([Rr][Oo][Uu][Nn][Dd][Rr][Oo][Bb][Ii][Nn]|[Ll][Ee][Aa][Ss][Tt][Cc][Oo][Nn][Nn]|[Ss][Oo][Uu][Rr][Cc][Ee])$" {
        /// One after the other.
        RoundRobin = "roundrobin",
        /// The one with the fewest connections.
        LeastConn = "leastconn",
        /// By the client's address, so that a client stays with its member.
        Source = "source",
    }
}
