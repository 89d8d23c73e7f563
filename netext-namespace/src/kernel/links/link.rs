//! Links and their addresses, as the kernel has them: how it is asked for them, and asked to change them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};

use ipnet::IpNet;
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, BridgeStpState, In6AddrGenMode, InfoBridge, InfoData, InfoKind, InfoVeth,
    InfoVlan, LinkAttribute, LinkExtentMask, LinkFlags, LinkHeader, LinkInfo, LinkMessage,
};
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::io::Errno;

use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::kernel::namespace::Namespace;
use crate::kernel::netlink::uapi::{
    IF_OPER_UP, IFA_ADDRESS, IFA_FLAGS, IFA_LOCAL, IFADDRMSG, IFINFOMSG, IFLA_ADDRESS, IFLA_GROUP,
    IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINK, IFLA_LINK_NETNSID, IFLA_LINKINFO, IFLA_MASTER, IFLA_MTU,
    IFLA_OPERSTATE, NETNSA_NSID, NETNSA_NSID_NOT_ASSIGNED, RTGENMSG,
};
use crate::kernel::netlink::{
    CREATE, NetlinkError, NetlinkRequest, NetlinkSocket, address, attribute, attributes, number, string,
};
use crate::model::InterfaceName;
use crate::plan::InterfacePlan;

/// Group of our bridges. They get it in the act of creation, so that they can always be distinguished from those of
/// operators.
pub(super) const OUR_GROUP: u32 = 0x6e65_7478;
/// Group of links that are to be deleted together.
pub(super) const DOOMED_GROUP: u32 = OUR_GROUP + 1;
/// The index of a link that a rehearsal would have made. No link has it.
pub(super) const NOT_YET: u32 = 0;

/// A link as it is.
#[derive(Debug, Default)]
pub(in crate::kernel) struct KernelLink {
    pub(super) index: u32,
    pub(super) name: String,
    /// Whether it was asked to be up.
    pub(super) up: bool,
    /// Whether another device is connected.
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

impl KernelLink {
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

    /// Its kind, for people.
    pub(super) fn kind_words(&self) -> String {
        if self.kind.is_empty() { "a network interface".to_owned() } else { format!("of kind {}", self.kind) }
    }

