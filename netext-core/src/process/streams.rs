//! Standard input, output and error, taken away from everybody else.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::BorrowedFd;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio;

use crate::DeviceError;

/// The caller's streams, on descriptors that no child inherits.
#[derive(Debug)]
pub(super) struct Streams {
    pub(super) stdin: File,
    pub(super) stdout: File,
    pub(super) stderr: File,
}

impl Streams {
    /// Takes the streams and leaves `/dev/null` in their place.
    pub(super) fn take() -> io::Result<Self> {
        let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
        let streams = Self {
            stdin: private(stdio::stdin())?,
            stdout: private(stdio::stdout())?,
            stderr: private(stdio::stderr())?,
        };
        stdio::dup2_stdin(&null)?;
        stdio::dup2_stdout(&null)?;
        stdio::dup2_stderr(&null)?;
        Ok(streams)
    }

    /// Writes an error's line.
    pub(super) fn say(&mut self, error: &DeviceError) {
        // If this fails there is nowhere left to say so; the exit code still does.
        let _ = writeln!(self.stderr, "{}", error.report());
    }
}

/// The same stream on a descriptor beyond the standard ones that is closed in children.
fn private(stream: BorrowedFd<'_>) -> io::Result<File> {
    Ok(File::from(fcntl_dupfd_cloexec(stream, 3)?))
}
