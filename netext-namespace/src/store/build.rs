//! Which build of this program runs.

use std::os::unix::fs::MetadataExt;
use std::{env, fmt, fs};

use serde::{Deserialize, Serialize};

/// A build, told by its file: what another build has compiled is not what this one would have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Build {
    size: u64,
    modified: i64,
    modified_nanoseconds: i64,
}

impl Build {
    /// The build that runs; none if its file cannot be looked at, which is then none that is known.
    pub(crate) fn running() -> Option<Self> {
        let file = env::current_exe().and_then(fs::metadata).ok()?;
        Some(Self { size: file.size(), modified: file.mtime(), modified_nanoseconds: file.mtime_nsec() })
    }
}

impl fmt::Display for Build {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes of {}.{:09}", self.size, self.modified, self.modified_nanoseconds)
    }
}
