//! Links, addresses and the default route: observed first, then changed only where they differ from the plan.
//!
//! On the host links are asked for by name, for there may be thousands that are none of ours; inside a router's
//! namespace, where few are, they are listed. Every step leaves something that the next run recognises and
//! completes, so a run may be cut off anywhere.

mod address;
mod bridge;
mod carrier;
mod delete;
mod error;
mod inside;
mod message;
mod observed;
mod route;
mod sysctl;
mod veth;

use super::namespace::Namespace;
use super::netlink::{NetlinkError, NetlinkSocket};
use super::routing::RoutingRefusal;
use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::model::{InterfaceName, NamespaceName};
use crate::plan::LinkPlan;

pub use carrier::without_carrier;
pub use error::LinkError;

/// Makes the host's and the namespace's links match the plan, and touches nothing that matches already. The
/// namespace is that of the plan, if it has one. Returns what the kernel refused of the routes and rules beyond the
/// main table.
///
/// Safe to repeat: what an earlier run left half done, or somebody else damaged since, is completed.
///
/// # Errors
/// Before the router is touched when a segment cannot be had on this host (a NIC or bridge that is not there, a
/// name that something else bears); later only when the kernel refuses a change.
pub fn apply(
    plan: &LinkPlan,
    namespace: Option<&Namespace>,
    pass: &mut Pass,
) -> Result<Vec<RoutingRefusal>, LinkError> {
    let mut host = NetlinkSocket::route()?;
    let bridges = bridge::ensure(&mut host, plan, pass)?;
    match (&plan.namespace, namespace) {
        (Some(router), Some(namespace)) => {
            namespace.enter(|| inside::apply(&mut host, namespace, router, &bridges, pass))?
        }
        _ => Ok(Vec::new()),
    }
}

/// Deletes a router's links, then its namespace. What is absent is fine; bridges and VLAN interfaces stay.
///
/// `peers` are the host's ends of its links. They go first and all at once: the kernel would delete the links of
/// a vanished namespace some time later, in the way of a router that is set up again at once.
pub fn remove(namespace: &NamespaceName, peers: &[InterfaceName], pass: &mut Pass) -> Result<(), LinkError> {
    let mut host = NetlinkSocket::route()?;
    let outer = observed::by_name(&mut host, peers)?;
    delete::all(&mut host, outer.iter().flatten().filter(|link| link.is_veth()), pass)?;
    if let Some(open) = Namespace::open(namespace)? {
        // Ends whose other end bears a name that nobody expects.
        let mut inner = open.enter(NetlinkSocket::route)??;
        let left = observed::all(&mut inner)?;
        delete::all(&mut inner, left.iter().filter(|link| link.is_ours()), pass)?;
        pass.differs(RouterPart::Namespace, DifferenceKind::Remove, format!("delete namespace {namespace}"));
    }
    if pass.acts() {
        Namespace::delete(namespace)?;
    }
    Ok(())
}

/// The numbers of interfaces of the socket's namespace; `None` for one that is absent.
pub(super) fn indexes(
    socket: &mut NetlinkSocket,
    names: &[InterfaceName],
) -> Result<Vec<Option<u32>>, NetlinkError> {
    let found = observed::by_name(socket, names)?;
    Ok(found.into_iter().map(|link| link.map(|link| link.index)).collect())
}
