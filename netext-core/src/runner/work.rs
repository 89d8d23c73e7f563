//! The work on one command: the device works on a thread of its own, and this one waits for it no longer than the
//! deadline and the grace allow.

use std::any::Any;
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tracing::dispatcher;

use super::arguments::Invoked;
use super::environment::{Ending, OpenPayload, Outcome, RunEvent};
use super::log::{LoggedIds, TARGET};
use crate::deadline::{PASSED, grace};
use crate::{Deadline, DeviceError, Handler, Invocation};

/// The largest payload that is read: 256 MiB.
pub const MAX_PAYLOAD_BYTES: u64 = 256 << 20;

/// Everything that one command needs.
pub(super) struct Job {
    pub(super) handler: Arc<dyn Handler>,
    pub(super) invoked: Invoked,
    pub(super) payload: OpenPayload,
    pub(super) deadline: Deadline,
    /// The ids of the payload, set once it was read if there is a log.
    pub(super) ids: Arc<OnceLock<LoggedIds>>,
}

impl Job {
    /// Does the job on a thread of its own, because a device that blocks must not keep the deadline from being enforced.
    pub(super) fn supervise(self, (sender, events): (Sender<RunEvent>, Receiver<RunEvent>)) -> Outcome {
        let deadline = self.deadline.clone();
        let (command, timeout) = (self.invoked.command, self.invoked.timeout);
        let log = dispatcher::get_default(Clone::clone);
        // A clone, so that the channel stays open even if the thread vanishes.
        let done = sender.clone();
        let work = move || {
            let result = dispatcher::with_default(&log, || catch_panics(|| self.answer()));
            let _ = done.send(RunEvent::Finished(result, Instant::now()));
        };
        if let Err(error) = thread::Builder::new().name("device".to_owned()).spawn(work) {
            return Err(DeviceError::device("cannot start the device's thread").with_source(error)).into();
        }

        let call_off = || call_off(&deadline, &events, grace(timeout));
        let (ending, answer) = match events.recv_timeout(deadline.remaining()) {
            Ok(RunEvent::Finished(result, at)) if at < deadline.instant() => return result.into(),
            // The device noticed the deadline before this thread did.
            Ok(RunEvent::Finished(result, _)) => (Ending::Expired, Some(result)),
            Ok(RunEvent::Interrupted(signal)) => (Ending::Interrupted(signal), call_off()),
            Err(_) => (Ending::Expired, call_off()),
        };
        let cause = match ending {
            Ending::Interrupted(signal) => format!("{command}: interrupted by {}", signal.name()),
            _ => format!("{command}: timed out after {} s", timeout.as_secs()),
        };
        let line = match answer {
            None => format!("{cause}; the device did not stop and was abandoned"),
            // The device knows what it waited for.
            Some(Err(error)) if error.report() != PASSED => format!("{cause}: {}", error.report()),
            Some(_) => cause,
        };
        Outcome::failure(ending, line)
    }

    /// The text that the device's reply prints.
    fn answer(self) -> Result<String, DeviceError> {
        let Invoked { command, payload_path, timeout } = self.invoked;
        let payload = read(self.payload, &payload_path)?;
        if tracing::enabled!(target: TARGET, tracing::Level::ERROR) {
            let _ = self.ids.set(LoggedIds::of(&payload));
        }
        let invocation = Invocation::new(command, payload)
            .with_payload_path(payload_path)
            .with_deadline(timeout, self.deadline);
        // A runtime takes some descriptors, and panics if it gets only a part of them.
        let runtime = room_for_a_runtime()
            .and_then(|()| tokio::runtime::Builder::new_current_thread().enable_all().build())
            .map_err(|error| DeviceError::device("cannot start the async runtime").with_source(error))?;
        let reply = runtime.block_on(self.handler.handle(invocation));
        // Threads that the device left running are not waited for.
        runtime.shutdown_background();
        reply?.render(command)
    }
}

