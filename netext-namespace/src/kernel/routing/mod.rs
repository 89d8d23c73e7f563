//! Routes and rules beyond the main table: compared with what is there, and changed where they differ.
//!
//! Ours are known by their protocol number; what people, scripts and routing daemons put beside them is not
//! looked at. A route is worth nothing without what it leads through, and that is not ours to keep: one that the
//! kernel refuses holds up nothing else. It is told, and tried again the next time.

mod route;
mod rule;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};

use self::route::KernelRoute;
use self::rule::KernelRule;
use super::links;
use super::netlink::{NetlinkError, NetlinkSocket};
use crate::drift::{Pass, RouterPart};
use crate::model::{InterfaceName, RouteAction};
use crate::plan::{RoutingPlan, TableRoute, TableRule};

/// Not over something of the same key that is not ours.
const CREATE: u16 = NLM_F_CREATE | NLM_F_EXCL;

/// A route or a rule that the kernel did not take.
#[derive(Debug)]
pub enum RoutingRefusal {
    /// A route, and why.
    Route(TableRoute, NetlinkError),
    /// A rule, and why.
    Rule(TableRule, NetlinkError),
}

impl RoutingRefusal {
    /// The number of its table.
    pub fn table(&self) -> u32 {
        match self {
            Self::Route(TableRoute { table, .. }, _) | Self::Rule(TableRule { table, .. }, _) => *table,
        }
    }

    /// Whether a plan has it.
    pub fn is_of(&self, plan: &RoutingPlan) -> bool {
        match self {
            Self::Route(route, _) => plan.routes.contains(route),
            Self::Rule(rule, _) => plan.rules.contains(rule),
        }
    }
}

impl fmt::Display for RoutingRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(_, error) | Self::Rule(_, error) => error.fmt(formatter),
        }
    }
}

impl From<RoutingRefusal> for NetlinkError {
    fn from(refused: RoutingRefusal) -> Self {
        match refused {
            RoutingRefusal::Route(_, error) | RoutingRefusal::Rule(_, error) => error,
        }
    }
}

/// The numbers of the interfaces that routes name, as far as they are there.
type InterfaceIndexes = BTreeMap<InterfaceName, u32>;

/// Makes our routes and rules match, and returns those that the kernel refused.
///
/// What goes, goes from the rules on, and what comes, comes from the routes on: no rule leads to a table that is
/// only half there.
pub(super) fn ensure(
    socket: &mut NetlinkSocket,
    plan: &RoutingPlan,
    pass: &mut Pass,
) -> Result<Vec<RoutingRefusal>, NetlinkError> {
    let (routes, rules) = (route::list(socket)?, rule::list(socket)?);
    if plan.routes.is_empty() && plan.rules.is_empty() && routes.is_empty() && rules.is_empty() {
        return Ok(Vec::new());
    }
    let indexes = indexes(socket, plan)?;

    let is_stale = |rule: &&KernelRule| !plan.rules.iter().any(|planned| rule.is(planned));
    let mut stale: Vec<_> = rules.iter().filter(is_stale).map(KernelRule::remove).collect();
    let is_stale = |route: &&KernelRoute| !plan.routes.iter().any(|planned| route.is(planned, &indexes));
    stale.extend(routes.iter().filter(is_stale).map(KernelRoute::remove));
    socket.carry_out(&stale, RouterPart::Route, pass)?;

    let mut refused = Vec::new();
    let is_missing = |planned: &&TableRoute| !routes.iter().any(|present| present.is(planned, &indexes));
    let mut missing: Vec<_> = plan.routes.iter().filter(is_missing).collect();
    // A gateway may be a neighbour by another route.
    missing.sort_by_key(
        |planned| matches!(&planned.route.way, RouteAction::Unicast(hop) if hop.gateway.is_some()),
    );
    for planned in missing {
        let added = socket.carry_out(&[route::add(planned, &indexes)], RouterPart::Route, pass);
        refused.extend(added.err().map(|error| RoutingRefusal::Route(planned.clone(), error)));
    }
    for planned in plan.rules.iter().filter(|planned| !rules.iter().any(|present| present.is(planned))) {
        let added = socket.carry_out(&[rule::add(planned)], RouterPart::Route, pass);
        refused.extend(added.err().map(|error| RoutingRefusal::Rule(planned.clone(), error)));
    }
    Ok(refused)
}

fn indexes(socket: &mut NetlinkSocket, plan: &RoutingPlan) -> Result<InterfaceIndexes, NetlinkError> {
    let devices = plan.routes.iter().filter_map(|planned| match &planned.route.way {
        RouteAction::Unicast(hop) => hop.device.clone(),
        _ => None,
    });
    let names: Vec<_> = devices.collect::<BTreeSet<_>>().into_iter().collect();
    let found = links::indexes(socket, &names)?;
    Ok(names.into_iter().zip(found).filter_map(|(name, index)| Some((name, index?))).collect())
}
