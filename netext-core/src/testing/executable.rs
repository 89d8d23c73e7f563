//! An executable in any language, run as the server runs it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::call::{Answer, Call};
use super::{Extension, process};

/// An executable, and a folder of its own for payload files.
#[derive(Debug)]
pub struct Executable {
    path: PathBuf,
    variables: BTreeMap<OsString, OsString>,
    folder: TempDir,
    calls: AtomicU32,
}

impl Executable {
    /// The executable at a path, called by just that path: some look at the name that they are called by.
    pub fn new(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let is_executable = rustix::fs::access(&path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file();
        if !is_executable {
            let problem = if path.exists() { "is not an executable file" } else { "is not there" };
            return Err(io::Error::other(format!("{} {problem}", path.display())));
        }
        let folder = tempfile::Builder::new().prefix("netext-").tempdir()?;
        Ok(Self { path, variables: BTreeMap::new(), folder, calls: AtomicU32::new(0) })
    }

    /// With a variable in its environment, beside those of this process.
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn run(&self, call: &Call) -> io::Result<Answer> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let file = self.folder.path().join(format!("payload-{number}.json"));
        if let Some(payload) = &call.payload {
            let mut opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
            opened.write_all(payload)?;
        }
        let mut command = Command::new(&self.path);
        command.args(call.arguments(&file)).envs(&self.variables);
        let answer = process::run(command, call.streams, call.patience);
        // The server deletes it afterwards as well; an extension may have done so already.
        let _ = std::fs::remove_file(&file);
        answer
    }
}

impl Extension for Executable {
    /// # Panics
    /// If it cannot be run at all, because it was removed meanwhile or the machine is out of resources.
    fn answer(&self, call: &Call) -> Answer {
        self.run(call).unwrap_or_else(|error| panic!("cannot run {}: {error}", self.path.display()))
    }
}
