//! What surrounds a process, as values.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Instant;

use super::Signal;
use super::payload::Open;
use super::supervisor::Event;

/// What surrounds one run: arguments, the source of the payload, the two output streams, the time at which it
/// began, and whoever may interrupt it.
pub struct Environment<'a> {
    pub(super) args: Vec<OsString>,
    pub(super) payload: Open,
    pub(super) stdout: &'a mut dyn Write,
    pub(super) stderr: &'a mut dyn Write,
    pub(super) started: Instant,
    pub(super) events: (Sender<Event>, Receiver<Event>),
    pub(super) owns_process: bool,
}

impl<'a> Environment<'a> {
    /// An environment whose run begins now, and whose payloads are files. The first argument is the program's
    /// name.
    pub fn new(
        args: impl IntoIterator<Item = impl Into<OsString>>,
        stdout: &'a mut dyn Write,
        stderr: &'a mut dyn Write,
    ) -> Self {
        Self {
            args: args.into_iter().map(Into::into).collect(),
            payload: Box::new(|path| Ok(Box::new(File::open(path)?))),
            stdout,
            stderr,
            started: Instant::now(),
            events: mpsc::channel(),
            owns_process: false,
        }
    }

    /// With another source of payloads: opens what the payload argument names.
    pub fn payload<R: Read + 'static>(
        mut self,
        open: impl FnOnce(&Path) -> io::Result<R> + Send + 'static,
    ) -> Self {
        self.payload = Box::new(|path| Ok(Box::new(open(path)?)));
        self
    }

    /// With another beginning: the timeout counts from here.
    pub fn started(mut self, started: Instant) -> Self {
        self.started = started;
        self
    }

    /// Who holds this can interrupt the run, from any thread.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter(self.events.0.clone())
    }

    /// The run has the process for itself: whatever it sets for all threads disturbs nobody.
    pub(crate) fn owning_the_process(mut self) -> Self {
        self.owns_process = true;
        self
    }
}

impl fmt::Debug for Environment<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Environment").field("args", &self.args).finish_non_exhaustive()
    }
}

/// Interrupts a run, as a signal does.
#[derive(Clone, Debug)]
pub struct Interrupter(Sender<Event>);

impl Interrupter {
    /// Calls the work off. Does nothing if the run is over.
    pub fn interrupt(&self, signal: Signal) {
        let _ = self.0.send(Event::Interrupted(signal));
    }
}
