//! Waits for the device, but no longer than it may.

use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use tracing::dispatcher;

use super::worker::Job;
use super::{Ending, Signal};
use crate::deadline::grace;
use crate::{Deadline, DeviceError, ErrorKind};

/// What the supervisor waits for.
#[derive(Debug)]
pub(super) enum Event {
    /// The device is done, since when: what is to be printed, or why it failed.
    Finished(Result<String, DeviceError>, Instant),
    /// The process is asked to end.
    Interrupted(Signal),
}

/// A run that failed: how, and the line that says so.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) ending: Ending,
    pub(super) line: String,
}

impl From<DeviceError> for Failure {
    fn from(error: DeviceError) -> Self {
        Self { ending: Ending::Failed(error.kind()), line: error.report() }
    }
}

/// Has the job done on a thread of its own: a device that blocks must not keep the deadline from being
/// enforced.
pub(super) fn supervise(
    job: Job,
    (sender, events): (Sender<Event>, Receiver<Event>),
) -> Result<String, Failure> {
    let deadline = job.deadline().clone();
    let (command, timeout) = (job.invoked().command, job.invoked().timeout);
    let log = dispatcher::get_default(Clone::clone);
    // Kept here as well, so that the channel stays open whatever becomes of the worker.
    let done = sender.clone();
    let work = move || {
        let result = dispatcher::with_default(&log, || job.perform());
        let _ = done.send(Event::Finished(result, Instant::now()));
    };
    thread::Builder::new()
        .name("device".to_owned())
        .spawn(work)
        .map_err(|error| DeviceError::internal("cannot start the device's thread").with_source(error))?;

    let (ending, said) = match events.recv_timeout(deadline.remaining()) {
        Ok(Event::Finished(result, at)) if at < deadline.instant() => return result.map_err(Failure::from),
        // The device heard of the deadline before this thread did.
        Ok(Event::Finished(result, _)) => (Ending::Expired, Some(result)),
        Ok(Event::Interrupted(signal)) => {
            (Ending::Interrupted(signal), call_off(&deadline, &events, grace(timeout)))
        }
        Err(_) => (Ending::Expired, call_off(&deadline, &events, grace(timeout))),
    };
    let cause = match ending {
        Ending::Interrupted(signal) => format!("{command}: interrupted by {}", signal.name()),
        _ => format!("{command}: timed out after {} s", timeout.as_secs()),
    };
    Err(Failure { ending, line: with_what_was_said(cause, said) })
}

/// The line of a run that was called off: the cause, and what the device said to it, if that is news.
fn with_what_was_said(cause: String, said: Option<Result<String, DeviceError>>) -> String {
    match said {
        None => format!("{cause}; the device did not stop and was abandoned"),
        Some(Err(error)) if error.kind() != ErrorKind::TimedOut => format!("{cause}: {}", error.report()),
        Some(_) => cause,
    }
}

/// Tells the device to stop, and answers what it said, if it did stop.
fn call_off(
    deadline: &Deadline,
    events: &Receiver<Event>,
    grace: Duration,
) -> Option<Result<String, DeviceError>> {
    deadline.cancel();
    let end = Instant::now() + grace;
    loop {
        match events.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Event::Finished(result, _)) => return Some(result),
            // Asked to end again while it is ending.
            Ok(Event::Interrupted(_)) => {}
            Err(_) => return None,
        }
    }
}
