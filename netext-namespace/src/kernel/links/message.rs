//! The changes of links that are asked for, as netlink requests.

use std::os::fd::{AsFd, AsRawFd};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, BridgeStpState, In6AddrGenMode, InfoBridge, InfoData, InfoKind, InfoVeth,
    InfoVlan, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use rustix::io::Errno;

use crate::kernel::namespace::Namespace;
use crate::kernel::netlink::NetlinkRequest;
use crate::model::InterfaceName;
use crate::plan::InterfacePlan;

/// Group of the bridges that we made, given to them in the act of creation: whatever else happens, a bridge that
/// an operator made can be told from one of ours.
pub(super) const OUR_GROUP: u32 = 0x6e65_7478;
/// Group of links that are to be deleted together.
pub(super) const DOOMED_GROUP: u32 = OUR_GROUP + 1;

const CREATE: u16 = NLM_F_CREATE | NLM_F_EXCL;

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

/// A bridge without spanning tree, which would hold back every new port, and without multicast snooping, which
/// would need a querier on the segment to keep IPv6 neighbour discovery alive.
pub(super) fn create_bridge(name: &InterfaceName) -> NetlinkRequest {
    let data = vec![InfoBridge::StpState(BridgeStpState::Disabled), InfoBridge::MulticastSnooping(false)];
    let attributes =
        vec![named(name), LinkAttribute::Group(OUR_GROUP), info(InfoKind::Bridge, InfoData::Bridge(data))];
    let message = RouteNetlinkMessage::NewLink(message(0, attributes));
    NetlinkRequest::route(format!("create bridge {name}"), &message, CREATE)
}

/// An 802.1Q sub-interface of the link of index `device_index`.
pub(super) fn create_vlan(name: &InterfaceName, device_index: u32, id: u16) -> NetlinkRequest {
    let data = InfoData::Vlan(vec![InfoVlan::Id(id)]);
    let attributes = vec![named(name), LinkAttribute::Link(device_index), info(InfoKind::Vlan, data)];
    let message = RouteNetlinkMessage::NewLink(message(0, attributes));
    NetlinkRequest::route(format!("create VLAN interface {name} with id {id}"), &message, CREATE)
}

/// A veth pair: the host's end here, the router's end, with its hardware address, in the namespace at once.
///
/// Both are down; the kernel does not let an end come up before the other is there. Without an MTU, which a segment
/// that is not there yet has none of, they get the kernel's.
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
    let message = RouteNetlinkMessage::NewLink(message(0, outside));
    let attempted = format!(
        "create interface {} in namespace {} with {} on the host",
        plan.name,
        namespace.name(),
        plan.peer
    );
    NetlinkRequest::route(attempted, &message, CREATE)
}

/// Makes a link a port of the bridge of index `master`, and brings it up.
pub(super) fn enslave(name: &InterfaceName, bridge: &InterfaceName, master: u32) -> NetlinkRequest {
    let message = up(message(0, vec![named(name), LinkAttribute::Controller(master)]));
    NetlinkRequest::route(
        format!("put {name} into bridge {bridge}"),
        &RouteNetlinkMessage::SetLink(message),
        0,
    )
}

/// Brings a link up.
pub(super) fn bring_up(name: &InterfaceName) -> NetlinkRequest {
    let message = up(message(0, vec![named(name)]));
    NetlinkRequest::route(format!("bring {name} up"), &RouteNetlinkMessage::SetLink(message), 0)
}

/// Brings `lo` up, without which a router cannot reach its own addresses.
pub(super) fn bring_loopback_up() -> NetlinkRequest {
    let message = up(message(0, vec![LinkAttribute::IfName("lo".to_owned())]));
    NetlinkRequest::route("bring lo up", &RouteNetlinkMessage::SetLink(message), 0)
}

/// Keeps the host from giving itself a link-local IPv6 address on a tenant's segment when the link comes up.
pub(super) fn no_ipv6_address(name: &InterfaceName) -> NetlinkRequest {
    let mode = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
    let attributes = vec![named(name), LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![mode])])];
    let message = RouteNetlinkMessage::SetLink(message(0, attributes));
    // A kernel without IPv6 needs no telling.
    NetlinkRequest::route(format!("keep IPv6 off {name}"), &message, 0)
        .tolerating(&[Errno::AFNOSUPPORT])
        .incidental()
}

/// Gives a link its hardware address.
pub(super) fn set_mac(name: &InterfaceName, mac: [u8; 6]) -> NetlinkRequest {
    let message = message(0, vec![named(name), LinkAttribute::Address(mac.to_vec())]);
    NetlinkRequest::route(
        format!("set the hardware address of {name}"),
        &RouteNetlinkMessage::SetLink(message),
        0,
    )
}

/// Sets the largest packet that a link takes.
pub(super) fn set_mtu(name: &InterfaceName, mtu: u32) -> NetlinkRequest {
    let message = message(0, vec![named(name), LinkAttribute::Mtu(mtu)]);
    NetlinkRequest::route(
        format!("set the MTU of {name} to {mtu}"),
        &RouteNetlinkMessage::SetLink(message),
        0,
    )
}

/// Tells neighbours, by gratuitous ARP, which hardware address bears the addresses of a link.
///
/// The kernel does it, for all IPv4 addresses of the link, when it is given a hardware address, even the one that
/// it has, and `arp_notify` is set. A packet socket of our own would cost more than everything else together:
/// closing one takes the kernel some 15 ms.
pub(super) fn announce(name: &InterfaceName, mac: [u8; 6]) -> NetlinkRequest {
    let message = message(0, vec![named(name), LinkAttribute::Address(mac.to_vec())]);
    let attempted = format!("announce the addresses of {name}");
    NetlinkRequest::route(attempted, &RouteNetlinkMessage::SetLink(message), 0).incidental()
}

/// Puts a link, which may have gone by itself, among those that [`delete_doomed`] deletes.
pub(super) fn doom(index: u32, name: &str) -> NetlinkRequest {
    let message = message(index, vec![LinkAttribute::Group(DOOMED_GROUP)]);
    NetlinkRequest::route(format!("mark {name} for deletion"), &RouteNetlinkMessage::SetLink(message), 0)
        .tolerating(&[Errno::NODEV])
        .incidental()
}

/// Deletes every link that was marked.
pub(super) fn delete_doomed() -> NetlinkRequest {
    let message = message(0, vec![LinkAttribute::Group(DOOMED_GROUP)]);
    NetlinkRequest::route("delete the marked interfaces", &RouteNetlinkMessage::DelLink(message), 0)
        .tolerating(&[Errno::NODEV])
        .incidental()
}

/// Deletes one link, which may have gone by itself.
pub(super) fn delete(index: u32, name: &str) -> NetlinkRequest {
    let message = message(index, Vec::new());
    NetlinkRequest::route(format!("delete {name}"), &RouteNetlinkMessage::DelLink(message), 0)
        .tolerating(&[Errno::NODEV])
}
