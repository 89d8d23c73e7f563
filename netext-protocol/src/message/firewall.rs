//! The firewall of a network.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Serialize, Serializer};

use super::payload;
use crate::value::traffic::{Direction, Traffic};
use crate::wire::embedded::Embedded;
use crate::wire::fields::Parts;
use crate::wire::object::object;

payload! { network
    /// `apply-fw-rules`: replace all firewall rules of a network. May come before `implement-network`.
    pub struct ApplyFwRules {
        embedded {
            /// All firewall rules of the network, every time. What is not among them no longer holds.
            fw_rules: FirewallRules = "fw_rules",
        }
    }
}

object! { native
    /// All firewall rules of a network.
    pub struct FirewallRules {
        required {
            /// What guests may reach. `true`: everything but what an egress rule matches. `false`: nothing but what
            /// an egress rule matches.
            default_egress_allow: bool = "default_egress_allow",
            /// The rules. Their order means nothing.
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
    /// An ingress rule lets traffic in to a public address, by the destination that the packet came with. An
    /// egress rule matches what guests send out; `default_egress_allow` says whether it allows or denies.
    pub struct FirewallRule {
        groups {
            /// What the rule is about.
            subject: FirewallSubject,
            /// Which packets.
            traffic: Traffic,
        }
        required {
            /// Where the packets come from: for ingress outside networks, for egress guests. Empty means anywhere.
            source_cidrs: Vec<IpNet> = "sourceCidrs",
        }
        optional {
            /// The server's id of the rule, a number.
            id: u64 = "id",
        }
        defaulted {
            /// Where an egress packet goes to: outside networks. Empty means anywhere.
            dest_cidrs: Vec<IpNet> = "destCidrs",
        }
    }
}

/// What a firewall rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FirewallSubject {
    /// What comes in to a public address.
    Ingress {
        /// The address that the packet came for, before any translation.
        public_ip: Ipv4Addr,
    },
    /// What guests send out.
    Egress,
}

object! { parts
    /// The fields of a rule that together make a [`FirewallSubject`].
    pub(crate) struct SubjectFields {
        required {
            /// Which way the traffic flows, seen from the guests, in any case. Another word is refused.
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
