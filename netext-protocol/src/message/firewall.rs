//! The firewall rules of a network.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Serialize, Serializer};

use super::payload;
use crate::value::traffic::{Direction, Traffic};
use crate::wire::embedded::Embedded;
use crate::wire::fields::Parts;
use crate::wire::object::object;

payload! { network
    /// `apply-fw-rules`: replace all firewall rules of a network. It may come before `implement-network`.
    pub struct ApplyFwRules {
        embedded {
            /// All firewall rules of the network, every time. A rule that is missing here is deleted.
            fw_rules: FirewallRules = "fw_rules",
        }
    }
}

object! { native
    /// All firewall rules of a network.
    pub struct FirewallRules {
        required {
            /// The default for traffic from guests. `true`: it passes unless an egress rule matches it.
            /// `false`: it is dropped unless an egress rule matches it.
            default_egress_allow: bool = "default_egress_allow",
            /// The rules. Their order has no meaning.
            rules: Vec<FirewallRule> = "rules",
        }
        optional {
            /// The guests' IPv4 subnet, the same as the network's `cidr`.
            cidr: Ipv4Net = "cidr",
        }
    }
}

impl Embedded for FirewallRules {}

object! { native
    /// One firewall rule.
    ///
    /// An ingress rule allows traffic to a public address, the destination of the packet as it arrives. An
    /// egress rule matches traffic from guests; `default_egress_allow` decides whether it allows or denies.
    pub struct FirewallRule {
        groups {
            /// The direction, and the public address of an ingress rule.
            subject: FirewallSubject,
            /// The packets that the rule matches.
            traffic: Traffic,
        }
        required {
            /// The sources: outside networks for ingress, guests for egress. Empty means any address.
            source_cidrs: Vec<IpNet> = "sourceCidrs",
        }
        optional {
            /// The server's id of the rule, a number.
            id: u64 = "id",
        }
        defaulted {
            /// The destinations of an egress rule: outside networks. Empty means any address.
            dest_cidrs: Vec<IpNet> = "destCidrs",
        }
    }
}

/// The traffic that a firewall rule controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FirewallSubject {
    /// Traffic to a public address.
    Ingress {
        /// The destination of the packet, before any translation.
        public_ip: Ipv4Addr,
    },
    /// Traffic from guests.
    Egress,
}

object! { parts
    /// The fields of a rule that together make a [`FirewallSubject`].
    pub(crate) struct SubjectFields {
        required {
            /// The direction of the traffic, as seen from the guests, in any case. Another word is refused.
            direction: Direction = "type",
        }
        optional {
            /// The public address that an ingress rule opens. An egress rule has none.
            public_ip: Ipv4Addr = "publicIp",
        }
    }
}

impl Parts for FirewallSubject {
    type Fields = SubjectFields;
}

impl TryFrom<SubjectFields> for FirewallSubject {
    type Error = String;

    fn try_from(fields: SubjectFields) -> Result<Self, String> {
        match (fields.direction, fields.public_ip) {
            (Direction::Ingress, Some(public_ip)) => Ok(Self::Ingress { public_ip }),
            (Direction::Egress, None) => Ok(Self::Egress),
            (Direction::Ingress, None) => Err("an ingress rule needs a publicIp".to_owned()),
            (Direction::Egress, Some(public_ip)) => {
                Err(format!("an egress rule has no publicIp, {public_ip} is given"))
            }
        }
    }
}

impl From<FirewallSubject> for SubjectFields {
    fn from(subject: FirewallSubject) -> Self {
        let (direction, public_ip) = match subject {
            FirewallSubject::Ingress { public_ip } => (Direction::Ingress, Some(public_ip)),
            FirewallSubject::Egress => (Direction::Egress, None),
        };
        Self { direction, public_ip }
    }
}

impl Serialize for FirewallSubject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SubjectFields::from(*self).serialize(serializer)
    }
}
