//! Load balancer rules.

use std::net::Ipv4Addr;

use super::payload;
use crate::wire::embedded::Embedded;
use crate::wire::object::object;
use crate::wire::words::choices;

payload! { network
    /// `apply-lb-rules`: add, change or revoke load balancer rules. Rules that are missing here stay as they
    /// are.
    pub struct ApplyLbRules {
        embedded {
            /// The changed rules, or all rules. A rule that is missing here stays as it is.
            lb_rules: Vec<LoadBalancerRule> = "lb_rules",
        }
    }
}

impl Embedded for Vec<LoadBalancerRule> {}

object! { native
    /// One load balancer rule.
    pub struct LoadBalancerRule {
        required {
            /// The server's id of the rule, a number. A rule with a known id replaces that rule.
            id: u64 = "id",
            /// The public IPv4 address that accepts the connections.
            public_ip: Ipv4Addr = "publicIp",
            /// The port of the public address, 0 to 65535.
            public_port: u16 = "publicPort",
            /// The port of the instances, 0 to 65535, for members without a port of their own.
            private_port: u16 = "privatePort",
            /// The protocol of the connections, in any case. Today's server sends `tcp` for every rule.
            /// Another word is refused.
            protocol: LoadBalancerProtocol = "protocol",
            /// The way to choose a member for a connection, in any case. Another word is refused.
            algorithm: LoadBalancerAlgorithm = "algorithm",
        }
        optional {
            /// The rule's name, as a user chose it. Untrusted text.
            name: String = "name",
        }
        defaulted {
            /// Whether to delete the rule. Absent means `false`.
            revoke: bool = "revoke",
            /// All members: the instances that receive the connections.
            backends: Vec<LoadBalancerMember> = "backends",
        }
    }
}

object! { native
    /// One member of a load balancer rule.
    pub struct LoadBalancerMember {
        required {
            /// The member's IPv4 address. In a VPC it may be in another tier.
            ip: Ipv4Addr = "ip",
        }
        optional {
            /// The member's port, 0 to 65535. Absent means the rule's `privatePort`.
            port: u16 = "port",
        }
        defaulted {
            /// Whether to remove the member from the rule. Absent means `false`.
            revoked: bool = "revoked",
        }
    }
}

choices! {
    /// The protocol of a load balancer rule.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    LoadBalancerProtocol = "a load balancer protocol (tcp, udp, tcp-proxy)", "^([Tt][Cc][Pp](-[Pp][Rr][Oo][Xx][Yy])?|[Uu][Dd][Pp])$" {
        /// TCP connections.
        Tcp = "tcp",
        /// UDP datagrams.
        Udp = "udp",
        /// TCP connections, each with a PROXY protocol header that names the client.
        TcpProxy = "tcp-proxy",
    }
    /// The way a load balancer chooses a member.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    LoadBalancerAlgorithm = "a load balancer algorithm (roundrobin, leastconn, source)", "^([Rr][Oo][Uu][Nn][Dd][Rr][Oo][Bb][Ii][Nn]|[Ll][Ee][Aa][Ss][Tt][Cc][Oo][Nn][Nn]|[Ss][Oo][Uu][Rr][Cc][Ee])$" {
        /// Each member in turn.
        RoundRobin = "roundrobin",
        /// The member with the fewest connections.
        LeastConn = "leastconn",
        /// By the client's address: a client always reaches the same member.
        Source = "source",
    }
}
