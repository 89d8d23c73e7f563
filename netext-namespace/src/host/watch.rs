//! Looks after a router's daemons between commands.

use netext_core::{Deadline, DeviceError};

use super::reconcile::recover;
use super::services;
use crate::compile::CompiledRouter;
use crate::daemons;
use crate::drift::{Difference, Pass};
use crate::kernel::namespace::Namespace;
use crate::model::RouterId;
use crate::store::{RouterState, Store};

/// Asks the daemons of a router whether they work, and replaces those that do not, if the pass acts. Undoes or completes
/// the change of a command that was killed. Returns what differed.
///
/// No command waits for the questions: the router is locked only if something has to be repaired. A router that a command
/// works on is left to the command. So is a router that is down, and everything else.
///
/// # Errors
/// When the state cannot be used, or a daemon cannot be replaced.
pub fn look_after(
    store: &Store,
    id: RouterId,
    deadline: &Deadline,
    mut pass: Pass,
) -> Result<Vec<Difference>, DeviceError> {
    if pass.acts() && store.is_changing(id)? {
        let Some(locked) = store.try_lock(id)? else { return Ok(Vec::new()) };
        recover(store, &locked, deadline)?;
    }
    let Some((state, namespace)) = in_service(store.read(id)?)? else { return Ok(Vec::new()) };
    let plans = services::plans(store, &CompiledRouter::new(&state.router))?;
    if daemons::are_sound(&namespace, &plans, deadline.instant())? {
        return Ok(Vec::new());
    }
    let Some(locked) = store.try_lock(id)? else { return Ok(Vec::new()) };
    // A command may have changed the router meanwhile.
    let Some((state, namespace)) = in_service(locked.load()?)? else { return Ok(Vec::new()) };
    let compiled = CompiledRouter::new(&state.router);
    let staged = services::stage(store, &compiled, &compiled, &[], &pass)?;
    let applied = staged.apply(&namespace, deadline.instant(), &mut pass)?;
    applied.complete(&namespace, deadline.instant(), &mut pass)?;
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
