//! The router's interfaces: veth pairs between its namespace and the bridges, with their addresses.

use std::thread;
use std::time::Duration;

use ipnet::IpNet;

use super::bridge::SegmentBridges;
use super::error::LinkError;
use super::link::{self, KernelAddress, KernelLink, NOT_YET, delete_links};
use crate::drift::{Pass, RouterPart};
use crate::kernel::namespace::Namespace;
use crate::kernel::netlink::{NetlinkError, NetlinkRequest, NetlinkSocket};
use crate::model::InterfaceName;
use crate::plan::{InterfacePlan, NamespacePlan};

/// Pauses double from a tenth of a millisecond up to this, about 0.2 s in all.
const LONGEST_PAUSE: Duration = Duration::from_millis(120);

/// An interface of the router that is in place.
#[derive(Debug)]
pub(super) struct RouterInterface<'p> {
    pub(super) plan: &'p InterfacePlan,
    /// Its index in the namespace.
    pub(super) index: u32,
    /// It was created in this pass.
    pub(super) is_new: bool,
    /// Neighbours do not know its hardware address yet: it is new, or got another one.
    unknown_mac: bool,
}

/// The planned veth pairs, compared with the links that exist.
struct VethPairs<'p, 'l> {
    /// Pairs that exist: the plan, the router's end and the host's end.
    kept: Vec<(&'p InterfacePlan, &'l KernelLink, &'l KernelLink)>,
    missing: Vec<&'p InterfacePlan>,
    /// The router's ends of our pairs that are not planned, and ends that have lost their other end.
    stray_inner: Vec<&'l KernelLink>,
    /// The same on the host.
    stray_outer: Vec<&'l KernelLink>,
}

/// The changes that make veth pairs match their plan, in this order.
#[derive(Default)]
struct VethChanges {
    create: Vec<NetlinkRequest>,
    inside: Vec<NetlinkRequest>,
    attach: Vec<NetlinkRequest>,
}

/// Creates and repairs the planned pairs, and deletes those of ours that are not planned.
pub(super) fn ensure<'p>(
    host: &mut NetlinkSocket,
    router: &mut NetlinkSocket,
    namespace: &Namespace,
    plan: &'p NamespacePlan,
    bridges: &SegmentBridges,
    pass: &mut Pass,
) -> Result<Vec<RouterInterface<'p>>, LinkError> {
    let inner = link::all(router)?;
    let peers: Vec<_> = plan.interfaces.iter().map(|interface| interface.peer.clone()).collect();
    let outer = link::by_name(host, &peers)?;
    let pairs = VethPairs::compare(plan, &inner, &outer, link::namespace_id(host, namespace)?)?;

    delete_links(router, pairs.stray_inner.iter().copied(), pass)?;
    delete_links(host, pairs.stray_outer.iter().copied(), pass)?;
    let mut changes = VethChanges::default();
    if inner.iter().any(|link| link.name == "lo" && !link.up) {
        changes.inside.push(link::bring_loopback_up());
    }
    pairs.kept.iter().for_each(|(interface, inner, outer)| changes.repair(interface, inner, outer, bridges));
    pairs.missing.iter().for_each(|interface| changes.create(interface, namespace, bridges));
    host.carry_out(&changes.create, RouterPart::Link, pass)?;
    router.carry_out(&changes.inside, RouterPart::Link, pass)?;
    host.carry_out(&changes.attach, RouterPart::Link, pass)?;
    if pass.acts() {
        wait_until_operational(host, pairs.missing.iter().map(|interface| &interface.peer))?;
        wait_until_operational(router, pairs.missing.iter().map(|interface| &interface.name))?;
    }
    pairs.interfaces(router, plan, pass)
}

impl<'p, 'l> VethPairs<'p, 'l> {
    fn compare(
        plan: &'p NamespacePlan,
        inner: &'l [KernelLink],
        outer: &'l [Option<KernelLink>],
        namespace_id: Option<u32>,
    ) -> Result<Self, LinkError> {
        let is_planned = |link: &KernelLink| plan.interfaces.iter().any(|it| it.name.as_ref() == link.name);
        let stray_inner = inner.iter().filter(|link| link.is_ours() && !is_planned(link)).collect();
        let mut pairs = Self { kept: Vec::new(), missing: Vec::new(), stray_inner, stray_outer: Vec::new() };
        for (interface, outer) in plan.interfaces.iter().zip(outer) {
            let inner = inner.iter().find(|link| link.name == interface.name.as_ref());
            let inner = inner.map(|link| veth(link, &interface.name)).transpose()?;
            let outer = outer.as_ref().map(|link| veth(link, &interface.peer)).transpose()?;
            match (inner, outer) {
                (Some(inner), Some(outer)) if are_one_pair(inner, outer, namespace_id) => {
                    pairs.kept.push((interface, inner, outer));
                }
                _ => {
                    pairs.stray_inner.extend(inner);
                    pairs.stray_outer.extend(outer);
                    pairs.missing.push(interface);
                }
            }
        }
        Ok(pairs)
    }

