//! The end of a daemon.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::DaemonError;
use super::process::{Process, failed};
use crate::plan::Daemon;
use crate::wait::ended_by;

/// How long a daemon may take to say good-bye.
const PATIENCE: Duration = Duration::from_secs(2);

impl Process {
    /// Ends the process: politely, then by force.
    pub(super) fn stop(self, daemon: &Daemon, deadline: Instant) -> Result<(), DaemonError> {
        let polite_until = deadline.min(Instant::now() + PATIENCE);
        for (signal, until) in [(Signal::TERM, polite_until), (Signal::KILL, deadline)] {
            if !self.signal(daemon, signal)? {
                return Ok(());
            }
            let ended = ended_by(&self.descriptor, until);
            if ended.map_err(|errno| failed(daemon, "wait for the end", errno))? {
                return Ok(());
            }
        }
        Err(DaemonError::TimedOut { what: daemon.what.clone(), attempted: "see the end of a process" })
    }
}

/// Ends every process of a daemon, wherever it lives and whatever its pid file says.
///
/// Until none is found: one that was cut off while it became a daemon may have had a child after it was seen.
pub(super) fn all(daemon: &Daemon, deadline: Instant) -> Result<(), DaemonError> {
    loop {
        let found = Process::all(daemon)?;
        if found.is_empty() {
            return Ok(());
        }
        found.into_iter().try_for_each(|process| process.stop(daemon, deadline))?;
    }
}
