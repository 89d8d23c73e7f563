//! A daemon's folder: its files, compared with what they shall hold and replaced one by one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, fchown};
use std::path::{Path, PathBuf};

use super::DaemonError;
use crate::plan::{ConfigFile, Daemon, DaemonPlan, OnChange};

const SETTLED: &str = "settled";
/// Root's, and readable for the group of the daemon's account, which reads its files again on SIGHUP.
const FOLDER_MODE: u32 = 0o750;
const FILE_MODE: u32 = 0o640;

/// What a change of files asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    Reload,
    Restart,
}

/// What files held, each by its name; `None` for one that was not there.
pub(super) struct Kept(Vec<(String, Option<Vec<u8>>)>);

impl Kept {
    /// Whether the daemon had taken notice of what its files held.
    pub(super) fn is_settled(&self) -> bool {
        self.0.iter().any(|(name, content)| name == SETTLED && content.is_some())
    }
}

/// The folder of one daemon.
pub(super) struct Folder<'a> {
    daemon: &'a Daemon,
    group: u32,
}

impl<'a> Folder<'a> {
    /// The folder as it is, if it is there.
    pub(super) fn existing(daemon: &'a Daemon) -> Result<Option<Self>, DaemonError> {
        let there = daemon.folder.try_exists().map_err(failed(daemon, "look for", &daemon.folder))?;
        Ok(there.then_some(Self { daemon, group: 0 }))
    }

    /// The folder of a daemon that shall run, whether it is there or not.
    pub(super) fn of(plan: &'a DaemonPlan) -> Self {
        Self { daemon: &plan.daemon, group: plan.account.group_id }
    }

    /// The folder of a daemon that shall run, made if it is not there. The folders above it are the caller's.
    pub(super) fn prepare(plan: &'a DaemonPlan) -> Result<Self, DaemonError> {
        let (daemon, group) = (&plan.daemon, plan.account.group_id);
        let path = &daemon.folder;
        match DirBuilder::new().mode(FOLDER_MODE).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(failed(daemon, "create the folder", path)(error));
            }
            _ => {}
        }
        let found = fs::metadata(path).map_err(failed(daemon, "look at", path))?;
        if (found.uid(), found.gid(), found.mode() & 0o7777) != (0, group, FOLDER_MODE) {
            chown(path, Some(0), Some(group))
                .and_then(|()| fs::set_permissions(path, PermissionsExt::from_mode(FOLDER_MODE)))
                .map_err(failed(daemon, "give the right owner and mode to", path))?;
        }
        Ok(Self::of(plan))
    }

    /// Removes it with all that is in it.
    pub(super) fn remove(self) -> Result<(), DaemonError> {
        match fs::remove_dir_all(&self.daemon.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failed(self.daemon, "remove", &self.daemon.folder)(error))
            }
            _ => Ok(()),
        }
    }

    /// Those of `files` that are not what they shall be, each with what makes the daemon see it.
    pub(super) fn differing<'f>(
        &self,
        files: &'f [ConfigFile],
    ) -> Result<Vec<(&'f ConfigFile, Effect)>, DaemonError> {
        let mut differing = Vec::new();
        for file in files {
            let effect = match (self.read(file.name)?, file.on_change) {
                (Some(old), _) if old == file.content.as_bytes() => continue,
                (Some(_), OnChange::Reload) => Effect::Reload,
                (Some(old), OnChange::ReloadIfGrown) if has_grown(&old, &file.content) => Effect::Reload,
                _ => Effect::Restart,
            };
            differing.push((file, effect));
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

    /// Whether the daemon was started for this and has taken notice of every file.
    pub(super) fn is_settled(&self, settled: &str) -> Result<bool, DaemonError> {
        Ok(self.read(SETTLED)?.is_some_and(|found| found == settled.as_bytes()))
    }

    pub(super) fn settle(&self, settled: &str) -> Result<(), DaemonError> {
        self.replace(SETTLED, settled.as_bytes())
    }

    pub(super) fn unsettle(&self) -> Result<(), DaemonError> {
        self.delete(SETTLED)
    }

    /// What files hold, and what is known of the daemon, to be put back if a change comes to nothing.
    pub(super) fn keep(&self, files: &[ConfigFile]) -> Result<Kept, DaemonError> {
        let names = files.iter().map(|file| file.name).chain([self.daemon.pid_file.as_str(), SETTLED]);
        names.map(|name| Ok((name.to_owned(), self.read(name)?))).collect::<Result<_, _>>().map(Kept)
    }

    pub(super) fn put_back(&self, kept: &Kept) -> Result<(), DaemonError> {
        kept.0.iter().try_for_each(|(name, content)| match content {
            Some(content) => self.replace(name, content),
            None => self.delete(name),
        })
    }

    /// Removes one file; absent is fine.
    pub(super) fn delete(&self, name: &str) -> Result<(), DaemonError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failed(self.daemon, "remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.daemon.folder.join(name)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, DaemonError> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(self.daemon, "read", &path)(error)),
        }
    }

    /// The old file or the new one, whatever happens. Nothing is synced: after a crash of the machine the daemon
    /// is gone too, and the files are compared again before it starts.
    pub(super) fn replace(&self, name: &str, content: &[u8]) -> Result<(), DaemonError> {
        let (path, new) = (self.path(name), self.path(&format!("{name}.new")));
        let write = |mut file: File| -> io::Result<()> {
            fchown(&file, Some(0), Some(self.group))?;
            file.set_permissions(PermissionsExt::from_mode(FILE_MODE))?;
            file.write_all(content)
        };
        let mut options = OpenOptions::new();
        options
            .create(true)
            .truncate(true)
            .write(true)
            .mode(FILE_MODE)
            .open(&new)
            .and_then(write)
            .map_err(failed(self.daemon, "write", &new))?;
        fs::rename(&new, &path).map_err(failed(self.daemon, "replace", &path))
    }
}

/// Whether every line that was there is there still, in the same order.
fn has_grown(old: &[u8], new: &str) -> bool {
    let mut new = new.as_bytes().split(|byte| *byte == b'\n');
    old.split(|byte| *byte == b'\n').all(|line| new.any(|candidate| candidate == line))
}

pub(super) fn failed(
    daemon: &Daemon,
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> DaemonError {
    let (what, path) = (daemon.what.clone(), path.to_owned());
    move |source| DaemonError::File { what, action, path, source }
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
