//! One router, held by one command at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Instant;

use super::{StoreError, io_error};
use crate::model::RouterId;

/// A router that nobody else works on until this is dropped.
#[derive(Debug)]
pub struct LockedRouter {
    pub(super) router: RouterId,
    pub(super) folder: PathBuf,
    _lock: File,
}

impl LockedRouter {
    pub(super) fn acquire(root: &Path, router: RouterId, deadline: Instant) -> Result<Self, StoreError> {
        let path = root.join(format!("lock-{router}"));
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(io_error("open the lock file", &path))?;
        let lock = match file.try_lock() {
            Ok(()) => file,
            Err(TryLockError::WouldBlock) => wait(file, router, &path, deadline)?,
            Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
        };
        Ok(Self { router, folder: root.join(router.to_string()), _lock: lock })
    }

    /// The router's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The kernel has no lock with a time limit, so a thread waits and we wait for the thread. If it is too late,
/// the thread lets go of what it may still get.
fn wait(file: File, router: RouterId, path: &Path, deadline: Instant) -> Result<File, StoreError> {
    let (done, locked) = mpsc::channel();
    std::thread::spawn(move || {
        let result = file.lock().map(|()| file);
        // Nobody listens any more when it is too late; the lock is then dropped with the file.
        let _ = done.send(result);
    });
    match locked.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(result) => result.map_err(io_error("lock", path)),
        Err(_) => Err(StoreError::Busy { router, path: path.to_owned() }),
    }
}
