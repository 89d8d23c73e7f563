//! Makes kernel, daemons and files match a router.

use std::collections::BTreeSet;
use std::ptr;
use std::time::Instant;

use netext_core::{DeviceError, error_chain};
use netext_protocol::NetworkId;

use super::{errors, operator_files, services};
use crate::compile::{CompiledRouter, Ruleset, RulesetChange};
use crate::daemons::{self, AppliedDaemons, StagedDaemons};
use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::kernel::conntrack;
use crate::kernel::links::{self, LinkError};
use crate::kernel::listing;
use crate::kernel::namespace::Namespace;
use crate::kernel::netlink::NetlinkError;
use crate::kernel::nft::{self, NftError};
use crate::kernel::nftables;
use crate::kernel::routing::RoutingRefusal;
use crate::model::{FIRST_OWN_TABLE, InterfaceName};
use crate::plan::{Daemon, NamespacePlan, RulesetGeneration};
use crate::store::Store;

/// The change of a router from one state to another.
#[derive(Clone, Copy)]
pub(super) struct RouterChange<'c, 'r> {
    from: &'c CompiledRouter<'r>,
    to: &'c CompiledRouter<'r>,
    /// The state on disk: the kernel has accepted its routes and rules before.
    saved: &'c CompiledRouter<'r>,
    /// The generation of the packet rules of `from`; `None` if other rules may be in force.
    generation: Option<&'c RulesetGeneration>,
    /// Networks that no longer exist.
    forgotten: &'c [NetworkId],
}

impl<'c, 'r> RouterChange<'c, 'r> {
    /// The change of a router whose state on disk is `from`.
    pub(super) fn new(
        from: &'c CompiledRouter<'r>,
        to: &'c CompiledRouter<'r>,
        generation: Option<&'c RulesetGeneration>,
    ) -> Self {
        Self { from, to, saved: from, generation, forgotten: &[] }
    }

    /// No change: the router as its state on disk says.
    pub(super) fn none(router: &'c CompiledRouter<'r>, generation: Option<&'c RulesetGeneration>) -> Self {
        Self::new(router, router, generation)
    }

    /// The opposite change, wherever the change stopped.
    pub(super) fn back(self) -> Self {
        Self { from: self.to, to: self.from, generation: None, ..self }
    }

    /// The same change, in which networks cease to exist that neither router need know.
    pub(super) fn forgetting(self, forgotten: &'c [NetworkId]) -> Self {
        Self { forgotten, ..self }
    }

    /// The daemons that it may find on the host.
    fn known_daemons(&self, store: &Store) -> Vec<Daemon> {
        services::known(store, [self.from.router(), self.to.router()], self.forgotten)
    }

    fn is_none(&self) -> bool {
        ptr::eq(self.from, self.to)
    }
}

/// A change whose files are staged. Nothing else has changed yet.
pub(super) struct StagedChange<'c, 'r> {
    store: &'c Store,
    change: RouterChange<'c, 'r>,
    daemons: StagedDaemons,
}

/// A change that is in force, but for what cannot be undone.
pub(super) struct AppliedChange<'c, 'r> {
    store: &'c Store,
    change: RouterChange<'c, 'r>,
    outcome: Outcome,
}

enum Outcome {
    Up(Namespace, AppliedDaemons),
    Down(Vec<Daemon>),
}

/// Stages the files of a change, which claims their space on the disk. A pass that only rehearses changes nothing.
pub(super) fn stage<'c, 'r>(
    store: &'c Store,
    change: RouterChange<'c, 'r>,
    pass: &Pass,
) -> Result<StagedChange<'c, 'r>, DeviceError> {
    let daemons = services::stage(store, change.from, change.to, change.forgotten, pass)?;
    Ok(StagedChange { store, change, daemons })
}

