//! One router, held by one command at a time.

use std::path::{Path, PathBuf};

use super::{StoreError, io_error};
use crate::lock::FileLock;
use crate::model::RouterId;

/// A router that nobody else works on until this is dropped.
#[derive(Debug)]
pub struct LockedRouter {
    pub(super) router: RouterId,
    pub(super) folder: PathBuf,
    _lock: FileLock,
}

impl LockedRouter {
    pub(super) async fn acquire(
        root: &Path,
        router: RouterId,
        called_off: impl Future<Output = ()>,
    ) -> Result<Self, StoreError> {
        let path = root.join(format!("lock-{router}"));
        let lock = FileLock::acquire(&path, called_off).await.map_err(io_error("lock", &path))?;
        let lock = lock.ok_or(StoreError::Busy { router, path })?;
        Ok(Self { router, folder: root.join(router.to_string()), _lock: lock })
    }

    /// The router's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
