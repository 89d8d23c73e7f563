//! The log file.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use netext_protocol::Command;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, dispatcher};

use super::payload::Subject;
use super::{Ending, Outcome};

/// The `tracing` target of the runner's own records.
pub(super) const TARGET: &str = "netext";

/// Where records go: a file, or without one wherever the caller's own subscriber puts them.
pub(super) struct Log(Option<Dispatch>);

impl Log {
    /// Opens the log. One that cannot be opened is given up: it must not keep networks from working.
    pub(super) fn open(path: Option<&Path>, process_wide: bool) -> Self {
        let Some(Ok(file)) = path.map(append_to) else { return Self(None) };
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::INFO)
            .with_ansi(false)
            .with_writer(Arc::new(file))
            .finish();
        let dispatch = Dispatch::new(subscriber);
        if process_wide {
            // Fails if the vendor has set one; theirs then gets what their own threads say.
            let _ = dispatcher::set_global_default(dispatch.clone());
        }
        Self(Some(dispatch))
    }

    /// Runs something whose events go to the log.
    pub(super) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(dispatch) => dispatcher::with_default(dispatch, work),
            None => work(),
        }
    }

    /// Writes the one record of a run.
    pub(super) fn record(&self, command: Command, subject: Subject, outcome: &Outcome, took: Duration) {
        let command = command.name();
        let Subject { network, vpc } = subject;
        let exit = outcome.exit_code();
        let ms = took.as_secs_f64() * 1000.0;
        let ms = (ms * 10.0).round() / 10.0;
        let ending = outcome.ending.name();
        self.within(|| match (outcome.ending, outcome.error.as_deref()) {
            (Ending::Succeeded, _) => {
                tracing::info!(target: TARGET, command, network, vpc, outcome = ending, exit, ms);
            }
            (_, error) => {
                tracing::error!(target: TARGET, command, network, vpc, outcome = ending, exit, ms, error);
            }
        });
    }
}

/// Opens a file that only we may read, in a folder that only we may enter.
fn append_to(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}
