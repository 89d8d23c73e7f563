//! Files on disk: read, replaced as a whole, removed and locked, with errors that name them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::fs::{
    AtFlags, CWD, FlockOperation, Mode, OFlags, fchmod, fchown, flock, openat, renameat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use tokio::sync::oneshot;

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

/// The outcome of an operation on a file that need not exist.
pub(crate) fn absent_is_none<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
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
    /// After a power cut the file has the new content.
    Lasting,
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
    name: &Path,
    path: &Path,
    content: &[u8],
    access: Access,
    durability: Durability,
) -> Result<(), FileError> {
    let draft = Draft::named(name, CWD, path, content, access, durability);
    draft.map_err(failed("write", path))?.put_in_place().map_err(failed("replace", path))?;
    match path.parent() {
        Some(folder) if durability == Durability::Lasting => sync_folder(folder),
        _ => Ok(()),
    }
}

/// The name of a file's draft, in the same folder.
pub(crate) fn draft_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    path.with_file_name(format!(".{}.new", name.to_string_lossy()))
}

/// Makes lasting which files a folder has.
fn sync_folder(path: &Path) -> Result<(), FileError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(failed("sync the folder", path))
}

/// The new content of a file, beside the old one. It is removed unless it is put in the file's place.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    folder: BorrowedFd<'a>,
    name: PathBuf,
    target: PathBuf,
    is_in_place: bool,
}

impl<'a> Draft<'a> {
    /// Writes the new content of a file in a folder.
    pub(crate) fn write(
        folder: BorrowedFd<'a>,
        target: &str,
        content: &[u8],
        access: Access,
        durability: Durability,
    ) -> io::Result<Self> {
        let target = target.as_ref();
        Self::named(&draft_name(target), folder, target, content, access, durability)
    }

    fn named(
        name: &Path,
        folder: BorrowedFd<'a>,
        target: &Path,
        content: &[u8],
        access: Access,
        durability: Durability,
    ) -> io::Result<Self> {
        let draft = Self { folder, name: name.to_owned(), target: target.to_owned(), is_in_place: false };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let owner = Mode::RUSR | Mode::WUSR;
        let mut file = File::from(openat(folder, &draft.name, flags, owner)?);
        match access {
            Access::Owner => {}
            Access::Group(group) => {
                fchown(&file, Some(Uid::ROOT), Some(Gid::from_raw(group)))?;
                fchmod(&file, owner | Mode::RGRP)?;
            }
            Access::Everyone => fchmod(&file, owner | Mode::RGRP | Mode::ROTH)?,
        }
        file.write_all(content)?;
        if durability != Durability::None {
            file.sync_data()?;
        }
        Ok(draft)
    }

    /// Replaces the file.
    pub(crate) fn put_in_place(mut self) -> io::Result<()> {
        renameat(self.folder, &self.name, self.folder, &self.target)?;
        self.is_in_place = true;
        Ok(())
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.is_in_place {
            // The error that is reported is the one that came first.
            let _ = unlinkat(self.folder, &self.name, AtFlags::empty());
        }
    }
}

/// A file that is locked until this is dropped. A lock file is never removed: two processes could hold one by the same
/// name.
#[derive(Debug)]
pub(crate) struct FileLock(#[expect(dead_code, reason = "held, not used")] File);

impl FileLock {
    /// Locks a file, which is created if it is absent. `None` if its holder did not release it before `called_off`.
    pub(crate) async fn acquire(
        path: &Path,
        called_off: impl Future<Output = ()>,
    ) -> io::Result<Option<Self>> {
        let file = open_lock(path)?;
        if try_lock(&file)? {
            return Ok(Some(Self(file)));
        }
        tokio::select! {
            file = wait(file) => file.map(|file| Some(Self(file))),
            () = called_off => Ok(None),
        }
    }

    /// Locks a file, which is created if it is absent. `None` if another process holds it.
    pub(crate) fn try_acquire(path: &Path) -> io::Result<Option<Self>> {
        let file = open_lock(path)?;
        Ok(try_lock(&file)?.then_some(Self(file)))
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
}

fn try_lock(file: &File) -> io::Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Waits on a thread: the kernel's wait for a lock cannot be called off. If the thread gets the lock when nobody waits
/// any more, it closes the file, which releases it.
async fn wait(file: File) -> io::Result<File> {
    /// How often the lock is tried where no thread can be started. Others then come first.
    const AGAIN: Duration = Duration::from_millis(5);

    let file = Arc::new(file);
    let (done, locked) = oneshot::channel();
    let waited_for = Arc::clone(&file);
    let waiting = thread::Builder::new().name("lock".to_owned()).spawn(move || {
        let result = flock(&*waited_for, FlockOperation::LockExclusive).map_err(io::Error::from);
        drop(waited_for);
        drop(done.send(result));
    });
    if waiting.is_ok() {
        locked.await.unwrap_or_else(|_| Err(io::Error::other("the thread that waited for it ended")))?;
    } else {
        while !try_lock(&file)? {
            tokio::time::sleep(AGAIN).await;
        }
    }
    Arc::into_inner(file).ok_or_else(|| io::Error::other("another thread still has it"))
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
            for durability in [Durability::None, Durability::Whole, Durability::Lasting] {
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
