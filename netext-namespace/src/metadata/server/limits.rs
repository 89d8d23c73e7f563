//! How much of the server one guest, and all of them together, can take up.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Connections at a time.
const IN_TOTAL: usize = 512;
/// Connections at a time of one guest. Clients use one or two.
const PER_GUEST: usize = 16;
/// How often refusals are logged: a guest must not fill the disk with them.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Counts the connections.
#[derive(Debug, Default)]
pub(super) struct Limits {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    in_total: usize,
    by_guest: HashMap<Ipv4Addr, usize>,
    reported: Option<Instant>,
}

/// A connection that was let in, until this is dropped.
#[derive(Debug)]
pub(super) struct Admission {
    limits: Arc<Limits>,
    guest: Ipv4Addr,
}

impl Limits {
    /// Lets a connection in, unless there are too many.
    pub(super) fn admit(self: &Arc<Self>, guest: Ipv4Addr) -> Option<Admission> {
        let mut open = self.open();
        let of_guest = open.by_guest.get(&guest).copied().unwrap_or_default();
        if open.in_total >= IN_TOTAL || of_guest >= PER_GUEST {
            if open.reported.is_none_or(|reported| reported.elapsed() >= REPORT_EVERY) {
                open.reported = Some(Instant::now());
                tracing::warn!(%guest, of_guest, in_total = open.in_total, "too many connections, refusing");
            }
            return None;
        }
        open.in_total += 1;
        *open.by_guest.entry(guest).or_default() += 1;
        Some(Admission { limits: Arc::clone(self), guest })
    }

    /// Whether no connection is open.
    pub(super) fn is_idle(&self) -> bool {
        self.open().in_total == 0
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut open = self.limits.open();
        open.in_total -= 1;
        if let Some(of_guest) = open.by_guest.get_mut(&self.guest) {
            *of_guest -= 1;
            if *of_guest == 0 {
                open.by_guest.remove(&self.guest);
            }
        }
    }
}