    pub(in crate::kernel) fn read(reply: &[u8]) -> Option<Self> {
        let mut link = Self { index: number(reply.get(4..)?)?, ..Self::default() };
        let flags = LinkFlags::from_bits_retain(number(reply.get(8..)?)?);
        link.up = flags.contains(LinkFlags::Up);
        link.carrier = flags.contains(LinkFlags::LowerUp);
        for (kind, value) in attributes(reply.get(IFINFOMSG..)?) {
            match kind {
                IFLA_ADDRESS => link.mac = value.to_vec(),
                IFLA_IFNAME => link.name = string(value),
                IFLA_MTU => link.mtu = number(value)?,
                IFLA_LINK => link.other_end = number(value),
                IFLA_MASTER => link.master = number(value),
                IFLA_GROUP => link.group = number(value)?,
                IFLA_LINK_NETNSID => link.other_namespace = number(value),
                IFLA_OPERSTATE => link.operational = value == [IF_OPER_UP],
                IFLA_LINKINFO => {
                    link.kind = attribute(value, IFLA_INFO_KIND).map(string).unwrap_or_default();
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

/// The links of these names, in their order; `None` for one that does not exist.
pub(super) fn by_name(
    socket: &mut NetlinkSocket,
    names: &[InterfaceName],
) -> Result<Vec<Option<KernelLink>>, NetlinkError> {
    let requests = names.iter().map(|name| {
        let message = get(LinkHeader::default(), Some(name.as_ref()));
        NetlinkRequest::route(format!("look up interface {name}"), &message, 0).tolerating(&[Errno::NODEV])
    });
    let replies = socket.exchange(&requests.collect::<Vec<_>>())?;
    Ok(replies.into_iter().map(|reply| KernelLink::read(&reply?)).collect())
}

/// The indexes of links by their names, as far as they exist.
pub(super) fn indexes<'n>(
    socket: &mut NetlinkSocket,
    names: impl IntoIterator<Item = &'n InterfaceName>,
) -> Result<BTreeMap<InterfaceName, u32>, NetlinkError> {
    let names: Vec<_> = names.into_iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let found = by_name(socket, &names)?;
    Ok(names.into_iter().zip(found).filter_map(|(name, link)| Some((name, link?.index))).collect())
}

/// The link of that index.
pub(super) fn by_index(socket: &mut NetlinkSocket, index: u32) -> Result<Option<KernelLink>, NetlinkError> {
    let message = get(LinkHeader { index, ..LinkHeader::default() }, None);
    let request = NetlinkRequest::route(format!("look up interface number {index}"), &message, 0);
    let mut replies = socket.exchange(&[request.tolerating(&[Errno::NODEV])])?;
    Ok(replies.pop().flatten().and_then(|reply| KernelLink::read(&reply)))
}

/// All links of the socket's namespace. Use it in the namespaces of routers, which have few.
pub(super) fn all(socket: &mut NetlinkSocket) -> Result<Vec<KernelLink>, NetlinkError> {
    let request = NetlinkRequest::route("list the router's interfaces", &get(LinkHeader::default(), None), 0);
    socket.dump(&request, KernelLink::read)
}

/// The id that the socket's namespace has for another namespace, if any.
///
/// The kernel gives an id to the namespace that a link leads to when it describes that link.
pub(super) fn namespace_id(
    host: &mut NetlinkSocket,
    namespace: &Namespace,
) -> Result<Option<u32>, NetlinkError> {
    let mut message = NsidMessage::default();
    message.attributes.push(NsidAttribute::Fd(namespace.as_fd().as_raw_fd().unsigned_abs()));
    let attempted = format!("ask for the id of namespace {}", namespace.name());
    let replies =
        host.exchange(&[NetlinkRequest::route(attempted, &RouteNetlinkMessage::GetNsId(message), 0)])?;
    let reply = replies.into_iter().flatten().next().unwrap_or_default();
    let id = attribute(reply.get(RTGENMSG..).unwrap_or_default(), NETNSA_NSID).and_then(number);
    Ok(id.filter(|id| *id != NETNSA_NSID_NOT_ASSIGNED))
}

fn message(index: u32, attributes: Vec<LinkAttribute>) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message.attributes = attributes;
    message
}

fn up(mut message: LinkMessage) -> LinkMessage {
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    message
}

fn named(name: &InterfaceName) -> LinkAttribute {
    LinkAttribute::IfName(name.to_string())
}

fn info(kind: InfoKind, data: InfoData) -> LinkAttribute {
    LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind), LinkInfo::Data(data)])
}

fn create(attempted: String, attributes: Vec<LinkAttribute>) -> NetlinkRequest {
    NetlinkRequest::route(attempted, &RouteNetlinkMessage::NewLink(message(0, attributes)), CREATE)
}

fn set(attempted: String, message: LinkMessage) -> NetlinkRequest {
    NetlinkRequest::route(attempted, &RouteNetlinkMessage::SetLink(message), 0)
}

fn delete(attempted: String, message: LinkMessage) -> NetlinkRequest {
    NetlinkRequest::route(attempted, &RouteNetlinkMessage::DelLink(message), 0).tolerating(&[Errno::NODEV])
}

/// A bridge without spanning tree, which would hold back every new port, and without multicast snooping, which
/// would need a querier on the segment to keep IPv6 neighbour discovery alive.
pub(super) fn create_bridge(name: &InterfaceName) -> NetlinkRequest {
    let data = vec![InfoBridge::StpState(BridgeStpState::Disabled), InfoBridge::MulticastSnooping(false)];
    let attributes =
        vec![named(name), LinkAttribute::Group(OUR_GROUP), info(InfoKind::Bridge, InfoData::Bridge(data))];
    create(format!("create bridge {name}"), attributes)
}

/// An 802.1Q sub-interface of the link of index `device_index`.
pub(super) fn create_vlan(name: &InterfaceName, device_index: u32, id: u16) -> NetlinkRequest {
    let data = InfoData::Vlan(vec![InfoVlan::Id(id)]);
    let attributes = vec![named(name), LinkAttribute::Link(device_index), info(InfoKind::Vlan, data)];
    create(format!("create VLAN interface {name} with id {id}"), attributes)
}

/// A veth pair: the host's end here, the router's end, with its hardware address, in the namespace at once.
///
/// Both are down: the kernel does not let an end come up before the other one exists. Without an MTU they get the
/// kernel's.
pub(super) fn create_veth(plan: &InterfacePlan, mtu: Option<u32>, namespace: &Namespace) -> NetlinkRequest {
    let mut inside = vec![
        named(&plan.name),
        LinkAttribute::Address(plan.mac.to_vec()),
        LinkAttribute::NetNsFd(namespace.as_fd().as_raw_fd()),
    ];
    inside.extend(mtu.map(LinkAttribute::Mtu));
    let data = InfoData::Veth(InfoVeth::Peer(message(0, inside)));
    let mut outside = vec![named(&plan.peer), info(InfoKind::Veth, data)];
    outside.extend(mtu.map(LinkAttribute::Mtu));
    let (name, namespace, peer) = (&plan.name, namespace.name(), &plan.peer);
    create(format!("create interface {name} in namespace {namespace} with {peer} on the host"), outside)
}

/// Makes a link a port of the bridge of index `master`, and brings it up.
pub(super) fn enslave(name: &InterfaceName, bridge: &InterfaceName, master: u32) -> NetlinkRequest {
    let message = up(message(0, vec![named(name), LinkAttribute::Controller(master)]));
    set(format!("put {name} into bridge {bridge}"), message)
}

/// Brings a link up.
pub(super) fn bring_up(name: &InterfaceName) -> NetlinkRequest {
    set(format!("bring {name} up"), up(message(0, vec![named(name)])))
}

/// Brings `lo` up, without which a router cannot reach its own addresses.
pub(super) fn bring_loopback_up() -> NetlinkRequest {
    set("bring lo up".to_owned(), up(message(0, vec![LinkAttribute::IfName("lo".to_owned())])))
}

/// Keeps the host from giving itself a link-local IPv6 address on a tenant's segment when the link comes up.
pub(super) fn no_ipv6_address(name: &InterfaceName) -> NetlinkRequest {
    let mode = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
    let attributes = vec![named(name), LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![mode])])];
    // A kernel without IPv6 gives no such address.
    set(format!("keep IPv6 off {name}"), message(0, attributes))
        .tolerating(&[Errno::AFNOSUPPORT])
        .incidental()
}

