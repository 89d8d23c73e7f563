//! When to retry, and when to give up.

use std::time::Duration;

use netext_core::Deadline;

/// The first pause, before jitter; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_ATTEMPT: Duration = Duration::from_secs(10);
/// With less time than this there is no further attempt.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(100);
const ATTEMPTS: u32 = 6;

/// The attempts of one call, within the deadline of its command.
pub(crate) struct Backoff<'a> {
    deadline: &'a Deadline,
    /// The number of granted attempts.
    pub(crate) attempts: u32,
}

impl<'a> Backoff<'a> {
    pub(crate) fn new(deadline: &'a Deadline) -> Self {
        Self { deadline, attempts: 0 }
    }

    /// How long the next attempt may take: a third of the remaining time, so that the command survives one lost answer,
    /// and time remains to report a failure. `None` if it is too late.
    pub(crate) fn attempt(&mut self) -> Option<Duration> {
        let limit = (self.deadline.remaining() / 3).min(LONGEST_ATTEMPT);
        self.attempts += 1;
        (limit >= SHORTEST_ATTEMPT).then_some(limit)
    }

    /// How long to wait before another attempt: as long as the controller asked for, else between half and the whole of a
    /// pause that doubles, so that not all commands meet a recovering controller at once. `None` if there is no time for
    /// it, or after the last attempt.
    pub(crate) fn pause(&self, asked_for: Option<Duration>) -> Option<Duration> {
        let full = FIRST_PAUSE.saturating_mul(1 << (self.attempts.clamp(1, ATTEMPTS) - 1)).min(LONGEST_PAUSE);
        let pause = asked_for.unwrap_or_else(|| full.mul_f64(0.5 + fastrand::f64() / 2.0));
        let fits = pause + 3 * SHORTEST_ATTEMPT < self.deadline.remaining();
        (self.attempts < ATTEMPTS && fits).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_with_jitter_and_end() {
        let deadline = Deadline::after(60 * SECOND);
        let mut backoff = Backoff::new(&deadline);
        let mut pauses = Vec::new();
        while let Some(pause) = backoff.attempt().and_then(|_| backoff.pause(None)) {
            let full = FIRST_PAUSE * (1 << pauses.len());
            assert!((full / 2..=full).contains(&pause), "{pause:?} of {full:?}");
            pauses.push(pause);
        }
        assert_eq!((pauses.len(), backoff.attempts), (5, ATTEMPTS));
    }

    #[test]
    fn no_pause_is_longer_than_the_deadline_allows() {
        let deadline = Deadline::after(2 * SECOND);
        let mut backoff = Backoff::new(&deadline);
        assert!(backoff.attempt().unwrap() < SECOND);
        assert_eq!(backoff.pause(Some(SECOND)), Some(SECOND));
        assert_eq!(backoff.pause(Some(2 * SECOND)), None);

        deadline.cancel();
        assert_eq!((backoff.attempt(), backoff.pause(None)), (None, None));
    }
}
