//! Stops daemons.

use std::time::Instant;

use super::folder::DaemonFolder;
use super::{DaemonError, process};
use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::files::persistently;
use crate::kernel::namespace::Namespace;
use crate::plan::Daemon;

/// Where daemons that must not run are looked for. Each look beyond folders is one at every process of the host.
#[derive(Clone, Copy, Debug, Default)]
pub struct DaemonSearch<'a> {
    /// The router's namespace, if it has one.
    pub namespace: Option<&'a Namespace>,
    /// Whether daemons may run that have no folder any more.
    pub beyond_folders: bool,
    /// Stand for all daemons that must end in the namespace, even unknown ones: any of their programs with a file below
    /// their folder.
    pub strays: &'a [Daemon],
}

/// Stops daemons, in whichever namespace they run, and removes their folders. All are stopped at the same time, and one
/// that cannot be stopped does not protect the others. Its folder stays, so that the next call tries again.
#[must_use = "these are the daemons that could not be stopped"]
pub fn stop<'a>(
    daemons: impl IntoIterator<Item = &'a Daemon>,
    search: DaemonSearch<'_>,
    deadline: Instant,
    pass: &mut Pass,
) -> Vec<DaemonError> {
    let (mut folders, mut errors, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for daemon in daemons {
        all.push(daemon);
        match DaemonFolder::existing(daemon) {
            Ok(None) => {}
            Ok(Some(folder)) => {
                let what = format!("stop {} and remove its files", daemon.what);
                pass.differs(RouterPart::Daemon, DifferenceKind::Remove, what);
                folders.push(folder);
            }
            Err(error) => errors.push(error),
        }
    }
    if folders.is_empty() && !search.beyond_folders || !pass.acts() {
        return errors;
    }
    let stuck = match process::end_all(&all, search.strays, search.namespace, deadline) {
        Ok(stuck) => stuck,
        Err(error) => {
            errors.push(error);
            return errors;
        }
    };
    for folder in folders {
        if stuck.iter().any(|(daemon, _)| *daemon == folder.daemon) {
            continue;
        }
        if let Err(error) = persistently(|| folder.remove()) {
            // Nothing uses it any more, and the next pass over the router removes it.
            pass.falls_short(&error);
        }
    }
    errors.extend(stuck.into_iter().map(|(_, error)| error));
    errors
}

/// Ends daemons that are about to be started again. Their folders stay.
#[must_use = "these are the daemons that could not be ended"]
pub fn end(daemons: &[Daemon], search: DaemonSearch<'_>, deadline: Instant) -> Vec<DaemonError> {
    let daemons: Vec<_> = daemons.iter().collect();
    match process::end_all(&daemons, search.strays, search.namespace, deadline) {
        Ok(stuck) => stuck.into_iter().map(|(_, error)| error).collect(),
        Err(error) => vec![error],
    }
}

/// Removes other versions of daemons' files, after a change that failed.
pub fn discard_versions<'a>(daemons: impl IntoIterator<Item = &'a Daemon>) -> Result<(), DaemonError> {
    for daemon in daemons {
        if let Some(folder) = DaemonFolder::existing(daemon)? {
            persistently(|| folder.discard_versions())?;
        }
    }
    Ok(())
}
