//! One router, held by one command at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

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
    pub(super) async fn acquire(
        root: &Path,
        router: RouterId,
        called_off: impl Future<Output = ()>,
    ) -> Result<Self, StoreError> {
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
            Err(TryLockError::WouldBlock) => tokio::select! {
                file = wait(file) => file.map_err(io_error("lock", &path))?,
                () = called_off => return Err(StoreError::Busy { router, path }),
            },
            Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
        };
        Ok(Self { router, folder: root.join(router.to_string()), _lock: lock })
    }

    /// The router's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The kernel has no lock that one could stop waiting for, so a thread waits, and we for the thread. What it
/// gets when nobody waits any more, it lets go of with the file.
async fn wait(file: File) -> std::io::Result<File> {
    let (done, locked) = oneshot::channel();
    std::thread::spawn(move || {
        let result = file.lock().map(|()| file);
        drop(done.send(result));
    });
    locked.await.unwrap_or_else(|_| Err(std::io::Error::other("the thread that waited for it ended")))
}
