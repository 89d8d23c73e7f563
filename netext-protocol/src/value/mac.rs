//! Ethernet addresses.

use std::fmt;

use crate::wire::text::{Text, text_type};

/// The hardware address of an interface, written `02:01:00:d1:00:0a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr([u8; 6]);

impl MacAddr {
    /// The address made of these octets, first on the wire first.
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// The six octets.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // One piece, because a network has thousands of them and every piece costs a call.
        let mut text = [b':'; 17];
        for (octet, place) in self.0.iter().zip(text.chunks_mut(3)) {
            place[0] = DIGITS[usize::from(octet >> 4)];
            place[1] = DIGITS[usize::from(octet & 0xf)];
        }
        formatter.pad(str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl Text for MacAddr {
    const EXPECTED: &'static str = "a MAC address such as 02:01:00:d1:00:0a";
    const PATTERN: Option<&'static str> = Some("^[0-9A-Fa-f]{2}(([:-])[0-9A-Fa-f]{2}){5}$");

    fn parse_text(text: &str) -> Option<Self> {
        let mut octets = [0; 6];
        let mut parts = text.split([':', '-']);
        for octet in &mut octets {
            let part = parts.next().filter(|part| part.len() == 2)?;
            // `from_str_radix` alone would take a sign.
            if !part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            *octet = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(Self(octets))
    }
}

text_type!(MacAddr);
