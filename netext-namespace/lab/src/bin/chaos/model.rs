//! What the management server knows: the networks, and what was acknowledged for each.

use std::collections::{BTreeMap, BTreeSet};

/// A network of the world: the first ones stand alone, the others are tiers of one VPC.
pub(crate) type NetworkNumber = usize;

/// How many networks stand alone.
pub(crate) const ALONE: usize = 2;
/// How many networks there are.
pub(crate) const NETWORKS: usize = 4;
/// The last octets of the instances of each network.
pub(crate) const INSTANCES: [u8; 2] = [10, 11];
/// The ports that forwards lead from.
pub(crate) const PORTS: [u16; 2] = [2201, 2202];

/// What a public address of a network is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// Port forwards, and in a network that stands alone the source NAT.
    Forwards,
    StaticNat,
    Balancer,
}

pub(crate) const PURPOSES: [Purpose; 3] = [Purpose::Forwards, Purpose::StaticNat, Purpose::Balancer];

/// All that was acknowledged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) networks: [NetworkModel; NETWORKS],
}

/// What was acknowledged for a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NetworkModel {
    pub(crate) is_implemented: bool,
    pub(crate) addresses: BTreeSet<Purpose>,
    /// The instance that each public port leads to.
    pub(crate) forwards: BTreeMap<u16, u8>,
    pub(crate) static_nat: Option<u8>,
    /// The members of the balancer, if there is one.
    pub(crate) balancer: BTreeSet<u8>,
    /// What lets connections in: a port of an address, in a tier the whole subnet.
    pub(crate) open: BTreeSet<Purpose>,
    /// Whether any rules were applied. Before that nothing is known.
    pub(crate) has_rules: bool,
    pub(crate) instances: BTreeMap<u8, InstanceModel>,
}

/// What was acknowledged for an instance that has a NIC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InstanceModel {
    pub(crate) has_name: bool,
    pub(crate) user_data: Option<String>,
    pub(crate) password: Option<String>,
}

impl NetworkModel {
    /// Whether connections to an address come in, as far as rules decide it.
    pub(crate) fn lets_in(&self, purpose: Purpose) -> bool {
        self.is_implemented && self.addresses.contains(&purpose) && self.open.contains(&purpose)
    }
}

/// Whether a network is a tier.
pub(crate) fn is_tier(network: NetworkNumber) -> bool {
    network >= ALONE
}

/// A public address of a network.
pub(crate) fn public(network: NetworkNumber, purpose: Purpose) -> String {
    format!("198.51.100.{}", 110 + network * 10 + purpose as usize)
}

/// The start of the addresses in a network's subnet.
pub(crate) fn subnet(network: NetworkNumber) -> String {
    if is_tier(network) { format!("10.2.{}", network - ALONE + 1) } else { format!("10.1.{}", 21 + network) }
}

pub(crate) fn instance_address(network: NetworkNumber, instance: u8) -> String {
    format!("{}.{instance}", subnet(network))
}
