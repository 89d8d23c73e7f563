//! Work on many routers, some at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use netext_core::{Deadline, DeviceError};

use super::arguments::RouterPace;
use super::error::OperatorError;
use crate::model::RouterId;
use crate::store::Store;
use crate::wait::block_on;

/// The router on the command line, or all.
pub(super) fn routers(store: &Store, only: Option<RouterId>) -> Result<Vec<RouterId>, OperatorError> {
    let known = store.routers()?;
    match only {
        None => Ok(known),
        Some(router) if known.contains(&router) => Ok(vec![router]),
        Some(router) => Err(OperatorError::unknown_router(router, &known)),
    }
}

/// Visits every router, each within its time, and returns the outcomes in the routers' order. If one fails or panics,
/// the others are visited all the same. `seen` is called after each visit.
pub(super) fn sweep<T: Send>(
    routers: &[RouterId],
    pace: &RouterPace,
    visit: impl AsyncFn(RouterId, &Deadline) -> Result<T, DeviceError> + Sync,
    mut seen: impl FnMut(RouterId),
) -> Vec<(RouterId, Result<T, DeviceError>)> {
    let next = AtomicUsize::new(0);
    let (sender, outcomes) = mpsc::channel();
    let work = |sender: mpsc::Sender<_>| {
        while let Some((index, router)) = take(routers, &next) {
            let deadline = Deadline::after(pace.patience());
            let outcome = catch_unwind(AssertUnwindSafe(|| block_on(visit(router, &deadline))));
            let outcome = outcome.unwrap_or_else(|_| {
                Err(DeviceError::internal("it panicked; standard error has the details"))
            });
            // The receiver lives until the last router is done.
            let _ = sender.send((index, router, outcome));
        }
    };
    let mut visited: Vec<_> = thread::scope(|scope| {
        let jobs = pace.jobs().min(routers.len());
        let workers = (0..jobs).map_while(|_| {
            let (sender, work) = (sender.clone(), &work);
            thread::Builder::new().spawn_scoped(scope, move || work(sender)).ok()
        });
        // Where no thread can be started, this one does the work.
        if workers.count() == 0 {
            work(sender.clone());
        }
        drop(sender);
        outcomes.iter().inspect(|(_, router, _)| seen(*router)).collect()
    });
    visited.sort_by_key(|(index, ..)| *index);
    visited.into_iter().map(|(_, router, outcome)| (router, outcome)).collect()
}

fn take(routers: &[RouterId], next: &AtomicUsize) -> Option<(usize, RouterId)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, *routers.get(index)?))
}
