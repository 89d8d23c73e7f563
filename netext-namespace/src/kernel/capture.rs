//! Watching an interface: every frame that it sends or receives, as it is.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{AddressFamily, LinkAddr, SockFlag, SockProtocol, SockType, bind, recvfrom, socket};

use super::namespace::{Namespace, NamespaceError};
use crate::model::InterfaceName;

/// `ARPHRD_ETHER` and `ARPHRD_LOOPBACK` in `linux/if_arp.h`: frames begin with an Ethernet header.
const ETHERNET: [u16; 2] = [1, 772];
/// No frame is larger.
const LARGEST: usize = 65_536;

/// Why an interface cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The namespace could not be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// There is no such interface.
    #[error("{namespace} has no interface {interface}; it has {}", .there.join(", "))]
    NoInterface {
        /// The namespace.
        namespace: String,
        /// The interface.
        interface: InterfaceName,
        /// The interfaces that exist.
        there: Vec<String>,
    },
    /// It does not carry Ethernet frames.
    #[error("the frames of {interface} are not Ethernet frames")]
    NotEthernet {
        /// The interface.
        interface: InterfaceName,
    },
    /// The kernel refused.
    #[error("cannot watch {interface}")]
    Failed {
        /// The interface.
        interface: InterfaceName,
        /// Why.
        source: io::Error,
    },
}

/// An interface that is watched since it was opened.
#[derive(Debug)]
pub struct WatchedInterface {
    socket: OwnedFd,
    index: usize,
    buffer: Vec<u8>,
}

impl WatchedInterface {
    /// Begins to watch an interface of the namespace.
    pub fn open(namespace: &Namespace, interface: &InterfaceName) -> Result<Self, CaptureError> {
        namespace.enter(|| {
            let failed = |source: io::Error| CaptureError::Failed { interface: interface.clone(), source };
            let links = link_addresses().map_err(failed)?;
            let link = links.iter().find(|(name, _)| name == interface.as_ref()).map(|(_, link)| *link);
            let link = link.ok_or_else(|| CaptureError::NoInterface {
                namespace: namespace.name().to_string(),
                interface: interface.clone(),
                there: links.iter().map(|(name, _)| name.clone()).collect(),
            })?;
            if !ETHERNET.contains(&link.hatype()) {
                return Err(CaptureError::NotEthernet { interface: interface.clone() });
            }
            let socket = packet_socket(&link).map_err(failed)?;
            Ok(Self { socket, index: link.ifindex(), buffer: vec![0; LARGEST] })
        })?
    }

    /// The next frame, if one has come.
    pub fn receive(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            let (length, from) = match recvfrom::<LinkAddr>(self.socket.as_raw_fd(), &mut self.buffer) {
                Ok(received) => received,
                Err(errno) if io::Error::from(errno).kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(errno) => return Err(errno.into()),
            };
            // Between being opened and being bound the socket received from all interfaces.
            if from.is_none_or(|from| from.ifindex() == self.index) {
                return Ok(Some(&self.buffer[..length]));
            }
        }
    }
}

impl AsFd for WatchedInterface {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The interfaces of this thread's namespace, by name.
pub(super) fn link_addresses() -> io::Result<Vec<(String, LinkAddr)>> {
    let entries = getifaddrs()?;
    Ok(entries.filter_map(|entry| Some((entry.interface_name, *entry.address?.as_link_addr()?))).collect())
}

/// A socket that sends and receives whole frames of an interface.
pub(super) fn packet_socket(link: &LinkAddr) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll)?;
    bind(socket.as_raw_fd(), link)?;
    Ok(socket)
}
