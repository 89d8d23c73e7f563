//! The deadline of a command.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::DeviceError;

/// The message of an error that says nothing but that the time is over.
pub(crate) const PASSED: &str = "the deadline has passed";

/// The deadline of a command. Clones share one flag: when the runner calls the work off, because the time is over or
/// the process was asked to end, every clone is cancelled.
///
/// Call [`check`](Self::check) before a change, not after it: a command that ends after the deadline counts as failed,
/// and the server sends it again.
///
/// ```
/// use netext_core::{Deadline, ErrorKind};
/// use std::time::Duration;
///
/// let deadline = Deadline::after(Duration::from_secs(60));
/// deadline.check()?;
/// assert!(deadline.remaining() > Duration::from_secs(59));
///
/// deadline.cancel();
/// assert_eq!(deadline.check().unwrap_err().kind(), ErrorKind::TimedOut);
/// # Ok::<(), netext_core::DeviceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Deadline {
    instant: Instant,
    cancelled: Arc<watch::Sender<bool>>,
}

impl Deadline {
    /// A deadline at an instant.
    pub fn at(instant: Instant) -> Self {
        Self { instant, cancelled: Arc::new(watch::Sender::new(false)) }
    }

    /// A deadline after some time from now.
    pub fn after(time: Duration) -> Self {
        Self::at(Instant::now() + time)
    }

    /// When the time is over.
    pub fn instant(&self) -> Instant {
        self.instant
    }

    /// The time that is left: none once the work was called off. Use it as the timeout of the next wait.
    pub fn remaining(&self) -> Duration {
        if *self.cancelled.borrow() {
            Duration::ZERO
        } else {
            self.instant.saturating_duration_since(Instant::now())
        }
    }

    /// Whether the time is over or the work was called off.
    pub fn is_cancelled(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Fails if the time is over or the work was called off.
    pub fn check(&self) -> Result<(), DeviceError> {
        if self.is_cancelled() {
            return Err(DeviceError::timed_out(PASSED));
        }
        Ok(())
    }

    /// Waits until the time is over or the work was called off.
    pub async fn cancelled(&self) {
        let mut flag = self.cancelled.subscribe();
        // The flag and the clock mean the same, so it does not matter which one ended the wait.
        let _ = tokio::time::timeout_at(self.instant.into(), flag.wait_for(|cancelled| *cancelled)).await;
    }

    /// Calls the work off before its time.
    pub fn cancel(&self) {
        self.cancelled.send_replace(true);
    }
}

/// How long a device has to undo what it began once the work is called off.
pub(crate) fn grace(timeout: Duration) -> Duration {
    (timeout / 5).clamp(Duration::from_millis(200), Duration::from_secs(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grace_is_a_fifth_of_the_timeout_within_bounds() {
        for (timeout, milliseconds) in [(1, 200), (5, 1000), (60, 2000), (86_400, 2000)] {
            assert_eq!(grace(Duration::from_secs(timeout)), Duration::from_millis(milliseconds));
        }
    }

    fn wait(deadline: &Deadline) -> Duration {
        let begin = Instant::now();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(deadline.cancelled());
        begin.elapsed()
    }

    #[test]
    fn a_wait_ends_at_the_deadline() {
        let deadline = Deadline::after(Duration::from_millis(50));
        assert!(!deadline.is_cancelled());
        assert!(wait(&deadline) >= Duration::from_millis(49));
        assert!(deadline.is_cancelled());
    }

    #[test]
    fn a_wait_ends_when_a_clone_calls_the_work_off() {
        let deadline = Deadline::after(Duration::from_secs(600));
        let clone = deadline.clone();
        std::thread::spawn(move || clone.cancel());
        assert!(wait(&deadline) < Duration::from_secs(60));
        assert!(deadline.check().is_err());
    }
}
