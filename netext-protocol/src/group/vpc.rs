//! The VPC that a command is about.

use ipnet::Ipv4Net;

use crate::wire::object::object;
use crate::{VpcId, VpcState, ZoneId};

object! { group
    /// The virtual private cloud that a command is about.
    pub struct Vpc {
        required {
            /// The VPC's id: the number in the server's database, the same in every command.
            vpc_id: VpcId = "vpc_id",
        }
        optional {
            /// The zone's id: the number in the server's database.
            zone_id: ZoneId = "zone_id",
            /// The server's state of the VPC at the time of the command, in any case. Older servers do not send it,
            /// and newer ones may send other words.
            vpc_state: VpcState = "vpc_state",
            /// The IPv4 address range that the subnets of the tiers are taken from.
            vpc_cidr: Ipv4Net = "vpc_cidr" | older "cidr",
        }
    }
}
