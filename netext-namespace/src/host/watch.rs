//! Looks after a router's daemons between commands.

use netext_core::{Deadline, DeviceError};

use super::services;
use crate::compile::CompiledRouter;
use crate::daemons;
use crate::drift::{Difference, Pass};
use crate::kernel::namespace::Namespace;
use crate::model::RouterId;
use crate::store::{RouterState, Store};

/// Asks the daemons of a router whether they work, and replaces those that do not, if the pass acts. Returns what
/// differed.
///
/// No command waits for the questions: the router is locked only if a daemon has to be replaced. A router that a command
/// works on is left to the command. So is a router that is down, and everything but daemons.
///
/// # Errors
/// When the state cannot be used, or a daemon cannot be replaced.
pub fn look_after(
    store: &Store,
    id: RouterId,
    deadline: &Deadline,
    mut pass: Pass,
) -> Result<Vec<Difference>, DeviceError> {
    let Some((state, namespace)) = in_service(store.read(id)?)? else { return Ok(Vec::new()) };
    let plans = services::plans(store, &CompiledRouter::new(&state.router));
    if daemons::are_sound(&namespace, &plans, deadline.instant())? {
        return Ok(Vec::new());
    }
    let Some(locked) = store.try_lock(id)? else { return Ok(Vec::new()) };
    // A command may have changed the router meanwhile.
    let Some((state, namespace)) = in_service(locked.load()?)? else { return Ok(Vec::new()) };
    let compiled = CompiledRouter::new(&state.router);
    let pending = services::apply(store, &namespace, &compiled, &compiled, deadline.instant(), &mut pass)?;
    pending.reload(&namespace, deadline.instant())?;
    Ok(pass.into_differences())
}

/// A router that this host serves and that is up.
fn in_service(state: RouterState) -> Result<Option<(RouterState, Namespace)>, DeviceError> {
    if !state.serves() {
        return Ok(None);
    }
    let namespace = Namespace::open(&state.router.id.namespace())?;
    Ok(namespace.map(|namespace| (state, namespace)))
}
