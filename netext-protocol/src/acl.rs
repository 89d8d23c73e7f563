//! The access lists of a VPC's tiers.

use std::fmt;

use crate::wire::field::structured_field;
use crate::wire::object::object;
use crate::wire::text::{Text, text_type};
use crate::{Direction, Network, Traffic};
use ipnet::IpNet;

object! { payload
    /// `apply-network-acl`: replace the access list of a tier.
    pub struct ApplyNetworkAcl {
        groups {
            /// The tier.
            network: Network,
        }
        required {
            /// The items, all of them, by ascending number. The first that matches decides; what none
            /// matches is denied. Traffic inside the tier's subnet is not asked.
            acl_rules: Vec<AclRule> = "acl_rules",
        }
    }
}

structured_field!(AclRule);

/// What an access list item does with the packets that it matches. An unknown action is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AclAction {
    /// Let them pass.
    Allow,
    /// Drop them.
    Deny,
}

impl fmt::Display for AclAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        })
    }
}

impl Text for AclAction {
    const EXPECTED: &'static str = "an action (allow, deny)";
    const PATTERN: Option<&'static str> = Some("^([Aa][Ll][Ll][Oo][Ww]|[Dd][Ee][Nn][Yy])$");

    fn parse_text(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "allow" => Some(Self::Allow),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }
}

text_type!(AclAction);

object! { native
    /// One item of a tier's access list.
    pub struct AclRule {
        groups {
            /// Which packets.
            traffic: Traffic,
        }
        required {
            /// Its place in the list.
            number: u32 = "number",
            /// What it does.
            action: AclAction = "action",
            /// Which way the traffic flows, seen from the tier.
            direction: Direction = "trafficType",
            /// The other end: where ingress comes from, where egress goes **to**. Empty means anywhere.
            source_cidrs: Vec<IpNet> = "sourceCidrs",
        }
        optional {
            /// The server's id of the item; not every version sends it.
            id: u64 = "id",
        }
        defaulted {
            /// The tier's end, in some documents; no server is known to send it. Empty means all of the tier.
            dest_cidrs: Vec<IpNet> = "destCidrs",
        }
    }
}
