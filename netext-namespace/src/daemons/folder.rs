//! A daemon's folder: its files are compared with the plan, and replaced one by one.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;

use super::DaemonError;
use crate::files::{self, Access, Durability, FileError, NextVersion, VersionedFolder, failed};
use crate::plan::{ChangeNotice, ConfigFile, Daemon, DaemonPlan};

const SETTLED: &str = "settled";
/// The folder is root's. The group of the daemon's account can read it: a daemon reads its files again on SIGHUP.
const FOLDER_MODE: u32 = 0o750;

/// How a daemon takes up a change of its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refresh {
    Reload,
    Restart,
}

/// The content of files, by their names; `None` for a file that did not exist.
pub(super) struct SavedFiles(Vec<(String, Option<Vec<u8>>)>);

impl SavedFiles {
    /// Whether the daemon had read its files.
    pub(super) fn is_settled(&self) -> bool {
        self.0.iter().any(|(name, content)| name == SETTLED && content.is_some())
    }
}

/// The folder of one daemon.
pub(super) struct DaemonFolder<'a> {
    pub(super) daemon: &'a Daemon,
    group: u32,
}

impl<'a> DaemonFolder<'a> {
    /// The folder, if it exists.
    pub(super) fn existing(daemon: &'a Daemon) -> Result<Option<Self>, DaemonError> {
        let exists = daemon.folder.try_exists().map_err(failed("look for", &daemon.folder));
        let exists = exists.map_err(about(daemon))?;
        Ok(exists.then_some(Self { daemon, group: 0 }))
    }

    /// The folder of a planned daemon, whether it exists or not.
    pub(super) fn of(plan: &'a DaemonPlan) -> Self {
        Self { daemon: &plan.daemon, group: plan.account.group_id }
    }

    /// The folder of a planned daemon, which is created if it does not exist. The folders above it must exist.
    pub(super) fn prepare(plan: &'a DaemonPlan) -> Result<Self, DaemonError> {
        let folder = Self::of(plan);
        folder.create().map_err(about(folder.daemon))?;
        Ok(folder)
    }

