//! Links, addresses and routes: observed first, then changed only where they differ from the plan.
//!
//! A host may have thousands of links that are not ours, so links on the host are looked up by name; in the namespace
//! of a router there are few, so they are listed. Every step leaves something that the next run recognises and
//! completes, so a run may be cut off anywhere.

mod bridge;
mod error;
mod interfaces;
mod link;
mod sysctl;

use super::namespace::Namespace;
use super::netlink::NetlinkSocket;
use super::routing::{self, RoutingRefusal};
use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::model::{InterfaceName, NamespaceName};
use crate::plan::{LinkPlan, NamespacePlan};

use bridge::SegmentBridges;
pub use bridge::without_carrier;
pub use error::LinkError;
use link::delete_links;
#[cfg(any(fuzzing, test))]
pub(super) use link::{KernelAddress, KernelLink};

/// Makes the links of the host and of the namespace match the plan, and touches nothing that matches already. The
/// namespace is that of the plan, if it has one. Returns the routes and rules beyond the main table that the kernel
/// refused.
///
/// Safe to repeat: completes what an earlier run left half done, and repairs what was damaged since.
///
/// # Errors
/// Before the router is touched if this host cannot have a segment (a NIC or bridge that does not exist, a name that
/// something else has); later only if the kernel refuses a change.
pub fn apply(
    plan: &LinkPlan,
    namespace: Option<&Namespace>,
    pass: &mut Pass,
) -> Result<Vec<RoutingRefusal>, LinkError> {
    let mut host = NetlinkSocket::route()?;
    let bridges = bridge::ensure(&mut host, plan, pass)?;
    match (&plan.namespace, namespace) {
        (Some(router), Some(namespace)) => {
            namespace.enter(|| apply_inside(&mut host, namespace, router, &bridges, pass))?
        }
        _ => Ok(Vec::new()),
    }
}

/// The part of it that runs on a thread inside the router's namespace; `host` is a socket in the host's.
fn apply_inside(
    host: &mut NetlinkSocket,
    namespace: &Namespace,
    plan: &NamespacePlan,
    bridges: &SegmentBridges,
    pass: &mut Pass,
) -> Result<Vec<RoutingRefusal>, LinkError> {
    // Before any interface is created: new ones take the defaults that are set here.
    sysctl::settle_router(plan.forwarding, namespace.is_new(), pass)?;
    let mut router = NetlinkSocket::route()?;
    let interfaces = interfaces::ensure(host, &mut router, namespace, plan, bridges, pass)?;
    for interface in &interfaces {
        sysctl::settle_interface(&interface.plan.name, interface.is_new, pass)?;
    }
    interfaces::ensure_addresses(&mut router, &interfaces, pass)?;
    // After the addresses: the last address of an interface takes its routes along.
    let default = plan.default_route.as_ref().map(|route| {
        let through = interfaces.iter().find(|interface| interface.plan.name == route.interface);
        let through = through.ok_or_else(|| LinkError::NoInterface { interface: route.interface.clone() })?;
        Ok::<_, LinkError>((route, through.index))
    });
    routing::ensure_default(&mut router, default.transpose()?, pass)?;
    let indexes = link::indexes(&mut router, routing::devices(&plan.routing))?;
    Ok(routing::ensure(&mut router, &plan.routing, &indexes, pass)?)
}

/// Deletes a router's links, then its namespace, as far as they exist. Bridges and VLAN interfaces stay. A step that
/// fails does not keep the next ones from being done; returns why some failed.
///
/// `peers` are the host's ends of its links. They go first and all at once: the kernel would delete the links of
/// a vanished namespace some time later, in the way of a router that is set up again at once.
#[must_use = "these are the steps that failed"]
pub fn remove(namespace: &NamespaceName, peers: &[InterfaceName], pass: &mut Pass) -> Vec<LinkError> {
    let mut failures = Vec::new();
    failures.extend(remove_outer_ends(peers, pass).err());
    failures.extend(remove_inner_ends(namespace, pass).err());
    if pass.acts() {
        failures.extend(Namespace::delete(namespace).err().map(LinkError::from));
    }
    failures
}

fn remove_outer_ends(peers: &[InterfaceName], pass: &mut Pass) -> Result<(), LinkError> {
    let mut host = NetlinkSocket::route()?;
    let outer = link::by_name(&mut host, peers)?;
    Ok(delete_links(&mut host, outer.iter().flatten().filter(|link| link.is_veth()), pass)?)
}

/// Deletes links whose other end has an unexpected name.
fn remove_inner_ends(namespace: &NamespaceName, pass: &mut Pass) -> Result<(), LinkError> {
    let Some(open) = Namespace::open(namespace)? else { return Ok(()) };
    let mut inner = open.enter(NetlinkSocket::route)??;
    let left = link::all(&mut inner)?;
    delete_links(&mut inner, left.iter().filter(|link| link.is_ours()), pass)?;
    pass.differs(RouterPart::Namespace, DifferenceKind::Remove, format!("delete namespace {namespace}"));
    Ok(())
}
