//! The log file, and the one record that it gets of every run.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use netext_protocol::Command;
use serde::Deserialize;
use tracing::field::display;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, dispatcher};

use super::environment::{Ending, Outcome};

/// The `tracing` target of the runner's own records.
pub(super) const TARGET: &str = "netext";

/// Where records go: to a file, or without one to the caller's own subscriber.
pub(super) struct Log(Option<Dispatch>);

impl Log {
    /// Opens the log. If that fails the run goes on without: a log must not keep networks from working.
    pub(super) fn open(path: Option<&Path>, process_wide: bool) -> Self {
        let Some(Ok(file)) = path.map(append_to) else { return Self(None) };
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::INFO)
            .with_ansi(false)
            .with_writer(Arc::new(file))
            .finish();
        let dispatch = Dispatch::new(subscriber);
        if process_wide {
            // Fails if the vendor has set one, which then gets the events of their own threads.
            let _ = dispatcher::set_global_default(dispatch.clone());
        }
        Self(Some(dispatch))
    }

    /// Runs code whose events go to the log.
    pub(super) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(dispatch) => dispatcher::with_default(dispatch, work),
            None => work(),
        }
    }

    /// Writes the record of a run.
    pub(super) fn record(&self, command: Command, ids: LoggedIds, outcome: &Outcome, took: Duration) {
        let command = command.name();
        let LoggedIds { network, vpc } = ids;
        let exit = outcome.exit_code();
        let ms = took.as_secs_f64() * 1000.0;
        let ms = (ms * 10.0).round() / 10.0;
        let ending = outcome.ending.name();
        self.within(|| match (outcome.ending, outcome.error.as_deref()) {
            (Ending::Succeeded, _) => {
                tracing::info!(target: TARGET, command, network, vpc, outcome = ending, exit, ms);
            }
            (_, error) => {
                let error = error.map(display);
                tracing::error!(target: TARGET, command, network, vpc, outcome = ending, exit, ms, error);
            }
        });
    }
}

/// Opens a file that only its owner may read, in a folder that only its owner may enter.
fn append_to(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// The network and the VPC that a payload is about, for the log: numbers only, so that no untrusted text gets there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LoggedIds {
    pub(super) network: Option<u64>,
    pub(super) vpc: Option<u64>,
}

impl LoggedIds {
    /// Finds the ids. A malformed payload has none here; the handler refuses it.
    pub(super) fn of(payload: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        struct Ids<'a> {
            #[serde(borrow)]
            network_id: Option<Id<'a>>,
            #[serde(borrow)]
            vpc_id: Option<Id<'a>>,
        }

        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Id<'a> {
            Number(u64),
            Text(&'a str),
        }

        impl Id<'_> {
            fn number(&self) -> Option<u64> {
                match self {
                    Self::Number(number) => Some(*number),
                    Self::Text(text) => text.parse().ok(),
                }
            }
        }

        #[derive(Deserialize)]
        struct Payload<'a> {
            #[serde(borrow)]
            payload: Option<Ids<'a>>,
            #[serde(borrow, flatten)]
            flat: Ids<'a>,
        }

        let Ok(Payload { payload, flat }) = serde_json::from_slice(payload) else { return Self::default() };
        let ids = payload.unwrap_or(flat);
        Self {
            network: ids.network_id.as_ref().and_then(Id::number),
            vpc: ids.vpc_id.as_ref().and_then(Id::number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_are_found_in_every_form_of_payload() {
        let ids = |network, vpc| LoggedIds { network, vpc };
        for (payload, expected) in [
            (
                r#"{"payload":{"network_id":"209","vpc_id":7,"rules":[{"x":1}]},"a":{}}"#,
                ids(Some(209), Some(7)),
            ),
            (r#"{"network_id":209,"action":"dump","action-params":{}}"#, ids(Some(209), None)),
            (r#"{"vpc_id":"7","action":"dump"}"#, ids(None, Some(7))),
            (r#"{"payload":{"network_id":"hunter2"}}"#, ids(None, None)),
            ("not JSON", ids(None, None)),
        ] {
            assert_eq!(LoggedIds::of(payload.as_bytes()), expected, "{payload}");
        }
    }
}
