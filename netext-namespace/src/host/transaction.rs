//! One change of one router: lock, load, change, compile, stage, apply, commit, complete; or restore.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use netext_core::{Context, DeviceError};
use netext_protocol::{Network, NetworkId, Subject};
use rustix::process::{Resource, getrlimit};

use super::apply::{RouterChange, fence, restore, stage};
use super::errors;
use super::reconcile::recover;
use super::staging::StagedFiles;
use crate::compile::CompiledRouter;
use crate::drift::Pass;
use crate::metadata::InstanceChange;
use crate::model::{Router, RouterId};
use crate::store::{LockedRouter, RouterState, Store};

/// How long a rollback may take.
const ROLLBACK: Duration = Duration::from_millis(1500);

type ChangeRouter<'a> = Box<dyn FnOnce(&mut Router) -> Result<(), DeviceError> + Send + 'a>;
type ChangeMetadata<'a> =
    Box<dyn FnOnce(&Router, Instant) -> Result<Vec<InstanceChange>, DeviceError> + Send + 'a>;

/// A change of one router, and of the instance metadata that is kept beside it.
///
/// If any step fails, files, kernel and daemons are restored. If the process is killed, the next command undoes the
/// change, or completes it if it was committed.
pub(super) struct Transaction<'a> {
    pub(super) store: &'a Store,
    context: &'a Context,
    router: RouterId,
    change: ChangeRouter<'a>,
    change_metadata: Option<ChangeMetadata<'a>>,
    forgotten: Option<NetworkId>,
    is_restart: bool,
}

impl<'a> Transaction<'a> {
    /// A transaction that changes nothing yet.
    pub(super) fn new(store: &'a Store, context: &'a Context, router: RouterId) -> Self {
        Self {
            store,
            context,
            router,
            change: Box::new(|_| Ok(())),
            change_metadata: None,
            forgotten: None,
            is_restart: false,
        }
    }

    /// Changes the router.
    pub(super) fn change(self, change: impl FnOnce(&mut Router) + Send + 'a) -> Self {
        self.try_change(|router| {
            change(router);
            Ok(())
        })
    }

    /// Changes the router in a way that may be impossible; then nothing happens.
    pub(super) fn try_change(
        self,
        change: impl FnOnce(&mut Router) -> Result<(), DeviceError> + Send + 'a,
    ) -> Self {
        Self { change: Box::new(change), ..self }
    }

    /// Changes the metadata of the router's instances, given the router before the change. Changes wait for guests that
    /// acknowledge a password, until the instant given.
    pub(super) fn change_metadata(
        self,
        change: impl FnOnce(&Router, Instant) -> Result<Vec<InstanceChange>, DeviceError> + Send + 'a,
    ) -> Self {
        Self { change_metadata: Some(Box::new(change)), ..self }
    }

    /// Removes what this host has of a network, even if the router does not know the network.
    pub(super) fn forget(self, network: NetworkId) -> Self {
        Self { forgotten: Some(network), ..self }
    }

    /// Takes the router down first, and builds it again. Its connections are lost.
    pub(super) fn with_restart(self) -> Self {
        Self { is_restart: true, ..self }
    }

    /// Carries out the transaction.
    pub(super) async fn commit(self) -> Result<(), DeviceError> {
        let Self { store, context, router, change, change_metadata, forgotten, is_restart } = self;
        context.deadline().check()?;
        check_descriptors()?;
        let deadline = context.deadline().instant();

        // Lock and load.
        let locked = store.lock(router, context.deadline().cancelled()).await?;
        recover(store, &locked, context.deadline())?;
        let before = locked.load()?;

        // Change. An error leaves everything as it is.
        let mut wanted = RouterState { epoch: epoch(&before, context)?, ..before.clone() };
        wanted.router.devices.learn(context.physical_details())?;
        change(&mut wanted.router)?;

        // Compile: each state of the router once at most, when a step needs it.
        let from = CompiledRouter::new(&before.router);
        let to = (wanted.router != before.router).then(|| CompiledRouter::new(&wanted.router));
        let to = to.as_ref().unwrap_or(&from);
        let forgotten = forgotten_networks(&before.router, &wanted.router, forgotten);
        let generation = locked.ruleset_generation();
        let change = RouterChange::new(&from, to, generation.as_ref()).forgetting(&forgotten);

        // Stage all files; those of daemons below.
        let change_metadata = change_metadata.map(|change| || change(&before.router, deadline));
        let mut files = StagedFiles::stage(store, &locked, [&before, &wanted], &forgotten, change_metadata)?;

        // Apply, commit, and do what cannot be undone.
        let mut carry_out = || {
            let pass = &mut Pass::command();
            let staged = stage(store, change, pass)?;
            if is_restart {
                fence(store, change, deadline, pass)?;
            }
            let applied = staged.apply(deadline, pass)?;
            context.deadline().check()?;
            files.commit()?;
            applied.complete(deadline, pass)
        };
        match carry_out() {
            Ok(applied) => {
                files.finish();
                if applied != generation || wanted != before {
                    locked.note_ruleset_generation(applied);
                }
                Ok(())
            }
            Err(error) => Err(restore_after(error, store, change, files)),
        }
    }
}

