//! Next versions of a folder's files, which come into force together or not at all.
//!
//! A file `NAME` that is to change is *staged* first: `.NAME.new` is its next version, and `.NAME.old` its current one.
//! An empty file without any permission stands for a version in which the file does not exist. Then the next version is
//! put in place. Until `.NAME.old` is removed, that version can be restored, which needs no space on the disk.
//!
//! Every operation goes on where an earlier one stopped, even if that was in a process that was killed.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, linkat, openat, renameat, statat, syncfs, unlinkat};
use rustix::io::Errno;

use super::{Access, Durability, FileError, absent_is_none, create, failed};

/// The next version of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NextVersion<'a> {
    /// It has this content.
    Content(&'a [u8]),
    /// It is as it is. Only the marks of a change are made.
    Same,
    /// It does not exist.
    Absent,
}

/// A folder with versioned files. It is used through its descriptor: if another process removes the folder and creates
/// it again, operations fail instead of reaching the new one.
#[derive(Debug)]
pub(crate) struct VersionedFolder {
    path: PathBuf,
    handle: File,
}

impl VersionedFolder {
    /// An open folder.
    pub(crate) fn new(path: &Path, handle: File) -> Self {
        Self { path: path.to_owned(), handle }
    }

    /// The folder of that path, if it exists.
    pub(crate) fn open_existing(path: &Path) -> Result<Option<Self>, FileError> {
        let handle = absent_is_none(File::open(path)).map_err(failed("open the folder", path))?;
        Ok(handle.map(|handle| Self::new(path, handle)))
    }

    /// Stages the next version of a file.
    pub(crate) fn stage(
        &self,
        name: &str,
        next: NextVersion<'_>,
        access: Access,
        durability: Durability,
    ) -> Result<(), FileError> {
        let (new, old) = (next_name(name), old_name(name));
        let staged = || -> io::Result<()> {
            self.unlink(&old)?;
            match next {
                NextVersion::Content(content) => {
                    create(self.handle.as_fd(), &new, content, access, durability)?;
                }
                NextVersion::Absent => self.mark_absent(&new)?,
                NextVersion::Same => self.link(name, &new)?,
            }
            self.link(name, &old)
        };
        staged().map_err(|error| {
            // The error that is reported is the one that came first.
            let _ = self.discard(name);
            failed("write", &self.path.join(name))(error)
        })
    }

    /// Puts the next version of a file in place, if one is staged.
    pub(crate) fn put_in_place(&self, name: &str) -> Result<(), FileError> {
        self.replace_by(name, &next_name(name)).map_err(failed("replace", &self.path.join(name)))
    }

    /// Restores the version of a file that was current when it was staged. A staged version stays.
    pub(crate) fn restore(&self, name: &str) -> Result<(), FileError> {
        self.replace_by(name, &old_name(name)).map_err(failed("restore", &self.path.join(name)))
    }

    /// Marks a file as staged again, before its old version is restored.
    pub(crate) fn mark_staged(&self, name: &str) -> Result<(), FileError> {
        self.link(name, &next_name(name)).map_err(failed("mark", &self.path.join(name)))
    }

    /// Removes the staged version of a file, if there is one.
    pub(crate) fn unstage(&self, name: &str) -> Result<(), FileError> {
        self.unlink(&next_name(name)).map_err(failed("remove the next version of", &self.path.join(name)))
    }

    /// Removes the staged and the old version of a file, if they exist.
    pub(crate) fn discard(&self, name: &str) -> Result<(), FileError> {
        let discarded = self.unlink(&next_name(name)).and_then(|()| self.unlink(&old_name(name)));
        discarded.map_err(failed("remove other versions of", &self.path.join(name)))
    }

    /// The content of the next version of a file, if one is staged that exists.
    pub(crate) fn next(&self, name: &str) -> Result<Option<Vec<u8>>, FileError> {
        self.version(&next_name(name))
    }

    /// The content of the old version of a file, if there is one that exists.
    pub(crate) fn old(&self, name: &str) -> Result<Option<Vec<u8>>, FileError> {
        self.version(&old_name(name))
    }

