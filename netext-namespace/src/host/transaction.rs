//! One change of one router: lock, load, change, compile, apply, save; or as if nothing had happened.

use std::time::{Duration, Instant};

use netext_core::{Context, DeviceError};

use super::apply::{Applied, apply, take_down};
use super::errors::ApplyError;
use super::operator_files;
use crate::drift::Pass;
use crate::model::{Router, RouterId};
use crate::store::{LockedRouter, RouterState, Store, StoreError};

/// How long it may take to put back what was there when a change failed.
const ROLLBACK: Duration = Duration::from_millis(1500);

/// Changes a router, in the state and in the kernel, and then what instances are told, given what the router was.
/// If any part of it fails, state and kernel are what they were.
pub(super) async fn change(
    store: &Store,
    context: &Context,
    router: RouterId,
    change: impl FnOnce(&mut Router),
    tell: impl FnOnce(&Store, &Router) -> Result<(), DeviceError>,
) -> Result<(), DeviceError> {
    let change = |router: &mut Router| {
        change(router);
        Ok(())
    };
    try_change(store, context, router, change, tell).await
}

/// The same for a change that may not be possible, which is then not begun.
pub(super) async fn try_change(
    store: &Store,
    context: &Context,
    router: RouterId,
    change: impl FnOnce(&mut Router) -> Result<(), DeviceError>,
    tell: impl FnOnce(&Store, &Router) -> Result<(), DeviceError>,
) -> Result<(), DeviceError> {
    context.deadline().check()?;
    let locked = store.lock(router, context.deadline().cancelled()).await?;
    let before = locked.load()?;
    let epoch = epoch(&before, context)?;

    let mut wanted = before.router.clone();
    wanted.devices.learn(context.physical_details())?;
    change(&mut wanted)?;

    let wanted = RouterState { router: wanted, epoch, ..before.clone() };
    commit(store, &locked, &before, wanted, context, tell).map_err(|error| roll_back(store, &before, error))
}

/// The epoch in which this host serves the router after a command: the one that the command speaks of, if it is the
/// first. A host that another one has followed changes nothing.
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

/// Takes a router down and builds it anew from its state, which must be one that `known` accepts. Tracked connections
/// are lost by that.
pub(super) async fn reboot(
    store: &Store,
    context: &Context,
    router: RouterId,
    known: impl FnOnce(&Router) -> Result<(), DeviceError>,
) -> Result<(), DeviceError> {
    context.deadline().check()?;
    let locked = store.lock(router, context.deadline().cancelled()).await?;
    let before = locked.load()?;
    known(&before.router)?;
    epoch(&before, context)?;
    take_down(store, &before.router, context.deadline().instant(), &mut Pass::command())?;
    let down = RouterState { ruleset_generation: None, ..before };
    let wanted = down.clone();
    commit(store, &locked, &down, wanted, context, |_, _| Ok(())).map_err(|error| {
        DeviceError::new(error.kind(), format!("{error}; {router} is down until the next command builds it"))
    })
}

fn commit(
    store: &Store,
    locked: &LockedRouter,
    before: &RouterState,
    wanted: RouterState,
    context: &Context,
    tell: impl FnOnce(&Store, &Router) -> Result<(), DeviceError>,
) -> Result<(), DeviceError> {
    let applied = put_in_force(store, locked, before, wanted, context, tell)?;
    applied.reload_daemons(context.deadline().instant()).map_err(|error| restore_state(locked, before, error))
}

/// All of a change but what daemons are told of it.
fn put_in_force(
    store: &Store,
    locked: &LockedRouter,
    before: &RouterState,
    wanted: RouterState,
    context: &Context,
    tell: impl FnOnce(&Store, &Router) -> Result<(), DeviceError>,
) -> Result<Applied, DeviceError> {
    let mut pass = Pass::command();
    let router = &wanted.router;
    store.make_folders(router)?;
    let applied = apply(store, before, router, context.deadline().instant(), &mut pass)?;
    context.deadline().check()?;
    operator_files::note_ipv6_gateways(store, router, &mut pass)?;
    tell(store, &before.router)?;
    let after = RouterState { ruleset_generation: applied.ruleset_generation, ..wanted };
    if after != *before || after.router.is_empty() {
        keep(locked, &after)?;
    }
    Ok(applied)
}

fn keep(locked: &LockedRouter, state: &RouterState) -> Result<(), StoreError> {
    if state.router.is_empty() { locked.forget() } else { locked.save(state) }
}

/// Puts back the state that was replaced already.
fn restore_state(locked: &LockedRouter, before: &RouterState, error: ApplyError) -> DeviceError {
    let error = DeviceError::from(error);
    match keep(locked, before) {
        Ok(()) => error,
        Err(kept) => {
            DeviceError::new(error.kind(), format!("{error}; and its state is that of a success: {kept}"))
        }
    }
}

/// Puts back what was there. The change may have stopped anywhere, so nothing is taken as given.
fn roll_back(store: &Store, before: &RouterState, error: DeviceError) -> DeviceError {
    let unknown = RouterState { ruleset_generation: None, ..before.clone() };
    let deadline = Instant::now() + ROLLBACK;
    let put_back = apply(store, &unknown, &before.router, deadline, &mut Pass::command());
    match put_back.and_then(|applied| applied.reload_daemons(deadline)) {
        Ok(()) => error,
        Err(rollback) => DeviceError::new(
            error.kind(),
            format!(
                "{error}; and putting back what was there failed, too: {rollback}; the next command tries again"
            ),
        ),
    }
}