    fn create(&self) -> Result<(), FileError> {
        let path = &self.daemon.folder;
        match DirBuilder::new().mode(FOLDER_MODE).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(failed("create the folder", path)(error));
            }
            _ => {}
        }
        let found = fs::metadata(path).map_err(failed("look at", path))?;
        if (found.uid(), found.gid(), found.mode() & 0o7777) != (0, self.group, FOLDER_MODE) {
            chown(path, Some(0), Some(self.group))
                .and_then(|()| fs::set_permissions(path, PermissionsExt::from_mode(FOLDER_MODE)))
                .map_err(failed("set owner and mode of", path))?;
        }
        Ok(())
    }

    /// Removes it with all that is in it.
    pub(super) fn remove(&self) -> Result<(), DaemonError> {
        files::remove_folder(&self.daemon.folder).map_err(about(self.daemon))
    }

    /// The files that differ from the plan, by their places, each with how the daemon takes up its change.
    pub(super) fn differing(&self, files: &[ConfigFile]) -> Result<Vec<(usize, Refresh)>, DaemonError> {
        let mut differing = Vec::new();
        for (place, file) in files.iter().enumerate() {
            let refresh = match (self.read(file.name)?, file.on_change) {
                (Some(old), _) if old == file.content.as_bytes() => continue,
                (Some(_), ChangeNotice::Reload) => Refresh::Reload,
                (Some(old), ChangeNotice::ReloadIfGrown) if has_grown(&old, &file.content) => Refresh::Reload,
                _ => Refresh::Restart,
            };
            differing.push((place, refresh));
        }
        Ok(differing)
    }

    /// Stages files, so that their space on the disk is claimed before the daemon is touched. A file whose old version
    /// has the same content needs no space: it is a change that is undone.
    pub(super) fn stage(&self, files: &[&ConfigFile]) -> Result<(), DaemonError> {
        let stage = |folder: &VersionedFolder, file: &ConfigFile| -> Result<(), FileError> {
            let content = file.content.as_bytes();
            if folder.old(file.name)?.is_some_and(|old| old == content) {
                return folder.unstage(file.name);
            }
            folder.stage(
                file.name,
                NextVersion::Content(content),
                Access::Group(self.group),
                Durability::None,
            )
        };
        self.with_versions(files, stage)
    }

    /// Puts staged files in place.
    pub(super) fn put_in_place(&self, files: &[&ConfigFile]) -> Result<(), DaemonError> {
        self.with_versions(files, |folder, file| {
            if folder.has_next(file.name)? {
                folder.put_in_place(file.name)
            } else {
                folder.restore(file.name)
            }
        })
    }

    /// Restores files that were put in place.
    pub(super) fn take_back(&self, files: &[&ConfigFile]) -> Result<(), DaemonError> {
        self.with_versions(files, |folder, file| folder.restore(file.name))
    }

    /// Removes other versions of all files, as killed commands leave them.
    pub(super) fn discard_versions(&self) -> Result<(), DaemonError> {
        let discard = || -> Result<(), FileError> {
            let Some(folder) = VersionedFolder::open_existing(&self.daemon.folder)? else { return Ok(()) };
            folder.staged_or_replaced()?.iter().try_for_each(|name| folder.discard(name))
        };
        discard().map_err(about(self.daemon))
    }

    /// Forgets the old versions of files.
    pub(super) fn discard(&self, files: &[&ConfigFile]) -> Result<(), DaemonError> {
        self.with_versions(files, |folder, file| folder.discard(file.name))
    }

    fn with_versions(
        &self,
        files: &[&ConfigFile],
        act: impl Fn(&VersionedFolder, &ConfigFile) -> Result<(), FileError>,
    ) -> Result<(), DaemonError> {
        if files.is_empty() {
            return Ok(());
        }
        let folder = VersionedFolder::open_existing(&self.daemon.folder).map_err(about(self.daemon))?;
        let Some(folder) = folder else { return Ok(()) };
        files.iter().try_for_each(|file| act(&folder, file)).map_err(about(self.daemon))
    }

    /// Whether the daemon was started for this and has read every file.
    pub(super) fn is_settled(&self, settled: &str) -> Result<bool, DaemonError> {
        Ok(self.read(SETTLED)?.is_some_and(|found| found == settled.as_bytes()))
    }

    pub(super) fn settle(&self, settled: &str) -> Result<(), DaemonError> {
        self.replace(SETTLED, settled.as_bytes())
    }

    pub(super) fn unsettle(&self) -> Result<(), DaemonError> {
        self.delete(SETTLED)
    }

    /// What is known of the daemon, to be restored if a change fails.
    pub(super) fn save(&self) -> Result<SavedFiles, DaemonError> {
        let names = [self.daemon.pid_file.as_str(), SETTLED];
        names
            .into_iter()
            .map(|name| Ok((name.to_owned(), self.read(name)?)))
            .collect::<Result<_, _>>()
            .map(SavedFiles)
    }

    pub(super) fn restore(&self, saved: &SavedFiles) -> Result<(), DaemonError> {
        saved.0.iter().try_for_each(|(name, content)| match content {
            Some(content) => self.replace(name, content),
            None => self.delete(name),
        })
    }

    /// Removes one file, if it exists.
    pub(super) fn delete(&self, name: &str) -> Result<(), DaemonError> {
        files::remove(&self.path(name)).map_err(about(self.daemon))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.daemon.folder.join(name)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, DaemonError> {
        files::read(&self.path(name)).map_err(about(self.daemon))
    }

    /// Nothing is synced: a power cut ends the daemon too, and the files are compared again before it starts.
    pub(super) fn replace(&self, name: &str, content: &[u8]) -> Result<(), DaemonError> {
        files::replace(&self.path(name), content, Access::Group(self.group), Durability::None)
            .map_err(about(self.daemon))
    }
}

fn about(daemon: &Daemon) -> impl FnOnce(FileError) -> DaemonError {
    let what = daemon.what.clone();
    move |source| DaemonError::File { what, source }
}

/// Whether every old line is still there, in the same order.
fn has_grown(old: &[u8], new: &str) -> bool {
    let mut new = new.as_bytes().split(|byte| *byte == b'\n');
    old.split(|byte| *byte == b'\n').all(|line| new.any(|candidate| candidate == line))
}

#[cfg(test)]
mod tests {
    use super::has_grown;

    #[test]
    fn a_file_has_grown_if_no_line_went() {
        assert!(has_grown(b"", "a\n"));
        assert!(has_grown(b"a\nc\n", "a\nb\nc\n"));
        assert!(has_grown(b"a\n", "a\n"));
        assert!(!has_grown(b"a\nb\n", "b\n"));
        assert!(!has_grown(b"a\n", "ab\n"));
        assert!(!has_grown(b"a\na\n", "a\n"));
    }
}
