//! The access lists of a VPC's tiers.

use ipnet::IpNet;

use super::payload;
use crate::value::traffic::{Direction, Traffic};
use crate::wire::embedded::Embedded;
use crate::wire::object::object;
use crate::wire::words::choices;

payload! { network
    /// `apply-network-acl`: replace the access list of a tier.
    pub struct ApplyNetworkAcl {
        embedded {
            /// The items, all of them, by ascending number. The first that matches decides; what none
            /// matches is denied. Traffic inside the tier's own subnet is not filtered, and established flows go on.
            acl_rules: Vec<AclRule> = "acl_rules",
        }
    }
}

impl Embedded for Vec<AclRule> {}

choices! {
    /// What an access list item does with the packets that it matches. An unknown action is refused.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    AclAction = "an action (allow, deny)",
        "^([Aa][Ll][Ll][Oo][Ww]|[Dd][Ee][Nn][Yy])$" {
        /// Let them pass.
        Allow = "allow",
        /// Drop them.
        Deny = "deny",
    }
}

object! { native
    /// One item of a tier's access list.
    pub struct AclRule {
        groups {
            /// Which packets.
            traffic: Traffic,
        }
        required {
            /// The item's place in the list, counted from 1. The lowest number is matched first.
            number: u32 = "number",
            /// What the item does with the packets that it matches, in any case. Another word is refused.
            action: AclAction = "action",
            /// Which way the traffic flows, seen from the tier, in any case. Another word is refused.
            direction: Direction = "trafficType",
            /// The other end: where ingress comes from, where egress goes **to**. Empty means anywhere.
            source_cidrs: Vec<IpNet> = "sourceCidrs",
        }
        optional {
            /// The server's id of the item, a number. Not every version sends it.
            id: u64 = "id",
        }
        defaulted {
            /// The tier's end, in some documents; no server is known to send it. Empty means all of the tier.
            dest_cidrs: Vec<IpNet> = "destCidrs",
        }
    }
}
