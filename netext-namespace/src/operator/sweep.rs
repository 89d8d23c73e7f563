//! Many routers, some at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use netext_core::{Deadline, DeviceError};

use super::arguments::Pace;
use super::failure::Failure;
use crate::model::RouterId;
use crate::store::Store;

/// The router that was asked for, or all.
pub(super) fn routers(store: &Store, only: Option<RouterId>) -> Result<Vec<RouterId>, Failure> {
    let known = store.routers()?;
    match only {
        None => Ok(known),
        Some(router) if known.contains(&router) => Ok(vec![router]),
        Some(router) => Err(Failure::unknown(router, &known)),
    }
}

/// Visits every router, each within its time, and returns what came of it in the routers' order. Whatever becomes of
/// one, the others are visited. `seen` hears of each as it is done.
pub(super) fn sweep<T: Send>(
    routers: &[RouterId],
    pace: &Pace,
    visit: impl AsyncFn(RouterId, &Deadline) -> Result<T, DeviceError> + Sync,
    mut seen: impl FnMut(RouterId),
) -> Vec<(RouterId, Result<T, DeviceError>)> {
    let next = AtomicUsize::new(0);
    let (tell, told) = mpsc::channel();
    let mut visited: Vec<_> = thread::scope(|scope| {
        for _ in 0..pace.jobs().min(routers.len()) {
            let (tell, next, visit) = (tell.clone(), &next, &visit);
            scope.spawn(move || {
                while let Some((index, router)) = take(routers, next) {
                    let outcome = within(pace.patience(), async |deadline| visit(router, deadline).await);
                    // Nobody stops listening before the last is done.
                    let _ = tell.send((index, router, outcome));
                }
            });
        }
        drop(tell);
        told.iter().inspect(|(_, router, _)| seen(*router)).collect()
    });
    visited.sort_by_key(|(index, ..)| *index);
    visited.into_iter().map(|(_, router, outcome)| (router, outcome)).collect()
}

fn take(routers: &[RouterId], next: &AtomicUsize) -> Option<(usize, RouterId)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, *routers.get(index)?))
}

/// Does something to its end on this thread. A panic is a failure of this work alone.
fn within<T>(
    patience: Duration,
    work: impl AsyncFnOnce(&Deadline) -> Result<T, DeviceError>,
) -> Result<T, DeviceError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| DeviceError::internal("cannot wait").with_source(error))?;
    let deadline = Deadline::after(patience);
    catch_unwind(AssertUnwindSafe(|| runtime.block_on(work(&deadline))))
        .unwrap_or_else(|_| Err(DeviceError::internal("it panicked; standard error tells where")))
}
