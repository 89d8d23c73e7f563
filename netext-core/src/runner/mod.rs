//! The runner implements the process contract, so that a device need not know it.
//!
//! [`Runner::run`] takes the surroundings of a process as values and returns the outcome as a value: it can be tested
//! without a process. [`main`](crate::main) puts it into one.
//!
//! # Time
//!
//! The timeout argument counts from the start of the process. When it is over, or the process is asked to end (SIGTERM,
//! SIGINT), the runner calls the work off, and every [`Deadline`] says so. The device then has a grace to undo what it
//! began: a fifth of the timeout, at least 200 ms and at most 2 s. When the device is done, or the grace is over,
//! remaining child processes are killed, and the command fails: exit code 4, or 143 and 130 for the signals. A device
//! that blocks and never checks its deadline is abandoned.
//!
//! A success within the grace counts as a failure, because the server was promised an answer by the deadline and sends
//! the command again. Commands are idempotent, so this costs one repetition; reporting a half-undone change as a success
//! would cost more.

mod arguments;
mod environment;
mod log;
mod work;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

pub use environment::{Ending, Environment, Interrupter, Outcome, Signal};
pub use work::MAX_PAYLOAD_BYTES;
pub(crate) use work::{catch_panics, silence_panics};

use crate::{Deadline, Handler};
use arguments::Arguments;
use log::Log;
use work::Job;

/// Runs one command of a handler.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/device/examples/acme.rs"));
/// # acme! {}
/// use netext_core::Runner;
/// use netext_core::runner::Environment;
///
/// # fn main() {
/// let payload = r#"{"payload": {"network_id": "209", "current_details": "{\"host\":\"192.0.2.10\"}"}}"#;
/// let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
/// let environment = Environment::new(["acme", "ensure-network-device", "/payload", "60"], &mut stdout, &mut stderr)
///     .payload(move |_| Ok(payload.as_bytes()));
///
/// let outcome = Runner::new(Acme::default()).run(environment);
///
/// assert_eq!(outcome.exit_code(), 0);
/// assert_eq!(stdout, b"{\"host\":\"192.0.2.10\"}\n");
/// assert!(stderr.is_empty());
/// # }
/// ```
pub struct Runner {
    handler: Arc<dyn Handler>,
    log_file: Option<PathBuf>,
}

impl Runner {
    /// A runner of a device or any other handler.
    pub fn new(handler: impl Handler + 'static) -> Self {
        Self { handler: Arc::new(handler), log_file: None }
    }

    /// Appends a record of every command to a file: command, ids, outcome, exit code, milliseconds, and the error if
    /// there is one; never the payload. `tracing` events of the device from level `INFO` go there too. The file gets
    /// mode 0600, missing folders 0700.
    ///
    /// If the file cannot be opened, the command runs without a log: that must not keep networks from working, and no
    /// stream is left to report it.
    pub fn log_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.log_file = Some(path.into());
        self
    }

    /// Runs the command or flag of the arguments. Writes the reply to standard output after a success, or one line to
    /// standard error after a failure, never both.
    pub fn run(&self, environment: Environment<'_>) -> Outcome {
        let Environment { args, payload, stdout, stderr, started, events, owns_process } = environment;
        let program = arguments::program_name(&args);
        let invoked = match Arguments::parse(&program, &args) {
            Ok(Arguments::Command(invoked)) => invoked,
            other => {
                let answer = other.map(|flag| flag.answer(&program, &self.handler.description()));
                return Outcome::from(answer).deliver(stdout, stderr);
            }
        };
        let command = invoked.command;
        let deadline = Deadline::at(started + invoked.timeout);
        let handler = Arc::clone(&self.handler);
        let ids = Arc::default();
        let job = Job { handler, invoked, payload, deadline, ids: Arc::clone(&ids) };

        let log = Log::open(self.log_file.as_deref(), owns_process);
        let outcome = log.within(|| job.supervise(events)).deliver(stdout, stderr);
        log.record(command, ids.get().copied().unwrap_or_default(), &outcome, started.elapsed());
        outcome
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Runner").field("log_file", &self.log_file).finish_non_exhaustive()
    }
}
