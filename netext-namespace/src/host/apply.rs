//! Makes the kernel match a router.

use std::time::Instant;

use super::errors::ApplyError;
use super::{operator_files, services};
use crate::compile::{Ruleset, RulesetChange, flows_to_cut, links, packets, routing};
use crate::daemons::PendingReloads;
use crate::drift::{self, Pass, RouterPart};
use crate::kernel::conntrack;
use crate::kernel::links::{self, LinkError};
use crate::kernel::listing;
use crate::kernel::namespace::Namespace;
use crate::kernel::nft::{self, NftError};
use crate::kernel::nftables;
use crate::kernel::routing::RoutingRefusal;
use crate::model::{FIRST_OWN_TABLE, Router};
use crate::store::{RouterState, Store};

/// A router after a pass.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// The generation that the packet rules have now.
    pub(super) ruleset_generation: Option<u32>,
    pending_reloads: Option<(Namespace, PendingReloads)>,
}

impl Applied {
    /// Tells daemons that have new files to read them: the last thing that is done.
    pub(super) fn reload_daemons(self, deadline: Instant) -> Result<(), ApplyError> {
        self.pending_reloads
            .map_or(Ok(()), |(namespace, pending_reloads)| Ok(pending_reloads.reload(&namespace, deadline)?))
    }
}

/// Makes the kernel match `wanted`, given what it was made to match before. A pass that only rehearses leaves
/// both as they are.
///
/// Packet rules come before links: a new address is guarded before it answers, and one that goes has lost its
/// translations before it is gone.
pub(super) fn apply(
    store: &Store,
    before: &RouterState,
    wanted: &Router,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<Applied, ApplyError> {
    in_time(deadline)?;
    let plan = links(wanted);
    let Some(namespace_plan) = &plan.namespace else {
        take_down(store, &before.router, deadline, pass)?;
        links::apply(&plan, None, pass)?;
        return Ok(Applied::default());
    };
    let namespace = Namespace::ensure(&namespace_plan.name, pass)?;
    apply_packets(before, wanted, &namespace, deadline, pass)?;
    in_time(deadline)?;
    let refused = links::apply(&plan, Some(&namespace), pass)?;
    settle_routing(refused, &before.router, pass)?;
    operator_files::name_tables(wanted, pass)?;
    let pending_reloads = services::apply(store, &namespace, &before.router, wanted, deadline, pass)?;
    let flows = flows_to_cut(&before.router, wanted);
    if pass.acts() && !flows.is_empty() {
        conntrack::cut(&namespace, &flows)?;
    }
    in_time(deadline)?;
    let ruleset_generation = nftables::generation(&namespace)?;
    Ok(Applied { ruleset_generation, pending_reloads: Some((namespace, pending_reloads)) })
}

/// Takes down all of a router that lives on this host: daemons, links, namespace. Its state is not touched.
pub(super) fn take_down(
    store: &Store,
    router: &Router,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<(), ApplyError> {
    services::stop(store, router, deadline, pass).into_iter().next().map_or(Ok(()), Err)?;
    remove(router, pass)?;
    operator_files::forget_tables(router.id, pass)?;
    Ok(())
}

/// A route or rule of our own, or one that is new, must be taken. An operator's that was taken before may have lost
/// what it leads through, which is no reason to refuse any other change: it is in force again as soon as the kernel takes it.
fn settle_routing(refused: Vec<RoutingRefusal>, before: &Router, pass: &mut Pass) -> Result<(), ApplyError> {
    let known = routing(before);
    for refused in refused {
        if refused.table() >= FIRST_OWN_TABLE || !refused.is_of(&known) {
            return Err(ApplyError::Routing(refused.into()));
        }
        tracing::warn!(router = %before.id, error = %refused, "not in force for now");
        pass.falls_short(refused);
    }
    Ok(())
}

/// Puts the packet rules in force. Only the difference if nobody touched them since our last change; all of
/// them if somebody did, or if the namespace is new.
fn apply_packets(
    before: &RouterState,
    wanted: &Router,
    namespace: &Namespace,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<(), ApplyError> {
    let generation = if namespace.is_new() { None } else { nftables::generation(namespace)? };
    let is_known = generation.is_some() && generation == before.ruleset_generation;
    if is_known && before.router == *wanted {
        return Ok(());
    }
    let ruleset = packets(wanted);
    match generation {
        Some(generation) if is_known => {
            let changed = match packets(&before.router).change_to(&ruleset) {
                RulesetChange::Nothing => return Ok(()),
                _ if !pass.acts() => {
                    pass.differs(RouterPart::Rules, drift::DifferenceKind::Modify, "change the packet rules");
                    return Ok(());
                }
                RulesetChange::Elements(elements) => {
                    nftables::change_elements(namespace, &elements, generation)
                }
                RulesetChange::Script(script) => nft::run(namespace, &script, deadline),
            };
            match changed {
                // Generations are counted from the start in a namespace that somebody made anew.
                Err(error @ (NftError::Refused { .. } | NftError::Netlink(_) | NftError::Changed { .. })) => {
                    let namespace = namespace.name();
                    tracing::warn!(%namespace, %error, "the rules are not what they were; replacing all of them");
                }
                done => return Ok(done?),
            }
        }
        // Somebody may have put right what they changed.
        Some(_) if pass.accounts() && !tell_rules(namespace, &ruleset, deadline, pass) => return Ok(()),
        Some(_) => {}
        None => pass.differs(RouterPart::Rules, drift::DifferenceKind::Add, "put the packet rules in force"),
    }
    if pass.acts() {
        // Deleting what is not there costs as much as deleting.
        let script = if generation.is_some() { ruleset.replace() } else { ruleset.create() };
        nft::run(namespace, &script, deadline)?;
    }
    Ok(())
}

/// Keeps how the rules differ from what they shall be; false if they do not.
fn tell_rules(namespace: &Namespace, ruleset: &Ruleset, deadline: Instant, pass: &mut Pass) -> bool {
    let differences = listing::differences(namespace, &ruleset.create(), deadline).unwrap_or_else(|error| {
        let what =
            format!("replace the packet rules: somebody else changed them, and what is unknown: {error}");
        vec![(drift::DifferenceKind::Modify, what)]
    });
    let differ = !differences.is_empty();
    for (change, what) in differences {
        pass.differs(RouterPart::Rules, change, what);
    }
    differ
}

/// Takes down the namespace that the router had, and its links on the host.
fn remove(router: &Router, pass: &mut Pass) -> Result<(), LinkError> {
    let interfaces = links(router).namespace.map(|namespace| namespace.interfaces).unwrap_or_default();
    let peers: Vec<_> = interfaces.into_iter().map(|interface| interface.peer).collect();
    links::remove(&router.id.namespace(), &peers, pass)
}

fn in_time(deadline: Instant) -> Result<(), ApplyError> {
    if Instant::now() < deadline { Ok(()) } else { Err(ApplyError::TooLate) }
}
