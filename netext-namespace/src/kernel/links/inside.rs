//! What is done on a thread inside the router's namespace.

use super::bridge::Segments;
use super::error::LinkError;
use super::{address, route, sysctl, veth};
use crate::drift::Pass;
use crate::kernel::namespace::Namespace;
use crate::kernel::netlink::NetlinkSocket;
use crate::kernel::routing::{self, RoutingRefusal};
use crate::plan::NamespacePlan;

/// Makes the router's interfaces match; `host` is a socket in the host's namespace.
pub(super) fn apply(
    host: &mut NetlinkSocket,
    namespace: &Namespace,
    plan: &NamespacePlan,
    segments: &Segments,
    pass: &mut Pass,
) -> Result<Vec<RoutingRefusal>, LinkError> {
    // Before any interface is made: new ones take what is set as default.
    sysctl::settle_router(plan.forwarding, namespace.is_new(), pass)?;
    let mut router = NetlinkSocket::route()?;
    let interfaces = veth::ensure(host, &mut router, namespace, plan, segments, pass)?;
    for interface in &interfaces {
        sysctl::settle_interface(&interface.plan.name, interface.fresh, pass)?;
    }
    address::ensure(&mut router, &interfaces, pass)?;
    // After the addresses: the last address of an interface takes its routes along.
    route::ensure(&mut router, plan.default_route.as_ref(), &interfaces, pass)?;
    Ok(routing::ensure(&mut router, &plan.routing, pass)?)
}
