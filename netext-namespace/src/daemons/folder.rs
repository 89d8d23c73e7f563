//! A daemon's folder: its files are compared with the plan, and replaced one by one.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;

use super::DaemonError;
use crate::files::{self, Access, Durability, FileError, failed};
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
    pub(super) fn remove(self) -> Result<(), DaemonError> {
        files::remove_folder(&self.daemon.folder).map_err(about(self.daemon))
    }

    /// The files that differ from the plan, each with how the daemon takes up its change.
    pub(super) fn differing<'f>(
        &self,
        files: &'f [ConfigFile],
    ) -> Result<Vec<(&'f ConfigFile, Refresh)>, DaemonError> {
        let mut differing = Vec::new();
        for file in files {
            let refresh = match (self.read(file.name)?, file.on_change) {
                (Some(old), _) if old == file.content.as_bytes() => continue,
                (Some(_), ChangeNotice::Reload) => Refresh::Reload,
                (Some(old), ChangeNotice::ReloadIfGrown) if has_grown(&old, &file.content) => Refresh::Reload,
                _ => Refresh::Restart,
            };
            differing.push((file, refresh));
        }
        Ok(differing)
    }

    /// Replaces files.
    pub(super) fn write<'f>(
        &self,
        files: impl IntoIterator<Item = &'f ConfigFile>,
    ) -> Result<(), DaemonError> {
        files.into_iter().try_for_each(|file| self.replace(file.name, file.content.as_bytes()))
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

    /// The content of files and of what is known of the daemon, to be restored if a change fails.
    pub(super) fn save(&self, files: &[ConfigFile]) -> Result<SavedFiles, DaemonError> {
        let names = files.iter().map(|file| file.name).chain([self.daemon.pid_file.as_str(), SETTLED]);
        names.map(|name| Ok((name.to_owned(), self.read(name)?))).collect::<Result<_, _>>().map(SavedFiles)
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
