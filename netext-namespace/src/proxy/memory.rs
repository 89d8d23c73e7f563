//! What this management server remembers of hosts and routers. It is advice only: without it everything works, more
//! slowly or more carefully.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::target::Host;
use crate::model::RouterId;

/// For how long a host that failed is asked after all others.
const DISTRUST: Duration = Duration::from_secs(30);

/// Small files in the proxy's folder.
#[derive(Debug)]
pub(super) struct Memory {
    folder: PathBuf,
}

impl Memory {
    /// What is remembered in a folder that exists.
    pub(super) fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// A host could not be asked.
    pub(super) fn note_failure(&self, host: &Host) {
        note(&self.failure(host), "");
    }

    /// A host answered.
    pub(super) fn note_answer(&self, host: &Host) {
        forget(&self.failure(host));
    }

    /// Whether a host failed a moment ago.
    pub(super) fn just_failed(&self, host: &Host) -> bool {
        let noted = fs::metadata(self.failure(host)).and_then(|file| file.modified());
        noted.is_ok_and(|at| at.elapsed().is_ok_and(|age| age < DISTRUST))
    }

    /// A router is on a host.
    pub(super) fn note_place(&self, router: RouterId, host: &Host) {
        if self.place(router).as_ref() != Some(host) {
            note(&self.placement(router), host.as_str());
        }
    }

    /// The host that a router was put on last.
    pub(super) fn place(&self, router: RouterId) -> Option<Host> {
        fs::read_to_string(self.placement(router)).ok()?.parse().ok()
    }

    /// A router is gone.
    pub(super) fn forget_place(&self, router: RouterId) {
        forget(&self.placement(router));
    }

    fn failure(&self, host: &Host) -> PathBuf {
        self.folder.join(format!("failed-{host}"))
    }

    fn placement(&self, router: RouterId) -> PathBuf {
        self.folder.join(format!("place-of-{router}"))
    }
}

fn note(path: &Path, text: &str) {
    // Two may write at once, each its own draft.
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    told(path, fs::write(&draft, text).and_then(|()| fs::rename(&draft, path)));
}

fn forget(path: &Path) {
    told(path, fs::remove_file(path));
}

fn told(path: &Path, done: io::Result<()>) {
    if let Err(error) = done
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "cannot remember");
    }
}
