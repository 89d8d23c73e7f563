//! A folder of documents that one process at a time changes.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FlockOperation, flock, syncfs, unlinkat};
use rustix::io::Errno;

use crate::files::{Access, Draft, Durability, FileError, absent_is_none, draft_name, failed};

/// A folder that no other process changes until this is dropped. Readers are not locked out: they see every file before
/// or after a change.
///
/// All operations use the open folder, not its path: if a process without the lock removes the folder and creates it
/// again, changes fail instead of reaching the new one.
#[derive(Debug)]
pub(super) struct LockedFolder {
    path: PathBuf,
    handle: File,
}

impl LockedFolder {
    /// Creates the folder if it does not exist, for its owner alone, and waits until no other process changes it.
    pub(super) fn lock(path: &Path) -> Result<Self, FileError> {
        let opened = absent_is_none(File::open(path)).map_err(failed("open the folder", path))?;
        let handle = opened.map_or_else(|| create(path), Ok)?;
        flock(&handle, FlockOperation::LockExclusive)
            .map_err(|error| failed("lock the folder", path)(error.into()))?;
        Ok(Self { path: path.to_owned(), handle })
    }

    /// Locks the folder if it exists.
    pub(super) fn lock_existing(path: &Path) -> Result<Option<Self>, FileError> {
        let exists = path.try_exists().map_err(failed("look for the folder", path))?;
        exists.then(|| Self::lock(path)).transpose()
    }

    /// The names of the files, including those that a killed process left incomplete.
    pub(super) fn names(&self) -> Result<Vec<String>, FileError> {
        let read = || -> io::Result<Vec<String>> {
            let mut names = Vec::new();
            for entry in Dir::read_from(&self.handle)? {
                // A name that is not UTF-8 is not one of ours.
                match entry?.file_name().to_str() {
                    Ok("." | "..") | Err(_) => {}
                    Ok(name) => names.push(name.to_owned()),
                }
            }
            Ok(names)
        };
        read().map_err(failed("list the folder", &self.path))
    }

    /// Writes the new content of a file beside the old one.
    pub(super) fn draft(
        &self,
        name: &str,
        content: &[u8],
        durability: Durability,
    ) -> Result<Draft<'_>, FileError> {
        Draft::write(self.handle.as_fd(), name, content, Access::Owner, durability)
            .map_err(failed("write", &self.path.join(name)))
    }

    /// Replaces a file by its new content.
    pub(super) fn put_in_place(&self, name: &str, draft: Draft<'_>) -> Result<(), FileError> {
        draft.put_in_place().map_err(failed("replace", &self.path.join(name)))
    }

    /// Replaces one file. What the folder has lasts only after [`sync`](Self::sync).
    pub(super) fn replace(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
        self.put_in_place(name, self.draft(name, content, Durability::Whole)?)
    }

    /// Removes a file and its draft, if they exist.
    pub(super) fn remove(&self, name: &str) -> Result<(), FileError> {
        for name in [Path::new(name), &draft_name(name.as_ref())] {
            match unlinkat(&self.handle, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(failed("remove", &self.path.join(name))(error.into())),
            }
        }
        Ok(())
    }

    /// Makes the content of drafts lasting, however many there are, at the price of one.
    pub(super) fn sync_drafts(&self) -> Result<(), FileError> {
        syncfs(&self.handle).map_err(|error| failed("sync the file system of", &self.path)(error.into()))
    }

    /// Makes lasting which files there are.
    pub(super) fn sync(&self) -> Result<(), FileError> {
        self.handle.sync_all().map_err(failed("sync the folder", &self.path))
    }
}

fn create(path: &Path) -> Result<File, FileError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .and_then(|()| path.parent().map_or(Ok(()), |above| File::open(above)?.sync_all()))
        .and_then(|()| File::open(path))
        .map_err(failed("create the folder", path))
}
