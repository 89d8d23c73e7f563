//! Routes and rules beyond the main table.

use super::ways_out::ways_out;
use crate::model::{PlacedRule, Router};
use crate::plan::{RoutingPlan, TableRoute, TableRule};

/// The operators' tables and rules, and those of our own for a router with several ways out.
pub fn routing(router: &Router) -> RoutingPlan {
    let mut plan = RoutingPlan::default();
    for (id, table) in router.policy_routing.tables() {
        let id = u32::from(id);
        plan.routes.extend(table.routes.iter().map(|route| TableRoute { table: id, route: route.clone() }));
        let rule = |placed: &PlacedRule| TableRule {
            priority: placed.priority,
            rule: placed.rule.clone(),
            table: id,
        };
        plan.rules.extend(table.rules.iter().map(rule));
    }
    for way in ways_out(router) {
        plan.routes.extend(way.routes());
        plan.rules.extend(way.rules());
    }
    plan
}
