//! Waiting for a process or for something to read, for as long as there is time.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::Timespec;
use rustix::io::Errno;

/// Whether the process behind a pidfd has ended by the deadline.
pub(crate) fn ended_by(process: impl AsFd, deadline: Instant) -> Result<bool, Errno> {
    readable_by(process, deadline)
}

/// Whether there is something to read by the deadline.
pub(crate) fn readable_by(source: impl AsFd, deadline: Instant) -> Result<bool, Errno> {
    any_ready_by(&mut [PollFd::new(&source, PollFlags::IN)], deadline)
}

/// Whether any of these is ready, or has closed, by the deadline.
pub(crate) fn any_ready_by(watched: &mut [PollFd<'_>], deadline: Instant) -> Result<bool, Errno> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match poll(watched, Some(&timespec(left))) {
            Ok(0) if left.is_zero() => return Ok(false),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(errno) => return Err(errno),
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    Timespec { tv_sec: seconds, tv_nsec: duration.subsec_nanos().into() }
}
