//! The VPC that a command is about.

use ipnet::Ipv4Net;

use crate::wire::object::object;
use crate::{VpcId, VpcState, ZoneId};

object! { group
    /// The virtual private cloud that a command is about.
    pub struct Vpc {
        required {
            /// The VPC's id.
            vpc_id: VpcId = "vpc_id",
        }
        optional {
            /// The zone.
            zone_id: ZoneId = "zone_id",
            /// The server's state of the VPC; older servers do not send it.
            vpc_state: VpcState = "vpc_state",
            /// The address range that the tiers are cut from.
            vpc_cidr: Ipv4Net = "vpc_cidr" | older "cidr",
        }
    }
}
