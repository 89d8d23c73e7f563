//! The router of a network or VPC: the unit of locking, of state and of reconciliation.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use netext_protocol::{Network, NetworkId, PublicIp, Segment, VpcId};
use serde::{Deserialize, Serialize};

use super::{Devices, PublicAddress, Tier};
use crate::plan::NamespaceName;

/// Whose router it is: of a network that stands alone, or of a VPC with its tiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouterId {
    /// A network that stands alone.
    Network(NetworkId),
    /// A VPC.
    Vpc(VpcId),
}

impl RouterId {
    /// The router that serves a network: its VPC's, or its own.
    pub fn of(network: &Network) -> Self {
        network.vpc_id.map_or(Self::Network(network.network_id), Self::Vpc)
    }

    /// The number that the names of the router's interfaces carry.
    pub fn number(self) -> u64 {
        match self {
            Self::Network(id) => id.get(),
            Self::Vpc(id) => id.get(),
        }
    }

    /// The router's namespace: `cs-net-<id>` or `cs-vpc-<id>`.
    pub fn namespace(self) -> NamespaceName {
        let name = match self {
            Self::Network(id) => format!("cs-net-{id}"),
            Self::Vpc(id) => format!("cs-vpc-{id}"),
        };
        NamespaceName::try_from(name).expect("a prefix and a number make a valid name")
    }
}

/// `network-209` or `vpc-7`: the name of the router's folder, and what operators call it.
impl fmt::Display for RouterId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(id) => write!(formatter, "network-{id}"),
            Self::Vpc(id) => write!(formatter, "vpc-{id}"),
        }
    }
}

/// Everything that a router shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Router {
    /// Whose it is.
    pub id: RouterId,
    /// The NICs of the host that carry its traffic.
    pub devices: Devices,
    /// The guest networks: one for a network that stands alone, one per tier for a VPC.
    pub tiers: BTreeMap<NetworkId, Tier>,
    /// The public addresses in use.
    pub addresses: BTreeMap<Ipv4Addr, PublicAddress>,
    /// The one of them that guests without an address of their own leave by.
    pub source_nat: Option<Ipv4Addr>,
}

impl Router {
    /// A router without anything.
    pub fn new(id: RouterId) -> Self {
        Self {
            id,
            devices: Devices::default(),
            tiers: BTreeMap::new(),
            addresses: BTreeMap::new(),
            source_nat: None,
        }
    }

    /// Whether there is nothing left to remember.
    pub fn is_empty(&self) -> bool {
        self.tiers.is_empty() && self.addresses.is_empty()
    }

    /// The tiers that are in force; the others only wait to be implemented.
    pub fn implemented_tiers(&self) -> impl Iterator<Item = (NetworkId, &Tier)> {
        self.tiers.iter().filter(|(_, tier)| tier.implemented).map(|(id, tier)| (*id, tier))
    }

    /// Whether it is the gateway of any guests. Otherwise it only serves them, and public addresses mean nothing.
    pub fn routes(&self) -> bool {
        self.implemented_tiers().any(|(_, tier)| tier.routes())
    }

    /// The public segments in use, each with its addresses.
    pub fn addresses_by_segment(
        &self,
    ) -> impl Iterator<Item = (Segment, impl Iterator<Item = (Ipv4Addr, &PublicAddress)>)> {
        let mut segments: BTreeMap<Segment, Vec<_>> = BTreeMap::new();
        for (ip, address) in self.public_addresses() {
            segments.entry(address.segment()).or_default().push((ip, address));
        }
        segments.into_iter().map(|(segment, addresses)| (segment, addresses.into_iter()))
    }

    /// The public addresses that are in force.
    pub fn public_addresses(&self) -> impl Iterator<Item = (Ipv4Addr, &PublicAddress)> {
        let routes = self.routes();
        self.addresses.iter().filter(move |_| routes).map(|(ip, address)| (*ip, address))
    }

    /// The tier of a network, which is made if a command speaks of it for the first time.
    pub fn tier(&mut self, network: &Network) -> &mut Tier {
        let tier = self.tiers.entry(network.network_id).or_default();
        tier.learn(network);
        tier
    }

    /// Takes up a public address, or takes over what is newly said about one.
    pub fn take_up(&mut self, network: &Network, public: &PublicIp) -> &mut PublicAddress {
        if public.source_nat {
            self.source_nat = Some(public.public_ip);
        }
        let address = self.addresses.entry(public.public_ip).or_default();
        address.learn(network.network_id, public);
        address
    }

    /// Gives up a public address with all that leads from it.
    pub fn give_up(&mut self, address: Ipv4Addr) {
        self.addresses.remove(&address);
        if self.source_nat == Some(address) {
            self.source_nat = None;
        }
    }

    /// Takes a tier down. The server replays its addresses and rules when it implements it again; what stays
    /// is what it will not say again.
    pub fn shut_down(&mut self, network: NetworkId) {
        if let Some(tier) = self.tiers.get_mut(&network) {
            tier.shut_down();
        }
        self.give_up_addresses_of(network);
    }

    /// Forgets a tier.
    pub fn destroy(&mut self, network: NetworkId) {
        self.tiers.remove(&network);
        self.give_up_addresses_of(network);
    }

    fn give_up_addresses_of(&mut self, network: NetworkId) {
        let gone = |address: &PublicAddress| address.network == Some(network);
        let addresses: Vec<_> = self.addresses.iter().filter(|(_, a)| gone(a)).map(|(ip, _)| *ip).collect();
        for address in addresses {
            self.give_up(address);
        }
    }
}
