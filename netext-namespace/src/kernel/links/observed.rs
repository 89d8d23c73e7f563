//! Links as they are.

use std::os::fd::{AsFd, AsRawFd};

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkFlags, LinkHeader, LinkMessage};
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use rustix::io::Errno;

use crate::kernel::namespace::Namespace;
use crate::kernel::netlink::{NetlinkError, NetlinkRequest, NetlinkSocket, attributes, number, string};
use crate::model::InterfaceName;

/// `struct ifinfomsg`, which comes before the attributes.
const HEADER: usize = 16;
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_LINKINFO: u16 = 18;
const IFLA_GROUP: u16 = 27;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_INFO_KIND: u16 = 1;
/// `IF_OPER_UP` in `linux/if.h`.
const OPERATIONAL: u8 = 6;
const NETNSA_NSID: u16 = 1;
const NOT_ASSIGNED: u32 = u32::MAX;

/// What is of interest about a link.
#[derive(Debug, Default)]
pub(super) struct Link {
    pub(super) index: u32,
    pub(super) name: String,
    /// Whether it was asked to be up.
    pub(super) up: bool,
    /// Whether there is something at the other end of the wire.
    pub(super) carrier: bool,
    /// Whether the kernel has noticed that it has a carrier.
    pub(super) operational: bool,
    pub(super) mac: Vec<u8>,
    /// The largest packet that it takes, in bytes.
    pub(super) mtu: u32,
    /// Index of the bridge, or bond or the like, that it is a port of.
    pub(super) master: Option<u32>,
    /// Index of the other end of a veth pair.
    pub(super) other_end: Option<u32>,
    /// The id that this socket's namespace knows the other end's namespace by.
    pub(super) other_namespace: Option<u32>,
    pub(super) group: u32,
    /// Driver: `bridge`, `vlan`, `veth`; empty for hardware.
    pub(super) kind: String,
}

impl Link {
    pub(super) fn is_bridge(&self) -> bool {
        self.kind == "bridge"
    }

    pub(super) fn is_veth(&self) -> bool {
        self.kind == "veth"
    }

    /// Whether it is a router's end of a veth pair by its name, which is packed where the usual one would be too long.
    pub(super) fn is_ours(&self) -> bool {
        let number = self.name.strip_prefix("vn").or_else(|| self.name.strip_prefix("vpn"));
        self.is_veth() && number.is_some_and(|number| number.starts_with(['-', '_']))
    }

    /// What it is, for people.
    pub(super) fn kind_words(&self) -> String {
        if self.kind.is_empty() { "a network interface".to_owned() } else { format!("of kind {}", self.kind) }
    }

    fn read(reply: &[u8]) -> Option<Self> {
        let mut link = Self { index: number(reply.get(4..)?)?, ..Self::default() };
        let flags = LinkFlags::from_bits_retain(number(reply.get(8..)?)?);
        link.up = flags.contains(LinkFlags::Up);
        link.carrier = flags.contains(LinkFlags::LowerUp);
        for (kind, value) in attributes(reply.get(HEADER..)?) {
            match kind {
                IFLA_ADDRESS => link.mac = value.to_vec(),
                IFLA_IFNAME => link.name = string(value),
                IFLA_MTU => link.mtu = number(value)?,
                IFLA_LINK => link.other_end = number(value),
                IFLA_MASTER => link.master = number(value),
                IFLA_GROUP => link.group = number(value)?,
                IFLA_LINK_NETNSID => link.other_namespace = number(value),
                IFLA_OPERSTATE => link.operational = value == [OPERATIONAL],
                IFLA_LINKINFO => {
                    let driver = attributes(value).find(|(kind, _)| *kind == IFLA_INFO_KIND);
                    link.kind = driver.map(|(_, name)| string(name)).unwrap_or_default();
                }
                _ => {}
            }
        }
        Some(link)
    }
}

fn get(header: LinkHeader, name: Option<&str>) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header = header;
    message.attributes.extend(name.map(|name| LinkAttribute::IfName(name.to_owned())));
    message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
    RouteNetlinkMessage::GetLink(message)
}

/// The links of these names, in their order; `None` for one that is absent.
pub(super) fn by_name(
    socket: &mut NetlinkSocket,
    names: &[InterfaceName],
) -> Result<Vec<Option<Link>>, NetlinkError> {
    let requests = names.iter().map(|name| {
        let message = get(LinkHeader::default(), Some(name.as_ref()));
        NetlinkRequest::route(format!("look up interface {name}"), &message, 0).tolerating(&[Errno::NODEV])
    });
    let replies = socket.exchange(&requests.collect::<Vec<_>>())?;
    Ok(replies.into_iter().map(|reply| Link::read(&reply?)).collect())
}

/// The link of that index.
pub(super) fn by_index(socket: &mut NetlinkSocket, index: u32) -> Result<Option<Link>, NetlinkError> {
    let message = get(LinkHeader { index, ..LinkHeader::default() }, None);
    let request = NetlinkRequest::route(format!("look up interface number {index}"), &message, 0);
    let mut replies = socket.exchange(&[request.tolerating(&[Errno::NODEV])])?;
    Ok(replies.pop().flatten().and_then(|reply| Link::read(&reply)))
}

/// All links of the socket's namespace; for namespaces of routers, which hold few.
pub(super) fn all(socket: &mut NetlinkSocket) -> Result<Vec<Link>, NetlinkError> {
    let request = NetlinkRequest::route("list the router's interfaces", &get(LinkHeader::default(), None), 0);
    socket.dump(&request, Link::read)
}

/// The id that the socket's namespace knows another namespace by, if it has one for it.
///
/// The kernel gives ids to the namespaces that links lead to when it tells of such links.
pub(super) fn namespace_id(
    host: &mut NetlinkSocket,
    namespace: &Namespace,
) -> Result<Option<u32>, NetlinkError> {
    let mut message = NsidMessage::default();
    message.attributes.push(NsidAttribute::Fd(namespace.as_fd().as_raw_fd().cast_unsigned()));
    let attempted = format!("ask for the id of namespace {}", namespace.name());
    let replies =
        host.exchange(&[NetlinkRequest::route(attempted, &RouteNetlinkMessage::GetNsId(message), 0)])?;
    let reply = replies.into_iter().flatten().next().unwrap_or_default();
    let id = attributes(reply.get(4..).unwrap_or_default()).find(|(kind, _)| *kind == NETNSA_NSID);
    Ok(id.and_then(|(_, value)| number(value)).filter(|id| *id != NOT_ASSIGNED))
}
