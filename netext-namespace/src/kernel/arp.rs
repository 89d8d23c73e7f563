//! Finding out whether an address is in use on a segment, without claiming it: the ARP probe of RFC 5227.
//!
//! Two hosts may probe at the same time, each before it takes the address. By the RFC both would give up. So the probe
//! carries its sender's right in the padding that every short frame has, and only the host with the lesser right gives
//! up.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::socket::{MsgFlags, recv, send};

use super::capture::{link_addresses, packet_socket};
use crate::model::InterfaceName;
use crate::wait::readable_by;

/// When probes are sent, and how long to wait for answers. The RFC has seconds, but routers answer within milliseconds,
/// and guests wait for the result.
const QUESTIONS: [Duration; 2] = [Duration::ZERO, Duration::from_millis(150)];
const PATIENCE: Duration = Duration::from_millis(400);

const EVERYBODY: [u8; 6] = [0xff; 6];
const ARP: [u8; 2] = [0x08, 0x06];
/// Ethernet, IPv4, and the lengths of their addresses.
const KINDS: [u8; 6] = [0, 1, 8, 0, 6, 4];
const REQUEST: [u8; 2] = [0, 1];
/// An ARP packet, and the shortest frame that goes over a wire.
const PACKET: usize = 42;
const FRAME: usize = 60;
/// The padding of a probe begins with this; the right follows.
const MARK: [u8; 6] = *b"netext";

/// The machine that has an address, or is about to take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AddressOwner {
    pub(crate) mac: [u8; 6],
    /// The right of a machine that is about to take it.
    pub(crate) right: Option<u64>,
}

/// The addresses that another machine on the segment has, or is about to take with a greater right than `right`.
///
/// # Errors
/// If the interface does not exist, or the kernel refuses.
pub(crate) fn taken(
    interface: &InterfaceName,
    addresses: &[Ipv4Addr],
    right: u64,
) -> io::Result<BTreeMap<Ipv4Addr, AddressOwner>> {
    let (socket, own) = open(interface)?;
    let begun = Instant::now();
    let mut taken = BTreeMap::new();
    let ends = QUESTIONS.into_iter().skip(1).chain([PATIENCE]);
    for end in ends {
        for address in addresses.iter().filter(|address| !taken.contains_key(*address)) {
            send(socket.as_raw_fd(), &question(own, *address, right), MsgFlags::empty())?;
        }
        while taken.len() < addresses.len() && readable_by(&socket, begun + end)? {
            let mut frame = [0; FRAME];
            match recv(socket.as_raw_fd(), &mut frame, MsgFlags::empty()) {
                Ok(PACKET..) => {}
                Ok(_) => continue,
                Err(errno) if io::Error::from(errno).kind() == ErrorKind::WouldBlock => continue,
                Err(errno) => return Err(errno.into()),
            }
            let rival = holder(&frame)
                .filter(|(address, holder)| holder.goes_before(right, own) && addresses.contains(address));
            if let Some((address, holder)) = rival {
                taken.insert(address, holder);
            }
        }
    }
    Ok(taken)
}

fn open(interface: &InterfaceName) -> io::Result<(OwnedFd, [u8; 6])> {
    let missing = || io::Error::new(ErrorKind::NotFound, format!("no interface {interface}"));
    let links = link_addresses()?;
    let (_, link) = links.iter().find(|(name, _)| name == interface.as_ref()).ok_or_else(missing)?;
    Ok((packet_socket(link)?, link.addr().ok_or_else(missing)?))
}

impl AddressOwner {
    /// Whether it keeps a machine with this right and hardware address from taking the address.
    fn goes_before(&self, right: u64, own: [u8; 6]) -> bool {
        self.mac != own && self.right.is_none_or(|its| (its, self.mac) > (right, own))
    }

    /// Its hardware address, for people.
    pub(crate) fn words(&self) -> String {
        self.mac.map(|byte| format!("{byte:02x}")).join(":")
    }
}

/// A probe for an address. Without an address of the sender, it changes no ARP table.
fn question(own: [u8; 6], address: Ipv4Addr, right: u64) -> Vec<u8> {
    let nobody = [0; 6];
    let mut frame = [
        &EVERYBODY[..],
        &own,
        &ARP,
        &KINDS,
        &REQUEST,
        &own,
        &Ipv4Addr::UNSPECIFIED.octets(),
        &nobody,
        &address.octets(),
        &MARK,
        &right.to_be_bytes(),
    ]
    .concat();
    frame.resize(FRAME, 0);
    frame
}

/// The address that the sender of an ARP packet has, in a request or an answer, or that it probes for with a right.
fn holder(frame: &[u8; FRAME]) -> Option<(Ipv4Addr, AddressOwner)> {
    if frame[12..14] != ARP || frame[14..20] != KINDS {
        return None;
    }
    let mac = frame[22..28].try_into().ok()?;
    let [sender, asked] = [28..32, 38..42].map(|place| {
        let octets: [u8; 4] = frame[place].try_into().expect("four bytes");
        Ipv4Addr::from(octets)
    });
    let is_claim = sender.is_unspecified() && frame[20..22] == REQUEST && frame[PACKET..][..6] == MARK;
    if is_claim {
        let right = frame[PACKET + MARK.len()..][..8].try_into().map(u64::from_be_bytes).ok()?;
        return Some((asked, AddressOwner { mac, right: Some(right) }));
    }
    Some((sender, AddressOwner { mac, right: None }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 9];
    const ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 10);

    #[test]
    fn a_question_claims_nothing_and_an_answer_tells_the_owner() {
        let asked: [u8; FRAME] = question(OWN, ADDRESS, 7).try_into().unwrap();
        assert_eq!(asked[28..32], [0; 4], "the sender has no address");
        let mut answer = asked;
        answer[22..28].copy_from_slice(&OTHER);
        answer[28..32].copy_from_slice(&ADDRESS.octets());
        assert_eq!(holder(&answer), Some((ADDRESS, AddressOwner { mac: OTHER, right: None })));
        answer[13] = 0;
        assert_eq!(holder(&answer), None);
    }

    #[test]
    fn of_two_that_ask_at_once_exactly_one_steps_back() {
        let heard = |mac, right| {
            let asked: [u8; FRAME] = question(mac, ADDRESS, right).try_into().unwrap();
            let (address, holder) = holder(&asked).unwrap();
            assert_eq!(address, ADDRESS);
            holder
        };
        for (own, other) in [(1, 2), (2, 1), (3, 3), (0, u64::MAX)] {
            let steps_back = heard(OTHER, other).goes_before(own, OWN);
            assert_ne!(steps_back, heard(OWN, own).goes_before(other, OTHER));
            assert_eq!(steps_back, other >= own);
        }
        assert!(!heard(OWN, 9).goes_before(1, OWN), "one's own question is no rival's");
    }

    #[test]
    fn a_strangers_probe_is_no_claim() {
        let mut asked: [u8; FRAME] = question(OTHER, ADDRESS, 9).try_into().unwrap();
        asked[PACKET..].fill(0);
        assert_eq!(holder(&asked).unwrap().0, Ipv4Addr::UNSPECIFIED);
    }
}
