//! One change of one router: lock, load, change, compile, apply, save; or roll back.

use std::time::{Duration, Instant};

use netext_core::{Context, DeviceError, error_chain};
use netext_protocol::{Network, Subject};

use super::apply::{RouterChange, apply, restart};
use crate::compile::CompiledRouter;
use crate::drift::Pass;
use crate::model::{Router, RouterId};
use crate::store::{LockedRouter, RouterState, Store};

/// How long a rollback may take.
const ROLLBACK: Duration = Duration::from_millis(1500);

type ChangeRouter<'a> = Box<dyn FnOnce(&mut Router) -> Result<(), DeviceError> + Send + 'a>;
type ChangeMetadata<'a> = Box<dyn FnOnce(&Router) -> Result<(), DeviceError> + Send + 'a>;

/// A change of one router, and of the instance metadata that is kept beside it.
///
/// If any step fails, state, kernel and daemons are restored.
pub(super) struct Transaction<'a> {
    pub(super) store: &'a Store,
    context: &'a Context,
    router: RouterId,
    change: ChangeRouter<'a>,
    change_metadata: ChangeMetadata<'a>,
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
            change_metadata: Box::new(|_| Ok(())),
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

    /// Changes what is kept beside the router, such as instance metadata, given the router before the change.
    pub(super) fn change_metadata(
        self,
        change: impl FnOnce(&Router) -> Result<(), DeviceError> + Send + 'a,
    ) -> Self {
        Self { change_metadata: Box::new(change), ..self }
    }

    /// Takes the router down first, and builds it again. Its connections are lost.
    pub(super) fn with_restart(self) -> Self {
        Self { is_restart: true, ..self }
    }

    /// Carries out the transaction.
    pub(super) async fn commit(self) -> Result<(), DeviceError> {
        let Self { store, context, router, change, change_metadata, is_restart } = self;
        let deadline = context.deadline();
        deadline.check()?;

        // Lock and load.
        let locked = store.lock(router, deadline.cancelled()).await?;
        let before = locked.load()?;

        // Change. An error leaves everything as it is.
        let mut wanted = RouterState { epoch: epoch(&before, context)?, ..before.clone() };
        wanted.router.devices.learn(context.physical_details())?;
        change(&mut wanted.router)?;

        // Compile: each state of the router once at most, when a step needs it.
        let from = CompiledRouter::new(&before.router);
        let to = (wanted.router != before.router).then(|| CompiledRouter::new(&wanted.router));
        let change = RouterChange::new(&from, to.as_ref().unwrap_or(&from), before.ruleset_generation);
        let rollback = Rollback { store, change };

        // Apply.
        let pass = &mut Pass::command();
        let apply = if is_restart { restart } else { apply };
        let applied =
            apply(store, change, deadline.instant(), pass).map_err(|error| rollback.after(error))?;
        deadline.check().map_err(|error| rollback.after(error))?;
        change_metadata(&before.router).map_err(|error| rollback.after(error))?;

        // Save.
        wanted.ruleset_generation = applied.ruleset_generation;
        if wanted != before || wanted.router.is_empty() {
            locked.save(&wanted).map_err(|error| rollback.after(error))?;
        }

        // Reload. Daemons with much to read take processor time, so they come last.
        let reloaded = applied.reload_daemons(deadline.instant());
        reloaded.map_err(|error| rollback.after(restore_state(&locked, &before, error)))
    }
}

/// The epoch in which this host serves the router after the command: that of the command, if it is the first. A host
/// that was superseded changes nothing.
fn epoch(before: &RouterState, context: &Context) -> Result<u64, DeviceError> {
    let router = before.router.id;
    let superseded = |epoch| {
        Err(DeviceError::device(format!(
            "{router} is served by another host since epoch {epoch}; this host has fenced it"
        )))
    };
    if let Some(epoch) = before.superseded {
        return superseded(epoch);
    }
    match context.device_details().get("epoch").and_then(serde_json::Value::as_u64) {
        Some(epoch) if before.router.is_empty() => Ok(epoch),
        Some(epoch) if epoch > before.epoch && before.epoch > 0 => superseded(epoch),
        Some(epoch) => Ok(epoch.max(before.epoch)),
        None => Ok(before.epoch),
    }
}

/// The way back from a change that failed.
struct Rollback<'c, 'r> {
    store: &'c Store,
    change: RouterChange<'c, 'r>,
}

impl Rollback<'_, '_> {
    /// Restores the router after an error. The change may have stopped anywhere, so nothing is taken for granted.
    fn after(&self, error: impl Into<DeviceError>) -> DeviceError {
        let error = error.into();
        let deadline = Instant::now() + ROLLBACK;
        let restored = apply(self.store, self.change.back(), deadline, &mut Pass::command())
            .and_then(|applied| applied.reload_daemons(deadline));
        match restored {
            Ok(()) => error,
            Err(rollback) => DeviceError::new(
                error.kind(),
                format!(
                    "{}; and the router could not be restored: {}; parts of it may be down until the next command \
                     restores it",
                    error_chain(&error),
                    error_chain(&rollback),
                ),
            ),
        }
    }
}

/// Restores the state that was already replaced.
fn restore_state(locked: &LockedRouter, before: &RouterState, error: impl Into<DeviceError>) -> DeviceError {
    let error = error.into();
    match locked.save(before) {
        Ok(()) => error,
        Err(unsaved) => DeviceError::new(
            error.kind(),
            format!(
                "{}; and the state has the change already, because restoring it failed: {}",
                error_chain(&error),
                error_chain(&unsaved),
            ),
        ),
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
    if router_of(store, context, network)? == own || !store.has(own) {
        return Ok(None);
    }
    let locked = store.lock(own, context.deadline().cancelled()).await?;
    let is_in_force = locked.load()?.router.implemented_tiers().next().is_some();
    Ok((!is_in_force).then_some(locked))
}