/// Fails if this process has no room for the descriptors of a runtime.
fn room_for_a_runtime() -> io::Result<()> {
    /// The kernel's queue of events, two ends of a pair that signals come through, a second handle of one, and one that
    /// wakes the runtime; and one to spare.
    const DESCRIPTORS: usize = 6;

    let first = File::open("/dev/null")?;
    (1..DESCRIPTORS).map(|_| first.try_clone()).collect::<io::Result<Vec<_>>>().map(drop)
}

/// Asks the device to stop. Returns its answer if it does within the grace.
fn call_off(
    deadline: &Deadline,
    events: &Receiver<RunEvent>,
    grace: Duration,
) -> Option<Result<String, DeviceError>> {
    deadline.cancel();
    let end = Instant::now() + grace;
    loop {
        match events.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(RunEvent::Finished(result, _)) => return Some(result),
            // A further signal changes nothing.
            Ok(RunEvent::Interrupted(_)) => {}
            Err(_) => return None,
        }
    }
}

/// Reads the payload, once: the file holds credentials, and the server deletes it afterwards.
fn read(open: OpenPayload, path: &Path) -> Result<Vec<u8>, DeviceError> {
    let unreadable = |error: io::Error| {
        DeviceError::invalid(format!("cannot read the payload file {}", path.display())).with_source(error)
    };
    // Most payloads need a single read.
    let mut payload = Vec::with_capacity(16 * 1024);
    let mut limited = io::Read::take(open(path).map_err(unreadable)?, MAX_PAYLOAD_BYTES + 1);
    io::Read::read_to_end(&mut limited, &mut payload).map_err(unreadable)?;
    if payload.len() as u64 > MAX_PAYLOAD_BYTES {
        return Err(DeviceError::invalid(format!(
            "the payload file {} is larger than {} MiB",
            path.display(),
            MAX_PAYLOAD_BYTES >> 20
        )));
    }
    if let Err(error) = std::str::from_utf8(&payload) {
        return Err(DeviceError::invalid(format!(
            "the payload file {} is not UTF-8 at byte {}",
            path.display(),
            error.valid_up_to()
        )));
    }
    Ok(payload)
}

thread_local! {
    /// Where the last panic of this thread arose.
    static PANIC_LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on a panic prints nothing; its location is kept for [`catch_panics`].
pub(crate) fn silence_panics() {
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        PANIC_LOCATION.with_borrow_mut(|noted| *noted = location);
    }));
}

/// Runs code whose panic is an error like any other.
pub(crate) fn catch_panics<T>(work: impl FnOnce() -> Result<T, DeviceError>) -> Result<T, DeviceError> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

fn panicked(panic: &(dyn Any + Send)) -> DeviceError {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)");
    DeviceError::internal(match PANIC_LOCATION.with_borrow_mut(Option::take) {
        Some(location) => format!("panicked at {location}: {message}"),
        None => format!("panicked: {message}"),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn read_from<R: Read + Send + 'static>(source: io::Result<R>) -> Result<Vec<u8>, String> {
        let open: OpenPayload = Box::new(|_| Ok(Box::new(source?)));
        read(open, Path::new("/tmp/payload.json")).map_err(|error| {
            assert_eq!(error.exit_code(), 1);
            error.report()
        })
    }

    #[test]
    fn a_payload_that_cannot_be_read_is_refused_by_name() {
        let missing: io::Result<&[u8]> = Err(io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(
            read_from(missing).unwrap_err(),
            "cannot read the payload file /tmp/payload.json: entity not found"
        );
        assert_eq!(
            read_from(Ok(&b"{\"a\":\"\xff\"}"[..])).unwrap_err(),
            "the payload file /tmp/payload.json is not UTF-8 at byte 6"
        );
    }

    #[test]
    fn a_payload_is_read_up_to_the_limit_and_no_further() {
        assert_eq!(
            read_from(Ok(io::repeat(b' '))).unwrap_err(),
            "the payload file /tmp/payload.json is larger than 256 MiB"
        );
        let largest = read_from(Ok(io::repeat(b' ').take(MAX_PAYLOAD_BYTES))).unwrap();
        assert_eq!(largest.len() as u64, MAX_PAYLOAD_BYTES);
    }
}
