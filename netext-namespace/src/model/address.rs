//! Public addresses, and how they lead to guests.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use netext_protocol::{NetworkId, PortForward, PortRange, PublicIp, Segment, TransportProtocol};
use serde::{Deserialize, Serialize};

/// A public address in use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicAddress {
    /// The network that uses it; `None` if only the VPC itself does.
    pub network: Option<NetworkId>,
    /// The public segment; untagged if none was named.
    pub segment: Option<Segment>,
    /// The gateway of the public subnet.
    pub gateway: Option<Ipv4Addr>,
    /// The public subnet's prefix length; 32 if it is not known.
    pub prefix_len: Option<u8>,
    /// The guest that the address belongs to.
    pub static_nat: Option<Ipv4Addr>,
    /// The ports that lead to guests. Their public ports do not overlap.
    #[serde(with = "as_list")]
    pub forwards: BTreeMap<ForwardKey, ForwardTarget>,
}

/// The public end of a port forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ForwardKey {
    /// The transport protocol.
    pub protocol: TransportProtocol,
    /// The public port or ports.
    pub ports: PortRange,
}

/// The guest's end of a port forward: as many ports as the public end has, or one for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardTarget {
    /// The guest.
    pub guest: Ipv4Addr,
    /// The guest's port or ports.
    pub ports: PortRange,
}

/// A port forward that is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidForward {
    /// The two ends do not fit each other.
    #[error(
        "private_port: {private} does not fit public_port {public}: give as many ports on both sides, or one \
         private port"
    )]
    UnequalPorts {
        /// The public ports.
        public: PortRange,
        /// The guest's ports.
        private: PortRange,
    },
    /// Port 0 cannot be connected to.
    #[error("{field}: {ports} is not a port or a range of ports from 1 to 65535")]
    PortZero {
        /// The payload's field.
        field: &'static str,
        /// Its value.
        ports: PortRange,
    },
}

impl PublicAddress {
    /// Applies a command's description of the address.
    pub fn learn(&mut self, public: &PublicIp) {
        self.segment = public.public_vlan.clone().or_else(|| self.segment.take());
        self.gateway = public.public_gateway.or(self.gateway);
        self.prefix_len = public.public_cidr.map(|cidr| cidr.prefix_len()).or(self.prefix_len);
    }

    /// The public segment.
    pub fn segment(&self) -> Segment {
        self.segment.clone().unwrap_or(Segment::Untagged)
    }

    /// The address as it is set on the interface.
    pub fn interface_address(&self, address: Ipv4Addr) -> Ipv4Net {
        Ipv4Net::new(address, self.prefix_len.unwrap_or(32)).unwrap_or(Ipv4Net::from(address))
    }

    /// Leads ports to a guest. It replaces other forwards of any of the ports: the server never keeps two, so their
    /// deletes are only late.
    pub fn forward(&mut self, key: ForwardKey, to: ForwardTarget) {
        self.forwards.retain(|old, _| old.protocol != key.protocol || !old.ports.overlaps(key.ports));
        self.forwards.insert(key, to);
    }

    /// Stops leading ports to a guest, unless they lead elsewhere by now.
    pub fn stop_forward(&mut self, key: ForwardKey, to: ForwardTarget) {
        if self.forwards.get(&key) == Some(&to) {
            self.forwards.remove(&key);
        }
    }

    /// Stops leading anything to the guests of a subnet.
    pub fn stop_leading_to(&mut self, guests: Ipv4Net) {
        self.static_nat = self.static_nat.filter(|guest| !guests.contains(guest));
        self.forwards.retain(|_, to| !guests.contains(&to.guest));
    }

    /// The guests that it leads to.
    pub fn guests(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.static_nat.into_iter().chain(self.forwards.values().map(|to| to.guest))
    }

    /// Whether it leads to any guest.
    pub fn leads_anywhere(&self) -> bool {
        self.guests().next().is_some()
    }

    /// Takes the address from a guest, unless it belongs to another one by now.
    pub fn stop_static_nat(&mut self, guest: Ipv4Addr) {
        if self.static_nat == Some(guest) {
            self.static_nat = None;
        }
    }
}

/// The two ends of a port forward as a command gives it.
pub fn forward_ends(forward: &PortForward) -> Result<(ForwardKey, ForwardTarget), InvalidForward> {
    let (public, private) = (forward.public_port, forward.private_port);
    for (field, ports) in [("public_port", public), ("private_port", private)] {
        if ports.first() == 0 {
            return Err(InvalidForward::PortZero { field, ports });
        }
    }
    if private.is_single() || private.count() == public.count() {
        let key = ForwardKey { protocol: forward.protocol, ports: public };
        Ok((key, ForwardTarget { guest: forward.private_ip, ports: private }))
    } else {
        Err(InvalidForward::UnequalPorts { public, private })
    }
}

/// JSON has no maps with structured keys.
mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{ForwardKey, ForwardTarget};

    #[derive(Serialize, Deserialize)]
    struct StoredForward {
        #[serde(flatten)]
        key: ForwardKey,
        to: ForwardTarget,
    }

    pub(super) fn serialize<S: Serializer>(
        forwards: &BTreeMap<ForwardKey, ForwardTarget>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(forwards.iter().map(|(key, to)| StoredForward { key: *key, to: *to }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<ForwardKey, ForwardTarget>, D::Error> {
        Ok(Vec::deserialize(deserializer)?
            .into_iter()
            .map(|entry: StoredForward| (entry.key, entry.to))
            .collect())
    }
}