    fn version(&self, name: &Path) -> Result<Option<Vec<u8>>, FileError> {
        match self.look_at(name)? {
            Some(Version::Content { .. }) => super::read(&self.path.join(name)),
            Some(Version::Absent) | None => Ok(None),
        }
    }

    /// Whether the next version of a file is staged.
    pub(crate) fn has_next(&self, name: &str) -> Result<bool, FileError> {
        Ok(self.look_at(&next_name(name))?.is_some())
    }

    /// Whether the next version of a file is the file as it is.
    pub(crate) fn is_next_same(&self, name: &str) -> Result<bool, FileError> {
        let inode = |name: &Path| {
            Ok::<_, FileError>(match self.look_at(name)? {
                Some(Version::Content { inode }) => Some(inode),
                Some(Version::Absent) | None => None,
            })
        };
        Ok(inode(&next_name(name))? == inode(name.as_ref())?)
    }

    /// Whether there is an old version of a file.
    pub(crate) fn has_old(&self, name: &str) -> Result<bool, FileError> {
        Ok(self.look_at(&old_name(name))?.is_some())
    }

    /// The names of the folder's files, without those of other versions.
    pub(crate) fn names(&self) -> Result<Vec<String>, FileError> {
        Ok(self.listed()?.into_iter().filter(|name| !name.starts_with('.')).collect())
    }

    /// The names of files that have another version.
    pub(crate) fn staged_or_replaced(&self) -> Result<Vec<String>, FileError> {
        let mut names: Vec<_> = self.listed()?.iter().filter_map(|name| versioned(name)).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn listed(&self) -> Result<Vec<String>, FileError> {
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

    /// Makes the content of staged files lasting, however many there are, at the price of one.
    pub(crate) fn sync_contents(&self) -> Result<(), FileError> {
        syncfs(&self.handle).map_err(|error| failed("sync the file system of", &self.path)(error.into()))
    }

    /// Makes lasting which files there are.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        self.handle.sync_all().map_err(failed("sync the folder", &self.path))
    }

    /// Makes a version that is a file as it is.
    fn link(&self, name: &str, version: &Path) -> io::Result<()> {
        self.unlink(version)?;
        match linkat(&self.handle, name, &self.handle, version, AtFlags::empty()) {
            Err(Errno::NOENT) => self.mark_absent(version),
            linked => Ok(linked?),
        }
    }

    /// Makes a version in which the file does not exist.
    fn mark_absent(&self, version: &Path) -> io::Result<()> {
        self.unlink(version)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        openat(&self.handle, version, flags, Mode::empty())?;
        Ok(())
    }

    /// Makes a file what a version of it is, if there is that version. The version goes.
    fn replace_by(&self, name: &str, version: &Path) -> io::Result<()> {
        match self.kind(version)? {
            None => return Ok(()),
            Some(Version::Absent) => self.unlink(name.as_ref())?,
            Some(Version::Content { .. }) => renameat(&self.handle, version, &self.handle, name)?,
        }
        // Two names of one file stay as they are when one is renamed to the other.
        self.unlink(version)
    }

    fn unlink(&self, name: &Path) -> io::Result<()> {
        match unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn look_at(&self, version: &Path) -> Result<Option<Version>, FileError> {
        self.kind(version).map_err(failed("look at", &self.path.join(version)))
    }

    fn kind(&self, version: &Path) -> io::Result<Option<Version>> {
        match statat(&self.handle, version, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(status) if status.st_size == 0 && Mode::from_raw_mode(status.st_mode).is_empty() => {
                Ok(Some(Version::Absent))
            }
            Ok(status) => Ok(Some(Version::Content { inode: status.st_ino })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// A version of a file.
enum Version {
    /// It exists.
    Content { inode: u64 },
    /// It does not exist.
    Absent,
}

fn next_name(name: &str) -> PathBuf {
    format!(".{name}.new").into()
}

fn old_name(name: &str) -> PathBuf {
    format!(".{name}.old").into()
}

/// The name of the file that a file is another version of.
fn versioned(name: &str) -> Option<String> {
    let name = name.strip_prefix('.')?;
    name.strip_suffix(".new").or_else(|| name.strip_suffix(".old")).map(str::to_owned)
}
