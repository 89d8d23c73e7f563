//! Holding a router's lock, as another command would.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;

use nix::fcntl::{Flock, FlockArg};

use crate::lab::Lab;
use crate::network::Network;

/// A router's lock, held until this is dropped.
#[derive(Debug)]
pub struct HeldLock {
    _file: Flock<File>,
}

impl Network<'_> {
    /// Takes the lock that every command on this network takes, as soon as it is free.
    #[track_caller]
    pub fn hold_lock(&self) -> HeldLock {
        hold(self.lab, &self.lock_file())
    }
}

#[track_caller]
fn hold(lab: &Lab, path: &str) -> HeldLock {
    let folder = lab.state_folder();
    let file = lab.host().run(|| {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        File::options().write(true).create(true).truncate(false).open(path)
    });
    let file = file.unwrap_or_else(|error| panic!("{path}: {error}"));
    match Flock::lock(file, FlockArg::LockExclusive) {
        Ok(file) => HeldLock { _file: file },
        Err((_, error)) => panic!("{path}: {error}"),
    }
}
