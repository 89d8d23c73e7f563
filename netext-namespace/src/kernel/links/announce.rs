//! Gratuitous ARP: telling neighbours which hardware address bears an address from now on.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, sendto, socket};

use super::address::Added;
use crate::plan::InterfaceName;

const EVERYBODY: [u8; 6] = [0xff; 6];
const ETHERTYPE_ARP: [u8; 2] = [0x08, 0x06];
/// Ethernet, IPv4, and the lengths of their addresses.
const ARP_PREFIX: [u8; 6] = [0, 1, 0x08, 0, 6, 4];
const REQUEST: u8 = 1;
const REPLY: u8 = 2;

/// Why neighbours were not told.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// There is no way to send frames at all.
    #[error("cannot open a packet socket for gratuitous ARP: {0}")]
    Socket(io::Error),
    /// The frames of an address were not sent.
    #[error("cannot announce {address} on {interface}: {source}")]
    Send {
        /// The address.
        address: Ipv4Addr,
        /// The interface that bears it.
        interface: InterfaceName,
        /// Why.
        source: io::Error,
    },
}

/// Announces every address on its interface; to be called in the router's namespace.
pub(super) fn all(added: &[Added<'_>]) -> Result<(), AnnounceError> {
    if added.is_empty() {
        return Ok(());
    }
    // Without a protocol the socket receives nothing.
    let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None)
        .map_err(|errno| AnnounceError::Socket(errno.into()))?;
    let links = links().map_err(AnnounceError::Socket)?;
    for Added { interface, addresses } in added {
        let link = links.iter().find(|(name, _)| name == interface.name.as_ref()).map(|(_, link)| link);
        for address in addresses {
            announce(&socket, link, interface.mac, *address).map_err(|source| AnnounceError::Send {
                address: *address,
                interface: interface.name.clone(),
                source,
            })?;
        }
    }
    Ok(())
}

fn announce(socket: &OwnedFd, link: Option<&LinkAddr>, mac: [u8; 6], address: Ipv4Addr) -> io::Result<()> {
    let link = link.ok_or(io::ErrorKind::NotFound)?;
    // Some neighbours learn from one, some from the other.
    for operation in [REQUEST, REPLY] {
        sendto(socket.as_raw_fd(), &frame(operation, mac, address), link, MsgFlags::empty())?;
    }
    Ok(())
}

/// The packet-socket address of every link: the library makes them only by asking the kernel.
fn links() -> io::Result<Vec<(String, LinkAddr)>> {
    let entries = getifaddrs()?;
    Ok(entries.filter_map(|entry| Some((entry.interface_name, *entry.address?.as_link_addr()?))).collect())
}

/// An Ethernet frame from `mac` to everybody that says that `mac` bears `address`.
fn frame(operation: u8, mac: [u8; 6], address: Ipv4Addr) -> Vec<u8> {
    let target = if operation == REPLY { mac } else { [0; 6] };
    [&EVERYBODY[..], &mac, &ETHERTYPE_ARP, &ARP_PREFIX, &[0, operation], &mac, &address.octets(), &target]
        .concat()
        .into_iter()
        .chain(address.octets())
        .collect()
}