/// Gives a link its hardware address.
pub(super) fn set_mac(name: &InterfaceName, mac: [u8; 6]) -> NetlinkRequest {
    let attributes = vec![named(name), LinkAttribute::Address(mac.to_vec())];
    set(format!("set the hardware address of {name}"), message(0, attributes))
}

/// Sets the largest packet that a link takes.
pub(super) fn set_mtu(name: &InterfaceName, mtu: u32) -> NetlinkRequest {
    set(format!("set the MTU of {name} to {mtu}"), message(0, vec![named(name), LinkAttribute::Mtu(mtu)]))
}

/// Tells neighbours, by gratuitous ARP, which hardware address has the addresses of a link.
///
/// The kernel does it for all IPv4 addresses of the link when the hardware address is set, even to its present value,
/// and `arp_notify` is on. A packet socket of our own would cost more than everything else together: closing one takes
/// the kernel about 15 ms.
pub(super) fn announce(name: &InterfaceName, mac: [u8; 6]) -> NetlinkRequest {
    let attributes = vec![named(name), LinkAttribute::Address(mac.to_vec())];
    set(format!("announce the addresses of {name}"), message(0, attributes)).incidental()
}

/// Deletes these links, with the other ends of veth pairs. It is no error if one is gone already.
///
/// The kernel waits about 15 ms for every deletion until no processor uses the link any more. Links of one group
/// are deleted together and waited for once.
pub(super) fn delete_links<'l>(
    socket: &mut NetlinkSocket,
    links: impl IntoIterator<Item = &'l KernelLink>,
    pass: &mut Pass,
) -> Result<(), NetlinkError> {
    let links: Vec<_> = links.into_iter().collect();
    let requests = match links[..] {
        [] => return Ok(()),
        [link] => vec![delete(format!("delete {}", link.name), message(link.index, Vec::new()))],
        _ => {
            for link in &links {
                pass.differs(RouterPart::Link, DifferenceKind::Remove, format!("delete {}", link.name));
            }
            let doomed = |index| message(index, vec![LinkAttribute::Group(DOOMED_GROUP)]);
            let mark = |link: &&KernelLink| {
                set(format!("mark {} for deletion", link.name), doomed(link.index))
                    .tolerating(&[Errno::NODEV])
            };
            let delete = delete("delete the marked interfaces".to_owned(), doomed(0));
            links.iter().map(mark).chain([delete]).map(NetlinkRequest::incidental).collect()
        }
    };
    socket.carry_out(&requests, RouterPart::Link, pass)
}

