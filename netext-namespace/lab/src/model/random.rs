//! Random choices that a seed repeats.

use std::net::Ipv4Addr;

use super::cidr::Cidr;

/// A sequence of choices.
#[derive(Clone, Debug)]
pub(super) struct Random(fastrand::Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.0.u32(..end)
    }

    /// A number from `first` to `last`, both included.
    pub(super) fn between(&mut self, first: u16, last: u16) -> u16 {
        self.0.u16(first..=last)
    }

    pub(super) fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }

    /// One of them; `None` if there is none.
    pub(super) fn choose<T: Clone>(&mut self, items: &[T]) -> Option<T> {
        self.0.choice(items).cloned()
    }

    /// One of a list that is not empty.
    pub(super) fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        self.choose(items).expect("a list that is not empty")
    }
}

/// An address of the internet.
pub(super) fn outside_address(random: &mut Random) -> Ipv4Addr {
    let last = random.pick(&[0, 5, 63, 64, 65, 77, 127, 128, 200, 255]);
    let [a, b, c] = random.pick(&[[203, 0, 113], [203, 0, 113], [203, 0, 112], [192, 0, 2], [100, 64, 7]]);
    Ipv4Addr::new(a, b, c, last)
}

/// A network of the internet, of any size.
pub(super) fn outside_network(random: &mut Random) -> Cidr {
    let address = outside_address(random);
    match random.below(10) {
        0..2 => Cidr::ALL,
        2 => Cidr::around(address, random.pick(&[1, 2, 5, 8, 12, 16, 20])),
        3..6 => Cidr::around(address, 24),
        6..8 => Cidr::around(address, random.pick(&[25, 26, 27, 28, 29, 30, 31])),
        _ => Cidr::around(address, 32),
    }
}
