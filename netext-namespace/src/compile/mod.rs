//! From the desired state of a router to plans for the kernel and for daemons, by pure functions.

mod flows;
mod links;
mod packets;
pub mod services;

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::model::{BalancerInForce, Router};
use crate::plan::{FlowMatch, LinkPlan, RoutingPlan};
use links::WayOut;
pub use packets::{ElementSet, INCOMING, OUTGOING, RuleChain, Ruleset, RulesetChange};
pub use services::guests;

/// A router with what it compiles to. Each part is compiled once, when it is first needed.
#[derive(Debug)]
pub struct CompiledRouter<'r> {
    router: &'r Router,
    balancers: OnceCell<Vec<BalancerInForce<'r>>>,
    ways_out: OnceCell<Vec<WayOut>>,
    links: OnceCell<LinkPlan>,
    packets: OnceCell<Ruleset>,
}

impl<'r> CompiledRouter<'r> {
    /// A router of which nothing is compiled yet.
    pub fn new(router: &'r Router) -> Self {
        Self {
            router,
            balancers: OnceCell::new(),
            ways_out: OnceCell::new(),
            links: OnceCell::new(),
            packets: OnceCell::new(),
        }
    }

    /// The router.
    pub fn router(&self) -> &'r Router {
        self.router
    }

    /// Its links, for the tiers that are in force.
    pub fn links(&self) -> &LinkPlan {
        self.links.get_or_init(|| links::links(self.router, self.ways_out()))
    }

    /// Its links, which outlive the rest.
    pub fn into_links(self) -> LinkPlan {
        self.links();
        self.links.into_inner().unwrap_or_default()
    }

    /// Its routes and rules beyond the main table.
    pub fn routing(&self) -> Cow<'_, RoutingPlan> {
        match &self.links().namespace {
            Some(namespace) => Cow::Borrowed(&namespace.routing),
            None => Cow::Owned(links::routing(self.router, self.ways_out())),
        }
    }

    /// Its packet rules, for the tiers that are in force.
    pub fn packets(&self) -> &Ruleset {
        self.packets.get_or_init(|| packets::packets(self.router, self.balancers(), self.ways_out()))
    }

    /// Its load balancer rules in force.
    pub fn balancers(&self) -> &[BalancerInForce<'r>] {
        self.balancers.get_or_init(|| self.router.balancers_in_force())
    }

    /// The tracked connections that must end when it becomes another router.
    pub fn flows_to_cut(&self, next: &CompiledRouter<'_>) -> Vec<FlowMatch> {
        flows::flows_to_cut(self, next)
    }

    fn ways_out(&self) -> &[WayOut] {
        self.ways_out.get_or_init(|| links::ways_out(self.router))
    }
}
