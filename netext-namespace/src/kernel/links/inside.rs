//! What is done on a thread inside the router's namespace.

use super::bridge::Segments;
use super::error::LinkError;
use super::{LinksApplied, address, route, sysctl, veth};
use crate::kernel::namespace::Namespace;
use crate::kernel::netlink::Socket;
use crate::plan::NamespacePlan;

/// Makes the router's interfaces match; `host` is a socket in the host's namespace.
pub(super) fn apply(
    host: &mut Socket,
    namespace: &Namespace,
    plan: &NamespacePlan,
    segments: &Segments,
) -> Result<LinksApplied, LinkError> {
    // Before any interface is made: new ones take what is set as default.
    sysctl::settle_router(plan.forwarding)?;
    let mut router = Socket::route()?;
    let interfaces = veth::ensure(host, &mut router, namespace, plan, segments)?;
    for interface in &interfaces {
        sysctl::settle_interface(&interface.plan.name)?;
    }
    address::ensure(&mut router, &interfaces)?;
    // After the addresses: the last address of an interface takes its routes along.
    route::ensure(&mut router, plan.default_route.as_ref(), &interfaces)?;
    Ok(LinksApplied {
        namespace_created: false,
        interfaces_created: interfaces.iter().filter(|i| i.fresh).map(|i| i.plan.name.clone()).collect(),
    })
}