/// Fails if this process may not open as many files as a change and its way back need: one that runs out of them halfway
/// could not be undone.
fn check_descriptors() -> Result<(), DeviceError> {
    const NEEDED: u64 = 64;

    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < NEEDED => Err(DeviceError::device(format!(
            "this process may open only {limit} files, and a change needs up to {NEEDED}; raise the limit (ulimit -n)"
        ))),
        _ => Ok(()),
    }
}

/// The tiers of a VPC that no longer exist after a change, and one that the change is about.
fn forgotten_networks(before: &Router, wanted: &Router, forgotten: Option<NetworkId>) -> Vec<NetworkId> {
    before.tiers_missing_in(wanted).chain(forgotten).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Restores a router and its files after an error.
fn restore_after(
    error: DeviceError,
    store: &Store,
    change: RouterChange<'_, '_>,
    files: StagedFiles<'_>,
) -> DeviceError {
    let error = match restore(store, change, Instant::now() + ROLLBACK) {
        Ok(()) => error,
        Err(failure) => {
            let remedy = "parts of it may be down until the next command restores it";
            errors::and_then(&error, "the router could not be restored", &failure, remedy)
        }
    };
    files.undo_after(error)
}

/// The epoch in which this host serves the router after the command: that of the command, if it is the first. A host
/// that was superseded changes nothing.
fn epoch(before: &RouterState, context: &Context) -> Result<u64, DeviceError> {
    let (router, own) = (before.router.id, before.epoch);
    let superseded = |epoch, here: &str| {
        let message = format!("{router} is served by another host since epoch {epoch}; {here}");
        Err(DeviceError::device(message))
    };
    if let Some(epoch) = before.superseded {
        return superseded(epoch, "this host has fenced it");
    }
    match context.device_details().get("epoch").and_then(serde_json::Value::as_u64) {
        Some(epoch) if before.router.is_empty() => Ok(epoch),
        Some(epoch) if epoch > own && own > 0 => {
            superseded(epoch, &format!("this host serves it in the earlier epoch {own} and changes nothing"))
        }
        Some(epoch) => Ok(epoch.max(own)),
        None => Ok(own),
    }
}

/// The router that a command is about.
pub(super) fn router_of_subject(
    store: &Store,
    context: &Context,
    subject: &Subject,
) -> Result<RouterId, DeviceError> {
    match subject {
        Subject::Network(network) => router_of(store, context, network),
        Subject::Vpc(vpc) => Ok(RouterId::Vpc(vpc.vpc_id)),
        _ => Err(DeviceError::invalid("neither a network nor a VPC")),
    }
}

/// The router that serves a network. If a command does not name the network's VPC, the device details or this host's
/// state may.
pub(super) fn router_of(
    store: &Store,
    context: &Context,
    network: &Network,
) -> Result<RouterId, DeviceError> {
    let named = network.vpc_id.or_else(|| context.device_details().get_str("vpc_id")?.parse().ok());
    let vpc = named.map_or_else(|| store.vpc_of(network.network_id), |vpc| Ok(Some(vpc)))?;
    Ok(vpc.map_or(RouterId::Network(network.network_id), RouterId::Vpc))
}

/// The state of a tier that commands made before any command named its VPC: that of a router of the tier's own, which
/// was never in force.
pub(super) async fn early_router(
    store: &Store,
    context: &Context,
    network: &Network,
) -> Result<Option<LockedRouter>, DeviceError> {
    let own = RouterId::Network(network.network_id);
    if router_of(store, context, network)? == own || !store.has(own)? {
        return Ok(None);
    }
    let locked = store.lock(own, context.deadline().cancelled()).await?;
    let is_in_force = locked.load()?.router.implemented_tiers().next().is_some();
    Ok((!is_in_force).then_some(locked))
}
