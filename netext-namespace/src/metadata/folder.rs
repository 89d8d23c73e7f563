//! A folder of documents that one process changes at a time.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FlockOperation, Mode, OFlags, flock, openat, renameat, syncfs, unlinkat};
use rustix::io::Errno;

use super::MetadataError;

/// A folder that nobody else changes until this is dropped. Readers are not kept out: they see every file as it
/// was before or as it is after.
///
/// Everything goes through the open folder, not through its path: were it removed and made anew by someone who
/// does not hold this lock, changes would fail instead of landing in the new one.
#[derive(Debug)]
pub(super) struct LockedFolder {
    path: PathBuf,
    handle: File,
}

/// What a file is called until it is complete.
fn staged(name: &str) -> String {
    format!(".{name}.new")
}

impl LockedFolder {
    /// Makes the folder if need be, for its owner alone, and waits until nobody else changes it.
    pub(super) fn lock(path: &Path) -> Result<Self, MetadataError> {
        let handle = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path)?,
            opened => opened.map_err(MetadataError::io("open the folder", path))?,
        };
        flock(&handle, FlockOperation::LockExclusive)
            .map_err(|error| MetadataError::io("lock the folder", path)(error.into()))?;
        Ok(Self { path: path.to_owned(), handle })
    }

    /// Locks the folder if there is one.
    pub(super) fn lock_existing(path: &Path) -> Result<Option<Self>, MetadataError> {
        let exists = path.try_exists().map_err(MetadataError::io("look for the folder", path))?;
        exists.then(|| Self::lock(path)).transpose()
    }

    /// The names of the files, those included that somebody left incomplete.
    pub(super) fn names(&self) -> Result<Vec<String>, MetadataError> {
        let read = || -> io::Result<Vec<String>> {
            let mut names = Vec::new();
            for entry in Dir::read_from(&self.handle)? {
                // A name that is not UTF-8 is none of ours.
                match entry?.file_name().to_str() {
                    Ok("." | "..") | Err(_) => {}
                    Ok(name) => names.push(name.to_owned()),
                }
            }
            Ok(names)
        };
        read().map_err(MetadataError::io("list the folder", &self.path))
    }

    /// Writes what a file shall be, beside what it is.
    pub(super) fn stage(&self, name: &str, bytes: &[u8]) -> Result<File, MetadataError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let new = staged(name);
        let write = || -> io::Result<File> {
            let mut file = File::from(openat(&self.handle, &new, flags, Mode::RUSR | Mode::WUSR)?);
            file.write_all(bytes)?;
            Ok(file)
        };
        write().map_err(MetadataError::io("write", &self.path.join(&new)))
    }

    /// Puts what was staged in the file's place.
    pub(super) fn put_in_place(&self, name: &str) -> Result<(), MetadataError> {
        renameat(&self.handle, staged(name), &self.handle, name)
            .map_err(|error| MetadataError::io("replace", &self.path.join(name))(error.into()))
    }

    /// Replaces one file, durably but for the folder's [`sync`](Self::sync).
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), MetadataError> {
        self.stage(name, bytes)?.sync_data().map_err(MetadataError::io("sync", &self.path.join(name)))?;
        self.put_in_place(name)
    }

    /// Removes a file and what was staged for it; what is absent is removed already.
    pub(super) fn remove(&self, name: &str) -> Result<(), MetadataError> {
        for name in [name, &staged(name)] {
            match unlinkat(&self.handle, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(MetadataError::io("remove", &self.path.join(name))(error.into())),
            }
        }
        Ok(())
    }

    /// Makes what was staged durable, however many files, at the price of one.
    pub(super) fn sync_staged(&self) -> Result<(), MetadataError> {
        syncfs(&self.handle)
            .map_err(|error| MetadataError::io("sync the file system of", &self.path)(error.into()))
    }

    /// Makes the names durable: which files there are, and which content each one has.
    pub(super) fn sync(&self) -> Result<(), MetadataError> {
        self.handle.sync_all().map_err(MetadataError::io("sync the folder", &self.path))
    }
}

fn make(path: &Path) -> Result<File, MetadataError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .and_then(|()| path.parent().map_or(Ok(()), |above| File::open(above)?.sync_all()))
        .and_then(|()| File::open(path))
        .map_err(MetadataError::io("create the folder", path))
}
