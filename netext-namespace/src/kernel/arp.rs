//! Asking a segment whether an address is taken, without claiming it: the ARP probe of RFC 5227.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, bind, recv, send, socket};

use super::wait::readable_by;
use crate::plan::InterfaceName;

/// When the questions are asked, and how long answers are waited for. The RFC has seconds, for a device that nobody
/// waits for; routers answer within milliseconds, and guests wait.
const QUESTIONS: [Duration; 2] = [Duration::ZERO, Duration::from_millis(150)];
const PATIENCE: Duration = Duration::from_millis(400);

const EVERYBODY: [u8; 6] = [0xff; 6];
const ARP: [u8; 2] = [0x08, 0x06];
/// Ethernet, IPv4, and the lengths of their addresses.
const KINDS: [u8; 6] = [0, 1, 8, 0, 6, 4];
const REQUEST: [u8; 2] = [0, 1];
const FRAME: usize = 42;

/// Which of the addresses somebody on the segment has, and their hardware addresses.
///
/// # Errors
/// When the interface is not there, or the kernel refuses.
pub(crate) fn taken(
    interface: &InterfaceName,
    addresses: &[Ipv4Addr],
) -> io::Result<BTreeMap<Ipv4Addr, String>> {
    let (socket, own) = open(interface)?;
    let begun = Instant::now();
    let mut taken = BTreeMap::new();
    let ends = QUESTIONS.into_iter().skip(1).chain([PATIENCE]);
    for end in ends {
        for address in addresses.iter().filter(|address| !taken.contains_key(*address)) {
            send(socket.as_raw_fd(), &question(own, *address), MsgFlags::empty())?;
        }
        while taken.len() < addresses.len() && readable_by(&socket, begun + end)? {
            let mut frame = [0; FRAME];
            match recv(socket.as_raw_fd(), &mut frame, MsgFlags::empty()) {
                Ok(FRAME) => {}
                Ok(_) => continue,
                Err(errno) if io::Error::from(errno).kind() == ErrorKind::WouldBlock => continue,
                Err(errno) => return Err(errno.into()),
            }
            if let Some((address, by)) = owner(&frame)
                && by != own
                && addresses.contains(&address)
            {
                taken.insert(address, by.map(|byte| format!("{byte:02x}")).join(":"));
            }
        }
    }
    Ok(taken)
}

fn open(interface: &InterfaceName) -> io::Result<(OwnedFd, [u8; 6])> {
    let missing = || io::Error::new(ErrorKind::NotFound, format!("no interface {interface}"));
    let link = getifaddrs()?
        .filter(|entry| entry.interface_name == interface.as_ref())
        .find_map(|entry| entry.address?.as_link_addr().copied())
        .ok_or_else(missing)?;
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll)?;
    bind(socket.as_raw_fd(), &link)?;
    Ok((socket, link.addr().ok_or_else(missing)?))
}

/// Who has the address? Asked without an address of one's own, it changes nobody's table.
fn question(own: [u8; 6], address: Ipv4Addr) -> Vec<u8> {
    let nobody = [0; 6];
    [
        &EVERYBODY[..],
        &own,
        &ARP,
        &KINDS,
        &REQUEST,
        &own,
        &Ipv4Addr::UNSPECIFIED.octets(),
        &nobody,
        &address.octets(),
    ]
    .concat()
}

/// The address that the sender of an ARP packet has, whatever it asks or answers.
fn owner(frame: &[u8; FRAME]) -> Option<(Ipv4Addr, [u8; 6])> {
    if frame[12..14] != ARP || frame[14..20] != KINDS {
        return None;
    }
    let by = frame[22..28].try_into().ok()?;
    let address: [u8; 4] = frame[28..32].try_into().ok()?;
    Some((address.into(), by))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_claims_nothing_and_an_answer_tells_the_owner() {
        let (own, other) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 9]);
        let address = Ipv4Addr::new(198, 51, 100, 10);
        let asked: [u8; FRAME] = question(own, address).try_into().unwrap();
        assert_eq!(owner(&asked), Some((Ipv4Addr::UNSPECIFIED, own)));
        let mut answer = asked;
        answer[22..28].copy_from_slice(&other);
        answer[28..32].copy_from_slice(&address.octets());
        assert_eq!(owner(&answer), Some((address, other)));
        answer[13] = 0;
        assert_eq!(owner(&answer), None);
    }
}
