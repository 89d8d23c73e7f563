//! A folder of documents that one process at a time changes.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Instant;

use crate::files::{FileError, VersionedFolder, absent_is_none, failed, sync_folder};
use crate::wait::locked_by;

/// Opens a folder and locks it: no other process changes it until this is dropped. Readers are not locked out: they see
/// every file before or after a change. `None` if it does not exist.
pub(super) fn lock_existing(path: &Path, deadline: Instant) -> Result<Option<VersionedFolder>, FileError> {
    let Some(handle) = absent_is_none(File::open(path)).map_err(failed("open the folder", path))? else {
        return Ok(None);
    };
    lock(&handle, deadline).map_err(failed("lock the folder", path))?;
    Ok(Some(VersionedFolder::new(path, handle)))
}

/// Opens a folder and locks it. It is created if it does not exist, for its owner alone.
pub(super) fn lock_or_create(path: &Path, deadline: Instant) -> Result<VersionedFolder, FileError> {
    if let Some(folder) = lock_existing(path, deadline)? {
        return Ok(folder);
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("create the folder", path))?;
    path.parent().map_or(Ok(()), sync_folder)?;
    lock_existing(path, deadline)?
        .ok_or_else(|| failed("lock the folder", path)(io::ErrorKind::NotFound.into()))
}

fn lock(folder: &File, deadline: Instant) -> io::Result<()> {
    if locked_by(folder, deadline)? {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds it and did not let go in time"))
}