    /// The interfaces after the changes.
    fn interfaces(
        self,
        router: &mut NetlinkSocket,
        plan: &'p NamespacePlan,
        pass: &Pass,
    ) -> Result<Vec<RouterInterface<'p>>, LinkError> {
        let created = if self.missing.is_empty() || !pass.acts() { Vec::new() } else { link::all(router)? };
        let interface = |planned: &'p InterfacePlan| {
            if let Some((_, inner, _)) = self.kept.iter().find(|(it, ..)| it.name == planned.name) {
                let unknown_mac = inner.mac != planned.mac;
                return Ok(RouterInterface { plan: planned, index: inner.index, is_new: false, unknown_mac });
            }
            let index = match created.iter().find(|link| link.name == planned.name.as_ref()) {
                _ if !pass.acts() => NOT_YET,
                Some(link) => link.index,
                None => return Err(LinkError::NoInterface { interface: planned.name.clone() }),
            };
            Ok(RouterInterface { plan: planned, index, is_new: true, unknown_mac: true })
        };
        plan.interfaces.iter().map(interface).collect()
    }
}

impl VethChanges {
    fn repair(
        &mut self,
        interface: &InterfacePlan,
        inner: &KernelLink,
        outer: &KernelLink,
        bridges: &SegmentBridges,
    ) {
        if inner.mac != interface.mac {
            self.inside.push(link::set_mac(&interface.name, interface.mac));
        }
        if !inner.up {
            self.inside.push(link::bring_up(&interface.name));
        }
        let bridge = &bridges[&interface.bridge];
        if let Some(mtu) = bridge.uplink_mtu {
            self.inside.extend((inner.mtu != mtu).then(|| link::set_mtu(&interface.name, mtu)));
            self.attach.extend((outer.mtu != mtu).then(|| link::set_mtu(&interface.peer, mtu)));
        }
        if outer.master != Some(bridge.index) {
            self.attach.push(link::enslave(&interface.peer, &bridge.name, bridge.index));
        } else if !outer.up {
            self.attach.push(link::bring_up(&interface.peer));
        }
    }

    fn create(&mut self, interface: &InterfacePlan, namespace: &Namespace, bridges: &SegmentBridges) {
        let bridge = &bridges[&interface.bridge];
        self.create.push(link::create_veth(interface, bridge.mtu(), namespace));
        self.create.push(link::no_ipv6_address(&interface.peer));
        self.inside.push(link::bring_up(&interface.name));
        self.attach.push(link::bring_up(&interface.peer));
        self.attach.push(link::enslave(&interface.peer, &bridge.name, bridge.index));
    }
}

/// Waits until packets pass through new links, which is usually at once.
///
/// The kernel notices a carrier in the background: only then does a link send, and a bridge forward to a port. Packets
/// that are sent before are lost, above all the announcement of addresses. A link that takes longer is no error.
fn wait_until_operational<'n>(
    socket: &mut NetlinkSocket,
    names: impl Iterator<Item = &'n InterfaceName>,
) -> Result<(), LinkError> {
    let names: Vec<_> = names.cloned().collect();
    let mut pause = Duration::from_micros(100);
    while pause < LONGEST_PAUSE
        && !link::by_name(socket, &names)?.iter().flatten().all(|link| link.operational)
    {
        thread::sleep(pause);
        pause *= 2;
    }
    Ok(())
}

fn veth<'l>(link: &'l KernelLink, name: &InterfaceName) -> Result<&'l KernelLink, LinkError> {
    if link.is_veth() {
        return Ok(link);
    }
    Err(LinkError::NotAVeth { name: name.clone(), kind: link.kind_words() })
}

/// Each end names the other, and the host's end says that the other is in this namespace: indexes alone may
/// agree by chance.
fn are_one_pair(inner: &KernelLink, outer: &KernelLink, namespace_id: Option<u32>) -> bool {
    inner.other_end == Some(outer.index)
        && outer.other_end == Some(inner.index)
        && namespace_id.is_some()
        && outer.other_namespace == namespace_id
}

/// Makes the addresses of the interfaces match the plan. Link-local ones belong to the kernel.
///
/// Announces IPv4 addresses whose owner neighbours cannot know yet, where the plan asks for it.
pub(super) fn ensure_addresses(
    router: &mut NetlinkSocket,
    interfaces: &[RouterInterface<'_>],
    pass: &mut Pass,
) -> Result<(), NetlinkError> {
    let present = link::addresses(router, 0, "list the router's addresses")?;
    let (mut before, mut added, mut after, mut announced) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for interface in interfaces {
        let (name, index, planned) = (&interface.plan.name, interface.index, &interface.plan.addresses);
        for address in present.iter().filter(|address| address.index == index) {
            let remove = || link::remove_address(name, index, address.net, address.peer);
            match address.net {
                _ if planned.iter().any(|wanted| interface.has(address, wanted)) => {}
                _ if address.is_link_local() && !planned.contains(&address.net) => {}
                // The kernel knows an IPv6 address only once: with another prefix it must go first.
                IpNet::V6(_) => before.push(remove()),
                IpNet::V4(_) => after.push(remove()),
            }
        }
        let is_missing = |wanted: &&IpNet| !present.iter().any(|address| interface.has(address, wanted));
        let add = |wanted: &IpNet| link::add_address(name, index, *wanted);
        added.extend(planned.iter().filter(is_missing).map(add));
        let is_unknown =
            |wanted: &IpNet| wanted.addr().is_ipv4() && (interface.unknown_mac || is_missing(&wanted));
        if interface.plan.announce && planned.iter().any(is_unknown) {
            announced.push(link::announce(name, interface.plan.mac));
        }
    }
    router.carry_out(&[before, added, after, announced].concat(), RouterPart::Address, pass)
}

impl RouterInterface<'_> {
    /// Whether an address serves as a planned one of this interface.
    fn has(&self, address: &KernelAddress, planned: &IpNet) -> bool {
        address.index == self.index
            && address.net == *planned
            && address.peer == planned.addr()
            && !address.doubted
    }
}
