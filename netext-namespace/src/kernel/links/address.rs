//! Addresses of the router's interfaces.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::io::Errno;

use super::message;
use super::veth::Interface;
use crate::drift::{Pass, RouterPart};
use crate::kernel::netlink::{NetlinkError, NetlinkRequest, NetlinkSocket, attributes, number};

/// `struct ifaddrmsg`, which comes before the attributes.
const HEADER: usize = 8;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;

/// An address as it is.
#[derive(Debug)]
struct Address {
    index: u32,
    net: IpNet,
    /// The other end of a point-to-point address; otherwise the address itself.
    peer: IpAddr,
    /// Not usable: found, or being checked, to be somebody else's as well.
    doubted: bool,
}

impl Address {
    fn read(entry: &[u8]) -> Option<Self> {
        let prefix = *entry.get(1)?;
        let index = number(entry.get(4..)?)?;
        let (mut address, mut local, mut flags) = (None, None, AddressFlags::empty());
        for (kind, value) in attributes(entry.get(HEADER..)?) {
            match kind {
                IFA_ADDRESS => address = ip(value),
                IFA_LOCAL => local = ip(value),
                IFA_FLAGS => flags = AddressFlags::from_bits_retain(number(value)?),
                _ => {}
            }
        }
        // IPv6 has no IFA_LOCAL unless the address is point-to-point.
        let local = local.or(address)?;
        let doubted = flags.intersects(AddressFlags::Dadfailed | AddressFlags::Tentative);
        Some(Self { index, net: IpNet::new(local, prefix).ok()?, peer: address.unwrap_or(local), doubted })
    }

    /// Whether it serves as what is planned.
    fn is(&self, interface: &Interface<'_>, planned: &IpNet) -> bool {
        self.index == interface.index && self.net == *planned && self.peer == planned.addr() && !self.doubted
    }

    fn is_link_local(&self) -> bool {
        is_link_local(self.net.addr())
    }
}

/// Makes the addresses of the interfaces match; link-local ones are the kernel's.
///
/// Neighbours are told of IPv4 addresses whose owner they cannot know yet, where the plan wants it.
pub(super) fn ensure(
    router: &mut NetlinkSocket,
    interfaces: &[Interface<'_>],
    pass: &mut Pass,
) -> Result<(), NetlinkError> {
    let present = list(router, 0, "list the router's addresses")?;
    let (mut before, mut added, mut after, mut announced) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for interface in interfaces {
        let planned = &interface.plan.addresses;
        for address in present.iter().filter(|address| address.index == interface.index) {
            match address.net {
                _ if planned.iter().any(|wanted| address.is(interface, wanted)) => {}
                _ if address.is_link_local() && !planned.contains(&address.net) => {}
                // The kernel knows an IPv6 address once only: with another prefix it must go first.
                IpNet::V6(_) => before.push(remove(interface, address)),
                IpNet::V4(_) => after.push(remove(interface, address)),
            }
        }
        let is_missing = |wanted: &&IpNet| !present.iter().any(|there| there.is(interface, wanted));
        added.extend(planned.iter().filter(is_missing).map(|wanted| add(interface, *wanted)));
        let unknown =
            |wanted: &IpNet| wanted.addr().is_ipv4() && (interface.unknown_mac || is_missing(&wanted));
        if interface.plan.announce && planned.iter().any(unknown) {
            announced.push(message::announce(&interface.plan.name, interface.plan.mac));
        }
    }
    router.carry_out(&[before, added, after, announced].concat(), RouterPart::Address, pass)
}

/// An address of the host's own on the link of that index, if there is one.
pub(super) fn of_the_host(host: &mut NetlinkSocket, index: u32) -> Result<Option<IpNet>, NetlinkError> {
    let addresses = list(host, index, "list the addresses of the NIC")?;
    Ok(addresses
        .iter()
        .find(|address| address.index == index && !address.is_link_local())
        .map(|address| address.net))
}

/// Addresses of the link of that index, or of all with index 0.
fn list(socket: &mut NetlinkSocket, index: u32, attempted: &str) -> Result<Vec<Address>, NetlinkError> {
    let mut message = AddressMessage::default();
    message.header.index = index;
    socket
        .dump(&NetlinkRequest::route(attempted, &RouteNetlinkMessage::GetAddress(message), 0), Address::read)
}

fn request_body(interface: &Interface<'_>, net: IpNet, peer: IpAddr) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = if net.addr().is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    message.header.prefix_len = net.prefix_len();
    message.header.index = interface.index;
    message.attributes = vec![AddressAttribute::Local(net.addr()), AddressAttribute::Address(peer)];
    message
}

fn add(interface: &Interface<'_>, net: IpNet) -> NetlinkRequest {
    let mut message = request_body(interface, net, net.addr());
    match net {
        IpNet::V4(net) if net.prefix_len() < 31 => {
            message.attributes.push(AddressAttribute::Broadcast(net.broadcast()));
        }
        IpNet::V4(_) => {}
        // A gateway answers at once; nobody else of the segment may bear its address anyway.
        IpNet::V6(_) => message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad)),
    }
    let attempted = format!("add address {net} to {}", interface.plan.name);
    NetlinkRequest::route(attempted, &RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL)
}

fn remove(interface: &Interface<'_>, address: &Address) -> NetlinkRequest {
    let message = request_body(interface, address.net, address.peer);
    let attempted = format!("remove address {} from {}", address.net, interface.plan.name);
    NetlinkRequest::route(attempted, &RouteNetlinkMessage::DelAddress(message), 0)
        .tolerating(&[Errno::ADDRNOTAVAIL])
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn ip(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => value.first_chunk().map(|bytes: &[u8; 4]| Ipv4Addr::from(*bytes).into()),
        16 => value.first_chunk().map(|bytes: &[u8; 16]| Ipv6Addr::from(*bytes).into()),
        _ => None,
    }
}
