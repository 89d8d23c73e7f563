//! The veth pairs between the router's namespace and the bridges.

use std::thread;
use std::time::Duration;

use super::bridge::{NOT_YET, Segments};
use super::error::LinkError;
use super::observed::{self, Link};
use super::{delete, message};
use crate::drift::{Pass, RouterPart};
use crate::kernel::namespace::Namespace;
use crate::kernel::netlink::NetlinkSocket;
use crate::model::InterfaceName;
use crate::plan::{InterfacePlan, NamespacePlan};

/// Pauses double from a tenth of a millisecond up to this, about 0.2 s in all.
const LONGEST_PAUSE: Duration = Duration::from_millis(120);

/// An interface of the router that is in place.
#[derive(Debug)]
pub(super) struct Interface<'p> {
    pub(super) plan: &'p InterfacePlan,
    /// Its index in the namespace.
    pub(super) index: u32,
    /// It was made just now.
    pub(super) fresh: bool,
    /// Neighbours do not know its hardware address yet: it is fresh, or was given another one.
    pub(super) unknown_mac: bool,
}

/// Makes sure of every planned pair and deletes those that are ours and not planned.
pub(super) fn ensure<'p>(
    host: &mut NetlinkSocket,
    router: &mut NetlinkSocket,
    namespace: &Namespace,
    plan: &'p NamespacePlan,
    segments: &Segments,
    pass: &mut Pass,
) -> Result<Vec<Interface<'p>>, LinkError> {
    let mut inner_links = observed::all(router)?;
    let peers: Vec<_> = plan.interfaces.iter().map(|interface| interface.peer.clone()).collect();
    let outer_links = observed::by_name(host, &peers)?;
    let namespace_id = observed::namespace_id(host, namespace)?;

    let mut kept = Vec::new();
    let mut missing = Vec::new();
    let mut doomed_inner: Vec<_> = inner_links
        .iter()
        .filter(|link| {
            link.is_ours() && plan.interfaces.iter().all(|planned| planned.name.as_ref() != link.name)
        })
        .collect();
    let mut doomed_outer = Vec::new();
    for (interface, outer) in plan.interfaces.iter().zip(&outer_links) {
        let inner = inner_links.iter().find(|link| link.name == interface.name.as_ref());
        let inner = inner.map(|link| veth(link, &interface.name)).transpose()?;
        let outer = outer.as_ref().map(|link| veth(link, &interface.peer)).transpose()?;
        match (inner, outer) {
            (Some(inner), Some(outer)) if are_one_pair(inner, outer, namespace_id) => {
                kept.push((interface, inner, outer));
            }
            _ => {
                // Ends that have lost each other, if any: the pair is made anew.
                doomed_inner.extend(inner);
                doomed_outer.extend(outer);
                missing.push(interface);
            }
        }
    }

    let (mut create, mut inside, mut attach) = (Vec::new(), Vec::new(), Vec::new());
    if inner_links.iter().any(|link| link.name == "lo" && !link.up) {
        inside.push(message::bring_loopback_up());
    }
    for (interface, inner, outer) in &kept {
        if inner.mac != interface.mac {
            inside.push(message::set_mac(&interface.name, interface.mac));
        }
        if !inner.up {
            inside.push(message::bring_up(&interface.name));
        }
        let segment = &segments[&interface.bridge];
        if let Some(mtu) = segment.uplink_mtu {
            inside.extend((inner.mtu != mtu).then(|| message::set_mtu(&interface.name, mtu)));
            attach.extend((outer.mtu != mtu).then(|| message::set_mtu(&interface.peer, mtu)));
        }
        if outer.master != Some(segment.index) {
            attach.push(message::enslave(&interface.peer, &segment.name, segment.index));
        } else if !outer.up {
            attach.push(message::bring_up(&interface.peer));
        }
    }
    for interface in &missing {
        let segment = &segments[&interface.bridge];
        create.push(message::create_veth(interface, segment.mtu(), namespace));
        create.push(message::no_ipv6_address(&interface.peer));
        inside.push(message::bring_up(&interface.name));
        attach.push(message::bring_up(&interface.peer));
        attach.push(message::enslave(&interface.peer, &segment.name, segment.index));
    }
    let changed_mac: Vec<_> =
        kept.iter().filter(|(i, inner, _)| inner.mac != i.mac).map(|(i, ..)| *i).collect();

    delete::all(router, doomed_inner.into_iter(), pass)?;
    delete::all(host, doomed_outer.into_iter(), pass)?;
    host.carry_out(&create, RouterPart::Link, pass)?;
    router.carry_out(&inside, RouterPart::Link, pass)?;
    host.carry_out(&attach, RouterPart::Link, pass)?;
    if pass.acts() {
        wait_until_operational(host, missing.iter().map(|interface| &interface.peer))?;
        wait_until_operational(router, missing.iter().map(|interface| &interface.name))?;
    }

    let is_one_of =
        |list: &[&InterfacePlan], interface: &InterfacePlan| list.iter().any(|i| i.name == interface.name);
    if !missing.is_empty() {
        inner_links = observed::all(router)?;
    }
    let interfaces = plan.interfaces.iter().map(|interface| {
        let link = inner_links.iter().find(|link| link.name == interface.name.as_ref());
        let fresh = is_one_of(&missing, interface);
        let index = match link {
            _ if fresh && !pass.acts() => NOT_YET,
            Some(link) => link.index,
            None => return Err(LinkError::NoInterface { interface: interface.name.clone() }),
        };
        let unknown_mac = fresh || is_one_of(&changed_mac, interface);
        Ok(Interface { plan: interface, index, fresh, unknown_mac })
    });
    interfaces.collect()
}

/// Waits, as a rule not at all, until packets pass through new links.
///
/// The kernel notices a carrier in the background: only then does a link send, and a bridge forward to a port.
/// What is sent before, the announcement of addresses above all, is lost. A link that takes longer than it should
/// is no reason to fail.
fn wait_until_operational<'n>(
    socket: &mut NetlinkSocket,
    names: impl Iterator<Item = &'n InterfaceName>,
) -> Result<(), LinkError> {
    let names: Vec<_> = names.cloned().collect();
    let mut pause = Duration::from_micros(100);
    while pause < LONGEST_PAUSE
        && !observed::by_name(socket, &names)?.iter().flatten().all(|link| link.operational)
    {
        thread::sleep(pause);
        pause *= 2;
    }
    Ok(())
}

fn veth<'l>(link: &'l Link, name: &InterfaceName) -> Result<&'l Link, LinkError> {
    if link.is_veth() {
        return Ok(link);
    }
    Err(LinkError::NotAVeth { name: name.clone(), kind: link.kind_words() })
}

/// Each end names the other, and the host's end says that the other is in this namespace: indexes alone may
/// agree by chance.
fn are_one_pair(inner: &Link, outer: &Link, namespace_id: Option<u32>) -> bool {
    inner.other_end == Some(outer.index)
        && outer.other_end == Some(inner.index)
        && namespace_id.is_some()
        && outer.other_namespace == namespace_id
}
