//! The build of this program that wrote something.

use std::os::unix::fs::MetadataExt;
use std::{fmt, fs};

use serde::{Deserialize, Serialize};

use crate::files::{FileError, failed};

/// The file of the running program.
const EXECUTABLE: &str = "/proc/self/exe";

/// A build of this program, identified by its file. Another build may compile the same router differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProgramBuild {
    size: u64,
    modified: i64,
    modified_nanoseconds: i64,
}

impl ProgramBuild {
    /// The running build, also if its file was replaced since it started.
    pub(crate) fn running() -> Result<Self, FileError> {
        let file = fs::metadata(EXECUTABLE).map_err(failed("look at", EXECUTABLE.as_ref()))?;
        Ok(Self { size: file.size(), modified: file.mtime(), modified_nanoseconds: file.mtime_nsec() })
    }
}

impl fmt::Display for ProgramBuild {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes of {}.{:09}", self.size, self.modified, self.modified_nanoseconds)
    }
}
