//! The thread on which a device works.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, OnceLock};

use super::arguments::Invoked;
use super::payload::{self, Open, Subject};
use crate::{Deadline, DeviceError, Handler, Invocation, process};

/// Everything that one command needs.
pub(super) struct Job {
    handler: Arc<dyn Handler>,
    invoked: Invoked,
    payload: Open,
    deadline: Deadline,
    subject: Arc<OnceLock<Subject>>,
}

impl Job {
    pub(super) fn new(
        handler: Arc<dyn Handler>,
        invoked: Invoked,
        payload: Open,
        deadline: Deadline,
    ) -> Self {
        Self { handler, invoked, payload, deadline, subject: Arc::default() }
    }

    /// Where the ids will stand once the payload was read; they are looked for if somebody logs.
    pub(super) fn subject(&self) -> Arc<OnceLock<Subject>> {
        Arc::clone(&self.subject)
    }

    pub(super) fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    pub(super) fn invoked(&self) -> &Invoked {
        &self.invoked
    }

    /// Does the work, and answers what is to be printed. A panic is an error like any other.
    pub(super) fn perform(self) -> Result<String, DeviceError> {
        panic::catch_unwind(AssertUnwindSafe(|| self.answer())).unwrap_or_else(|panic| Err(panicked(&*panic)))
    }

    fn answer(self) -> Result<String, DeviceError> {
        let Invoked { command, payload_path, timeout } = self.invoked;
        let payload = payload::read(self.payload, &payload_path)?;
        if tracing::enabled!(target: super::log::TARGET, tracing::Level::ERROR) {
            let _ = self.subject.set(Subject::of(&payload));
        }
        let invocation = Invocation::new(command, payload)
            .with_payload_path(payload_path)
            .with_deadline(timeout, self.deadline);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| DeviceError::internal("cannot start the async runtime").with_source(error))?;
        let reply = runtime.block_on(self.handler.handle(invocation));
        // Whatever the device left running in threads of its own is not waited for.
        runtime.shutdown_background();
        reply?.render(command)
    }
}

/// A panic as an error: its message, and where it arose if that was noted.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> DeviceError {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)");
    DeviceError::internal(match process::panic_location() {
        Some(location) => format!("panicked at {location}: {message}"),
        None => format!("panicked: {message}"),
    })
}