impl<'c, 'r> StagedChange<'c, 'r> {
    /// Puts the change in force, except for what cannot be undone.
    ///
    /// Packet rules come before links: a new address is protected before it answers, and a removed address has lost its
    /// translations before it is gone.
    pub(super) fn apply(
        self,
        deadline: Instant,
        pass: &mut Pass,
    ) -> Result<AppliedChange<'c, 'r>, DeviceError> {
        let Self { store, change, daemons } = self;
        in_time(deadline)?;
        let router = change.to.router();
        let plan = change.to.links();
        let outcome = if let Some(NamespacePlan { name, .. }) = &plan.namespace {
            let namespace = Namespace::ensure(name, deadline, pass)?;
            apply_packets(change, &namespace, deadline, pass)?;
            in_time(deadline)?;
            let refusals = links::apply(plan, Some(&namespace), pass)?;
            tolerate(refusals, change.saved, pass)?;
            operator_files::name_tables(router, pass)?;
            let daemons = daemons.apply(&namespace, deadline, pass)?;
            Outcome::Up(namespace, daemons)
        } else {
            links::apply(plan, None, pass)?;
            Outcome::Down(daemons.into_unwanted())
        };
        operator_files::note_ipv6_gateways(store, router, pass)?;
        in_time(deadline)?;
        Ok(AppliedChange { store, change, outcome })
    }
}

impl AppliedChange<'_, '_> {
    /// Does what cannot be undone: daemons read their new files or are stopped, connections end, a router goes down.
    /// Returns the generation of the packet rules.
    pub(super) fn complete(
        self,
        deadline: Instant,
        pass: &mut Pass,
    ) -> Result<Option<RulesetGeneration>, DeviceError> {
        let Self { store, change, outcome } = self;
        match outcome {
            Outcome::Up(namespace, daemons) => {
                daemons.complete(&namespace, deadline, pass)?;
                let flows = change.from.flows_to_cut(change.to);
                if pass.acts() && !flows.is_empty() {
                    conntrack::cut(&namespace, &flows)?;
                }
                Ok(nftables::generation(&namespace)?)
            }
            Outcome::Down(daemons) => {
                errors::all(take_down_with(store, change, &daemons, deadline, pass))?;
                Ok(None)
            }
        }
    }
}

