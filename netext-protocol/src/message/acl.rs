//! The access lists of VPC tiers.

use ipnet::IpNet;

use super::payload;
use crate::value::traffic::{Direction, Traffic};
use crate::wire::embedded::Embedded;
use crate::wire::object::object;
use crate::wire::words::choices;

payload! { network
    /// `apply-network-acl`: replace the access list of a tier, which is the network.
    pub struct ApplyNetworkAcl {
        embedded {
            /// All items, by ascending number. The first match decides; traffic that matches no item is
            /// denied. Traffic inside the tier's own subnet is not filtered, and established flows continue.
            acl_rules: Vec<AclRule> = "acl_rules",
        }
    }
}

impl Embedded for Vec<AclRule> {}

choices! {
    /// The action of an access list item on the packets that it matches. An unknown action is refused. There
    /// is no third one, so a device can match both without a default.
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
            /// The packets that the item matches.
            traffic: Traffic,
        }
        required {
            /// The item's position in the list, counted from 1. The lowest number is matched first.
            number: u32 = "number",
            /// The action on the packets that the item matches, in any case. Another word is refused.
            action: AclAction = "action",
            /// The direction of the traffic, as seen from the tier, in any case. Another word is refused.
            direction: Direction = "trafficType",
            /// The other end: the source of ingress traffic, the **destination** of egress traffic. Empty
            /// means any address.
            source_cidrs: Vec<IpNet> = "sourceCidrs",
        }
        optional {
            /// The server's id of the item, a number. Not every version sends it.
            id: u64 = "id",
        }
        defaulted {
            /// The tier's end, in some documents; no server is known to send it. Empty means the whole tier.
            dest_cidrs: Vec<IpNet> = "destCidrs",
        }
    }
}
