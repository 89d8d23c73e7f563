//! Waiting on this thread: for a process, for something to read, for a future.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

use netext_core::DeviceError;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FlockOperation, Timespec, flock};
use rustix::io::Errno;
use tokio::runtime::Builder;

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

/// Locks an open file or folder; false if its holder did not let go by the deadline. The kernel's own wait for a lock
/// has no limit.
pub(crate) fn locked_by(file: impl AsFd, deadline: Instant) -> io::Result<bool> {
    const LONGEST_PAUSE: Duration = Duration::from_millis(10);

    let mut pause = Duration::from_micros(200);
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) if Instant::now() >= deadline => return Ok(false),
            Err(Errno::WOULDBLOCK) => sleep(pause),
            Err(Errno::INTR) => {}
            outcome => return Ok(outcome.map(|()| true)?),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Runs a future to its end. It may wait for time and for threads, not for sockets or programs: such a runtime needs no
/// descriptors.
pub(crate) fn block_on<T, E: From<DeviceError>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    run(Builder::new_current_thread().enable_time(), work)
}

/// Runs a future that waits for sockets or programs to its end.
pub(crate) fn block_on_io<T, E: From<DeviceError>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    room_for_descriptors()
        .map_err(|error| DeviceError::device("cannot start a runtime").with_source(error))?;
    run(Builder::new_current_thread().enable_all(), work)
}

/// Fails if this process has no room for the descriptors of a runtime, which panics if it gets only a part of them.
fn room_for_descriptors() -> io::Result<()> {
    const DESCRIPTORS: usize = 6;

    let first = File::open("/dev/null")?;
    (1..DESCRIPTORS).map(|_| first.try_clone()).collect::<io::Result<Vec<_>>>().map(drop)
}

fn run<T, E: From<DeviceError>>(
    builder: &mut Builder,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let runtime = builder.build();
    runtime.map_err(|error| DeviceError::device("cannot start a runtime").with_source(error))?.block_on(work)
}

fn timespec(duration: Duration) -> Timespec {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    Timespec { tv_sec: seconds, tv_nsec: duration.subsec_nanos().into() }
}
