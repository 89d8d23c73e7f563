//! Links, addresses and the default route: observed first, then changed only where they differ from the plan.
//!
//! On the host links are asked for by name, for there may be thousands that are none of ours; inside a router's
//! namespace, where few are, they are listed. Every step leaves something that the next run recognises and
//! completes, so a run may be cut off anywhere.

mod address;
mod bridge;
mod delete;
mod error;
mod inside;
mod message;
mod observed;
mod route;
mod sysctl;
mod veth;

use std::collections::BTreeSet;

use super::namespace::Namespace;
use super::netlink::Socket;
use crate::plan::{InterfaceName, LinkPlan, NamespaceName};

pub use error::LinkError;

/// What was newly made.
#[derive(Debug, Default)]
pub struct LinksApplied {
    /// The namespace was not there before: nothing that was in force in it, packet filter included, is.
    pub namespace_created: bool,
    /// Interfaces in the namespace that were made anew: daemons that listened on one must be started again.
    pub interfaces_created: BTreeSet<InterfaceName>,
}

/// Makes the host's and the namespace's links match the plan, and touches nothing that matches already.
///
/// Safe to repeat: what an earlier run left half done, or somebody else damaged since, is completed.
///
/// # Errors
/// Before the router is touched when a segment cannot be had on this host (a NIC or bridge that is not there, a
/// name that something else bears); later only when the kernel refuses a change.
pub fn apply(plan: &LinkPlan) -> Result<LinksApplied, LinkError> {
    let mut host = Socket::route()?;
    let bridges = bridge::ensure(&mut host, plan)?;
    let Some(router) = &plan.namespace else { return Ok(LinksApplied::default()) };

    let (namespace, namespace_created) = match Namespace::open(&router.name)? {
        Some(namespace) => (namespace, false),
        None => (Namespace::create(&router.name)?, true),
    };
    let mut applied = namespace.enter(|| inside::apply(&mut host, &namespace, router, &bridges))??;
    applied.namespace_created = namespace_created;
    Ok(applied)
}

/// Deletes a router's links, then its namespace. What is absent is fine; bridges and VLAN interfaces stay.
///
/// `peers` are the host's ends of its links. They go first and all at once: the kernel would delete the links of
/// a vanished namespace some time later, in the way of a router that is set up again at once.
pub fn remove(namespace: &NamespaceName, peers: &[InterfaceName]) -> Result<(), LinkError> {
    let mut host = Socket::route()?;
    let outer = observed::by_name(&mut host, peers)?;
    delete::all(&mut host, outer.iter().flatten().filter(|link| link.is_veth()))?;
    if let Some(open) = Namespace::open(namespace)? {
        // Ends whose other end bears a name that nobody expects.
        let mut inner = open.enter(Socket::route)??;
        let left = observed::all(&mut inner)?;
        delete::all(&mut inner, left.iter().filter(|link| link.is_ours()))?;
    }
    Namespace::delete(namespace)?;
    Ok(())
}
