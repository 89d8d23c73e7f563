//! VPCs: what a router is for all of its tiers.

use ipnet::Ipv4Net;
use netext_protocol::PublicIp;
use serde::{Deserialize, Serialize};

use super::{Router, Tier};

/// A VPC that is in force, apart from its tiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    /// The range that the tiers are cut from.
    pub cidr: Option<Ipv4Net>,
}

impl Router {
    /// Brings the VPC into force, with its source NAT address if it has one yet.
    pub fn implement_vpc(&mut self, vpc: &netext_protocol::Vpc, public: Option<&PublicIp>) {
        let known = self.vpc.unwrap_or_default();
        self.vpc = Some(Vpc { cidr: vpc.vpc_cidr.map(|cidr| cidr.trunc()).or(known.cidr) });
        if let Some(public) = public {
            self.leave_by(public);
        }
    }

    /// Has guests without an address of their own leave by this address from now on. The one that they left by
    /// before stays, with what leads from it, until the server releases it.
    pub fn leave_by(&mut self, public: &PublicIp) {
        self.source_nat = Some(public.public_ip);
        self.addresses.entry(public.public_ip).or_default().learn(public);
    }

    /// Takes the VPC down, with all that is in force. The server says it all again when it implements it again.
    pub fn shut_down_vpc(&mut self) {
        self.vpc = None;
        for network in self.tiers.keys().copied().collect::<Vec<_>>() {
            self.remember_restricted(network);
        }
        self.addresses.clear();
        self.source_nat = None;
        self.tiers.values_mut().for_each(Tier::shut_down);
    }

    /// Forgets the VPC with its tiers.
    pub fn destroy_vpc(&mut self) {
        self.shut_down_vpc();
        self.tiers.clear();
    }
}