/// An address of an interface as it is.
#[derive(Debug)]
pub(in crate::kernel) struct KernelAddress {
    pub(super) index: u32,
    pub(super) net: IpNet,
    /// The other end of a point-to-point address; otherwise the address itself.
    pub(super) peer: IpAddr,
    /// Not usable: duplicate address detection is running, or has found the address on another machine.
    pub(super) doubted: bool,
}

impl KernelAddress {
    pub(in crate::kernel) fn read(entry: &[u8]) -> Option<Self> {
        let prefix = *entry.get(1)?;
        let index = number(entry.get(4..)?)?;
        let (mut net, mut local, mut flags) = (None, None, AddressFlags::empty());
        for (kind, value) in attributes(entry.get(IFADDRMSG..)?) {
            match kind {
                IFA_ADDRESS => net = address(value),
                IFA_LOCAL => local = address(value),
                IFA_FLAGS => flags = AddressFlags::from_bits_retain(number(value)?),
                _ => {}
            }
        }
        // IPv6 has no IFA_LOCAL unless the address is point-to-point.
        let local = local.or(net)?;
        let doubted = flags.intersects(AddressFlags::Dadfailed | AddressFlags::Tentative);
        Some(Self { index, net: IpNet::new(local, prefix).ok()?, peer: net.unwrap_or(local), doubted })
    }

    pub(super) fn is_link_local(&self) -> bool {
        match self.net.addr() {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.is_unicast_link_local(),
        }
    }
}

/// The addresses of the link of that index, or of all links with index 0.
pub(super) fn addresses(
    socket: &mut NetlinkSocket,
    index: u32,
    attempted: &str,
) -> Result<Vec<KernelAddress>, NetlinkError> {
    let mut message = AddressMessage::default();
    message.header.index = index;
    let request = NetlinkRequest::route(attempted, &RouteNetlinkMessage::GetAddress(message), 0);
    socket.dump(&request, KernelAddress::read)
}

/// Adds an address to an interface.
pub(super) fn add_address(name: &InterfaceName, index: u32, net: IpNet) -> NetlinkRequest {
    let mut message = address_message(index, net, net.addr());
    match net {
        IpNet::V4(net) if net.prefix_len() < 31 => {
            message.attributes.push(AddressAttribute::Broadcast(net.broadcast()));
        }
        IpNet::V4(_) => {}
        // A gateway answers at once. No other machine of the segment may have its address anyway.
        IpNet::V6(_) => message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad)),
    }
    let attempted = format!("add address {net} to {name}");
    NetlinkRequest::route(attempted, &RouteNetlinkMessage::NewAddress(message), CREATE)
}

/// Removes an address, with the other end of a point-to-point address, from an interface.
pub(super) fn remove_address(name: &InterfaceName, index: u32, net: IpNet, peer: IpAddr) -> NetlinkRequest {
    let message = address_message(index, net, peer);
    let attempted = format!("remove address {net} from {name}");
    NetlinkRequest::route(attempted, &RouteNetlinkMessage::DelAddress(message), 0)
        .tolerating(&[Errno::ADDRNOTAVAIL])
}

fn address_message(index: u32, net: IpNet, peer: IpAddr) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = if net.addr().is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    message.header.prefix_len = net.prefix_len();
    message.header.index = index;
    message.attributes = vec![AddressAttribute::Local(net.addr()), AddressAttribute::Address(peer)];
    message
}
