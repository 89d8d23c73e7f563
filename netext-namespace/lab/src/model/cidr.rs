//! IPv4 networks.

use std::fmt;
use std::net::Ipv4Addr;

/// A network: the addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cidr {
    base: u32,
    length: u8,
}

impl Cidr {
    /// Every address.
    pub(super) const ALL: Self = Self { base: 0, length: 0 };

    /// The network of `address` with a prefix of this length.
    pub(super) fn around(address: Ipv4Addr, length: u8) -> Self {
        Self { base: u32::from(address) & mask(length), length }
    }

    /// Whether it contains `address`.
    pub(super) fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & mask(self.length) == self.base
    }

    /// The first and the last address, and those just outside.
    pub(super) fn edges(self) -> [Ipv4Addr; 4] {
        let last = self.base | !mask(self.length);
        [self.base, last, self.base.wrapping_sub(1), last.wrapping_add(1)].map(Ipv4Addr::from)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", Ipv4Addr::from(self.base), self.length)
    }
}

fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_ends_where_its_prefix_says() {
        let network = Cidr::around(Ipv4Addr::new(203, 0, 113, 77), 26);
        assert_eq!(network.to_string(), "203.0.113.64/26");
        let [first, last, before, after] = network.edges();
        assert!(network.contains(first) && network.contains(last));
        assert!(!network.contains(before) && !network.contains(after));
        assert!(Cidr::ALL.contains(before));
        assert_eq!(Cidr::around(first, 32).edges()[..2], [first, first]);
    }
}
