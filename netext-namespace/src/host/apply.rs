//! Makes kernel, daemons and files match a router.

use std::collections::BTreeSet;
use std::ptr;
use std::time::Instant;

use netext_core::{DeviceError, error_chain};

use super::{errors, operator_files, services};
use crate::compile::{CompiledRouter, Ruleset, RulesetChange};
use crate::daemons::PendingReloads;
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
use crate::plan::NamespacePlan;
use crate::store::Store;

/// The change of a router from one state to another.
#[derive(Clone, Copy)]
pub(super) struct RouterChange<'c, 'r> {
    from: &'c CompiledRouter<'r>,
    to: &'c CompiledRouter<'r>,
    /// The state on disk: the kernel has accepted its routes and rules before.
    saved: &'c CompiledRouter<'r>,
    /// The generation of the packet rules of `from`; `None` if other rules may be in force.
    generation: Option<u32>,
}

impl<'c, 'r> RouterChange<'c, 'r> {
    /// The change of a router whose state on disk is `from`.
    pub(super) fn new(
        from: &'c CompiledRouter<'r>,
        to: &'c CompiledRouter<'r>,
        generation: Option<u32>,
    ) -> Self {
        Self { from, to, saved: from, generation }
    }

    /// No change: the router as its state on disk says.
    pub(super) fn none(router: &'c CompiledRouter<'r>, generation: Option<u32>) -> Self {
        Self::new(router, router, generation)
    }

    /// The opposite change, wherever the change stopped.
    pub(super) fn back(self) -> Self {
        Self { from: self.to, to: self.from, generation: None, ..self }
    }

    fn is_none(&self) -> bool {
        ptr::eq(self.from, self.to)
    }
}

/// The outcome of a change.
#[derive(Debug, Default)]
pub(super) struct AppliedChange {
    /// The generation of its packet rules.
    pub(super) ruleset_generation: Option<u32>,
    pending_reloads: Option<(Namespace, PendingReloads)>,
}

impl AppliedChange {
    /// Makes daemons with new files read them: the last step.
    pub(super) fn reload_daemons(self, deadline: Instant) -> Result<(), DeviceError> {
        let Some((namespace, reloads)) = self.pending_reloads else { return Ok(()) };
        Ok(reloads.reload(&namespace, deadline)?)
    }
}

/// Makes the host match a router after a change. A pass that only rehearses changes nothing.
///
/// Packet rules come before links: a new address is protected before it answers, and a removed address has lost its
/// translations before it is gone.
pub(super) fn apply(
    store: &Store,
    change: RouterChange<'_, '_>,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<AppliedChange, DeviceError> {
    in_time(deadline)?;
    let router = change.to.router();
    if pass.acts() {
        store.make_folders(router)?;
    }
    let plan = change.to.links();
    let applied = if let Some(NamespacePlan { name, .. }) = &plan.namespace {
        let namespace = Namespace::ensure(name, deadline, pass)?;
        apply_packets(change, &namespace, deadline, pass)?;
        in_time(deadline)?;
        let refusals = links::apply(plan, Some(&namespace), pass)?;
        tolerate(refusals, change.saved, pass)?;
        operator_files::name_tables(router, pass)?;
        let reloads = services::apply(store, &namespace, change.from, change.to, deadline, pass)?;
        let flows = change.from.flows_to_cut(change.to);
        if pass.acts() && !flows.is_empty() {
            conntrack::cut(&namespace, &flows)?;
        }
        in_time(deadline)?;
        let ruleset_generation = nftables::generation(&namespace)?;
        AppliedChange { ruleset_generation, pending_reloads: Some((namespace, reloads)) }
    } else {
        take_down(store, change, deadline, pass)?;
        links::apply(plan, None, pass)?;
        AppliedChange::default()
    };
    operator_files::note_ipv6_gateways(store, router, pass)?;
    Ok(applied)
}

/// Takes a router down and builds it again.
pub(super) fn restart(
    store: &Store,
    change: RouterChange<'_, '_>,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<AppliedChange, DeviceError> {
    take_down(store, change, deadline, pass)?;
    apply(store, RouterChange { generation: None, ..change }, deadline, pass)
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
    let RouterChange { from, to, .. } = change;
    let mut failures = Vec::new();
    // Kept open: its processes are known by it after its name is gone.
    let namespace = Namespace::open(&from.router().id.namespace()).unwrap_or_else(|error| {
        failures.push(error.into());
        None
    });
    failures.extend(remove_links(change, pass).into_iter().map(DeviceError::from));
    let stuck = services::stop(store, namespace.as_ref(), from.router(), to.router(), deadline, pass);
    failures.extend(stuck.into_iter().map(DeviceError::from));
    failures.extend(operator_files::forget_tables(from.router().id, pass).err().map(DeviceError::from));
    errors::all(failures)
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
    let is_known = generation.is_some() && generation == change.generation;
    if is_known && change.is_none() {
        return Ok(());
    }
    let ruleset = change.to.packets();
    match generation {
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
                // A namespace that was created again counts generations from the start.
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