/// Makes the host match a router, as [`stage`], [`StagedChange::apply`] and [`AppliedChange::complete`] do.
pub(super) fn apply(
    store: &Store,
    change: RouterChange<'_, '_>,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<Option<RulesetGeneration>, DeviceError> {
    stage(store, change, pass)?.apply(deadline, pass)?.complete(deadline, pass)
}

/// Restores a router after a change that failed. The change may have stopped anywhere, so nothing is taken for granted.
pub(super) fn restore(
    store: &Store,
    change: RouterChange<'_, '_>,
    deadline: Instant,
) -> Result<(), DeviceError> {
    apply(store, change.back(), deadline, &mut Pass::command())?;
    Ok(daemons::discard_versions(&change.known_daemons(store))?)
}

/// Takes down all of a router that is about to be built again. Its files stay.
pub(super) fn fence(
    store: &Store,
    change: RouterChange<'_, '_>,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<(), DeviceError> {
    let mut failures = Vec::new();
    let namespace = open_namespace(change, &mut failures);
    failures.extend(remove_links(change, pass).into_iter().map(DeviceError::from));
    let stuck = services::end(store, namespace.as_ref(), &change.known_daemons(store), deadline);
    failures.extend(stuck.into_iter().map(DeviceError::from));
    errors::all(failures)
}

/// Takes down all of a router on this host. Its state is not touched.
///
/// It is fenced first: its links, addresses and namespace are removed. Then its daemons and the rest go. A step that
/// fails does not keep the next ones from being done.
pub(super) fn take_down(
    store: &Store,
    change: RouterChange<'_, '_>,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<(), DeviceError> {
    errors::all(take_down_with(store, change, &change.known_daemons(store), deadline, pass))
}

fn take_down_with(
    store: &Store,
    change: RouterChange<'_, '_>,
    daemons: &[Daemon],
    deadline: Instant,
    pass: &mut Pass,
) -> Vec<DeviceError> {
    let mut failures = Vec::new();
    let namespace = open_namespace(change, &mut failures);
    failures.extend(remove_links(change, pass).into_iter().map(DeviceError::from));
    let stuck = services::stop(store, namespace.as_ref(), daemons, deadline, pass);
    failures.extend(stuck.into_iter().map(DeviceError::from));
    let id = change.from.router().id;
    failures.extend(operator_files::forget_tables(id, pass).err().map(DeviceError::from));
    failures
}

/// The router's namespace, if it has one. Its processes are known by it after its name is gone.
fn open_namespace(change: RouterChange<'_, '_>, failures: &mut Vec<DeviceError>) -> Option<Namespace> {
    Namespace::open(&change.from.router().id.namespace()).unwrap_or_else(|error| {
        failures.push(error.into());
        None
    })
}

fn remove_links(change: RouterChange<'_, '_>, pass: &mut Pass) -> Vec<LinkError> {
    let RouterChange { from, to, .. } = change;
    let peers: BTreeSet<_> = host_ends(from).chain(host_ends(to)).cloned().collect();
    links::remove(&from.router().id.namespace(), &Vec::from_iter(peers), pass)
}

/// The host's ends of a router's links.
fn host_ends<'a>(router: &'a CompiledRouter<'_>) -> impl Iterator<Item = &'a InterfaceName> {
    router.links().namespace.iter().flat_map(|namespace| &namespace.interfaces).map(|link| &link.peer)
}

/// The kernel must accept the routes and rules of our own tables, and new ones. A route or rule of an operator that it
/// accepted before may have lost what it leads through. It must not block other changes; the next command tries again.
fn tolerate(
    refusals: Vec<RoutingRefusal>,
    saved: &CompiledRouter<'_>,
    pass: &mut Pass,
) -> Result<(), DeviceError> {
    for refusal in refusals {
        if refusal.table() >= FIRST_OWN_TABLE || !refusal.is_of(&saved.routing()) {
            return Err(NetlinkError::from(refusal).into());
        }
        let router = saved.router().id;
        let error = error_chain(&refusal);
        tracing::warn!(%router, %error, "a route or rule is not in force for now");
        pass.falls_short(&refusal);
    }
    Ok(())
}

/// Puts the packet rules in force: only the difference if the rules are those of our last change, all of them if
/// another process changed them or the namespace is new.
fn apply_packets(
    change: RouterChange<'_, '_>,
    namespace: &Namespace,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<(), DeviceError> {
    let generation = if namespace.is_new() { None } else { nftables::generation(namespace)? };
    let is_known = generation.is_some() && generation.as_ref() == change.generation;
    if is_known && change.is_none() {
        return Ok(());
    }
    let ruleset = change.to.packets();
    match &generation {
        Some(generation) if is_known => {
            let changed = match change.from.packets().change_to(ruleset) {
                RulesetChange::Nothing => return Ok(()),
                _ if !pass.acts() => {
                    pass.differs(RouterPart::Rules, DifferenceKind::Modify, "change the packet rules");
                    return Ok(());
                }
                RulesetChange::Elements(elements) => {
                    nftables::change_elements(namespace, &elements, generation)
                }
                RulesetChange::Script(script) => nft::run(namespace, &script, deadline),
            };
            match changed {
                Err(error @ (NftError::Refused { .. } | NftError::Netlink(_) | NftError::Changed { .. })) => {
                    let (namespace, error) = (namespace.name(), error_chain(&error));
                    tracing::warn!(%namespace, %error, "another process changed the rules; replacing all of them");
                }
                done => return Ok(done?),
            }
        }
        // The rules may match all the same.
        Some(_) if pass.accounts() && !report_rules(namespace, ruleset, deadline, pass) => return Ok(()),
        Some(_) => {}
        None => pass.differs(RouterPart::Rules, DifferenceKind::Add, "put the packet rules in force"),
    }
    if pass.acts() {
        // Deleting an absent table costs as much as deleting a table.
        let script = if generation.is_some() { ruleset.replace() } else { ruleset.create() };
        nft::run(namespace, &script, deadline)?;
    }
    Ok(())
}

/// Reports how the rules differ; false if they do not.
fn report_rules(namespace: &Namespace, ruleset: &Ruleset, deadline: Instant, pass: &mut Pass) -> bool {
    let differences = listing::differences(namespace, &ruleset.create(), deadline).unwrap_or_else(|error| {
        let error = error_chain(&error);
        let what = format!("replace the packet rules: another process changed them, unknown how: {error}");
        vec![(DifferenceKind::Modify, what)]
    });
    let differ = !differences.is_empty();
    for (kind, what) in differences {
        pass.differs(RouterPart::Rules, kind, what);
    }
    differ
}

fn in_time(deadline: Instant) -> Result<(), DeviceError> {
    if Instant::now() < deadline { Ok(()) } else { Err(DeviceError::timed_out("the deadline has passed")) }
}
