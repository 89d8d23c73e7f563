//! Files on disk: read, replaced as a whole, removed and locked, with errors that name them.

mod lock;
mod versions;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fchmod, fchown, openat, unlinkat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use serde::{Deserialize, Serialize};

pub(crate) use lock::FileLock;
pub(crate) use versions::{NextVersion, VersionedFolder};

/// An operation on a file or folder failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub struct FileError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Adds the operation and the file to an error.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError + use<> {
    let path = path.to_owned();
    move |source| FileError { action, path, source }
}

/// The content of a file; `None` if it does not exist.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    absent_is_none(fs::read(path)).map_err(failed("read", path))
}

/// The content of a text file; `None` if it does not exist.
pub(crate) fn read_text(path: &Path) -> Result<Option<String>, FileError> {
    absent_is_none(fs::read_to_string(path)).map_err(failed("read", path))
}

/// Removes a file, if it exists.
pub(crate) fn remove(path: &Path) -> Result<(), FileError> {
    absent_is_none(fs::remove_file(path)).map(drop).map_err(failed("remove", path))
}

/// Removes a folder with all that is in it, if it exists.
pub(crate) fn remove_folder(path: &Path) -> Result<(), FileError> {
    absent_is_none(fs::remove_dir_all(path)).map(drop).map_err(failed("remove", path))
}

/// Removes a folder with all that is in it, if it exists. After a power cut it stays removed.
pub(crate) fn remove_folder_for_good(path: &Path) -> Result<(), FileError> {
    let removed = absent_is_none(fs::remove_dir_all(path)).map_err(failed("remove", path))?;
    match path.parent() {
        Some(above) if removed.is_some() => sync_folder(above),
        _ => Ok(()),
    }
}

/// Carries out what no longer can be undone. If it fails it is tried once more: a failure that passes must leave nothing
/// behind.
pub(crate) fn persistently<E>(attempt: impl Fn() -> Result<(), E>) -> Result<(), E> {
    attempt().or_else(|_| attempt())
}

/// The outcome of an operation on a file that need not exist.
pub(crate) fn absent_is_none<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// Inode, size, seconds and nanoseconds of a file: they differ once it was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileStamp(u64, u64, i64, i64);

impl FileStamp {
    /// The stamp of a file; `None` if it does not exist.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        let file = absent_is_none(fs::symlink_metadata(path))?;
        Ok(file.map(|file| Self(file.ino(), file.size(), file.mtime(), file.mtime_nsec())))
    }
}

/// Who can read a file. Only its owner can write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Its owner.
    Owner,
    /// Root, who owns it, and the group of this number.
    Group(u32),
    /// Everyone.
    Everyone,
}

/// What a replaced file survives. A killed process always leaves the old content or the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// After a power cut the file may be empty or damaged.
    None,
    /// After a power cut the file has the old content or the new one.
    Whole,
}

/// Replaces a file, or creates it. No other process may replace it at the same time.
pub(crate) fn replace(
    path: &Path,
    content: &[u8],
    access: Access,
    durability: Durability,
) -> Result<(), FileError> {
    replace_by(&draft_name(path), path, content, access, durability)
}

/// Replaces a file that several processes may replace at the same time: each one has a draft of its own.
pub(crate) fn replace_unlocked(path: &Path, content: &[u8], access: Access) -> Result<(), FileError> {
    let name = draft_name(path).with_extension(format!("{}.new", std::process::id()));
    replace_by(&name, path, content, access, Durability::None)
}

fn replace_by(
    draft: &Path,
    path: &Path,
    content: &[u8],
    access: Access,
    durability: Durability,
) -> Result<(), FileError> {
    let replaced = create(CWD, draft, content, access, durability)
        .map_err(failed("write", path))
        .and_then(|()| fs::rename(draft, path).map_err(failed("replace", path)));
    if replaced.is_err() {
        // The error that is reported is the one that came first.
        let _ = fs::remove_file(draft);
    }
    replaced
}

/// Creates a file in a folder. A file of that name that a killed process left is removed: it may be another name of a file
/// that is in use.
fn create(
    folder: BorrowedFd<'_>,
    name: &Path,
    content: &[u8],
    access: Access,
    durability: Durability,
) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let owner = Mode::RUSR | Mode::WUSR;
    let mut file = match openat(folder, name, flags, owner) {
        Err(Errno::EXIST) => {
            unlinkat(folder, name, AtFlags::empty())?;
            File::from(openat(folder, name, flags, owner)?)
        }
        opened => File::from(opened?),
    };
    match access {
        Access::Owner => {}
        Access::Group(group) => {
            fchown(&file, Some(Uid::ROOT), Some(Gid::from_raw(group)))?;
            fchmod(&file, owner | Mode::RGRP)?;
        }
        Access::Everyone => fchmod(&file, owner | Mode::RGRP | Mode::ROTH)?,
    }
    file.write_all(content)?;
    match durability {
        Durability::None => Ok(()),
        Durability::Whole => file.sync_data(),
    }
}

/// The name of a file's next version, in the same folder.
fn draft_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    path.with_file_name(format!(".{}.new", name.to_string_lossy()))
}

/// Makes lasting which files a folder has.
pub(crate) fn sync_folder(path: &Path) -> Result<(), FileError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(failed("sync the folder", path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_with_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        for (access, mode) in [(Access::Owner, 0o600), (Access::Group(7), 0o640), (Access::Everyone, 0o644)] {
            for durability in [Durability::None, Durability::Whole] {
                replace(&path, mode.to_string().as_bytes(), access, durability).unwrap();
                assert_eq!(read_text(&path).unwrap(), Some(mode.to_string()));
                assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
            }
        }
        replace_unlocked(&path, b"", Access::Owner).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft stays");
    }

    #[test]
    fn a_replacement_that_fails_leaves_the_old_file_and_no_draft() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("old"), "").unwrap();
        let error = replace(&path, b"new", Access::Owner, Durability::None).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot replace {}", path.display()));
        assert_eq!(error.source.kind(), ErrorKind::IsADirectory);
        assert!(path.join("old").exists());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft stays");
    }

    #[test]
    fn an_absent_file_is_neither_read_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("absent");
        assert_eq!(read(&path).unwrap(), None);
        remove(&path).unwrap();
        remove_folder(&path).unwrap();
    }
}
