//! All that is ever run on a host.

use std::fmt;

use crate::proxy::target::{RemotePath, UserName};

/// A command line for a host. It is words of ours, and paths that are a plain word to any shell; whatever else a
/// command is about goes by its standard input.
///
/// What is no mode of the executable is a tool that every Debian has: the executable may not be there yet.
#[derive(Clone, Copy, Debug)]
pub enum RemoteCommand<'a> {
    /// Has the executable answer a call.
    Relay(&'a RemotePath),
    /// Has it tell how its routers do.
    Status(&'a RemotePath),
    /// Has it look whether the host is fit.
    Doctor(&'a RemotePath),
    /// Makes an empty file that only its owner can write, in a folder that is made if it is absent.
    Create(&'a RemotePath),
    /// Writes standard input to a file, and to the disk.
    Write(&'a RemotePath),
    /// Prints the SHA-256 digest of a file.
    Digest(&'a RemotePath),
    /// Puts a file in the place of another one, which is there until the first one is.
    Replace {
        /// The file.
        draft: &'a RemotePath,
        /// The place.
        path: &'a RemotePath,
    },
    /// Writes to the disk what a folder holds.
    Sync(&'a RemotePath),
    /// Removes a file.
    Remove(&'a RemotePath),
    /// Removes the drafts of a file that were left an hour ago or earlier.
    RemoveDrafts(&'a RemotePath),
}

impl RemoteCommand<'_> {
    /// The line, for an account that may run it as root.
    pub(super) fn line(&self, user: &UserName) -> String {
        if user.is_root() { self.to_string() } else { format!("sudo -n {self}") }
    }
}

impl fmt::Display for RemoteCommand<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relay(path) => write!(formatter, "{path} {}", crate::relay::MODE),
            Self::Status(path) => write!(formatter, "{path} status --json"),
            Self::Doctor(path) => write!(formatter, "{path} doctor --json"),
            Self::Create(path) => write!(formatter, "install -D -m 0755 /dev/null {path}"),
            Self::Write(path) => write!(formatter, "dd of={path} bs=65536 conv=fsync status=none"),
            Self::Digest(path) => write!(formatter, "sha256sum {path}"),
            Self::Replace { draft, path } => write!(formatter, "mv -f -T {draft} {path}"),
            Self::Sync(folder) => write!(formatter, "sync {folder}"),
            Self::Remove(path) => write!(formatter, "rm -f {path}"),
            Self::RemoveDrafts(path) => {
                let (folder, name) = (path.folder(), path.name());
                write!(formatter, "find {folder} -maxdepth 1 -type f -name {name}.\\*.new -mmin +60 -delete")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_who_is_not_root_runs_everything_by_sudo() {
        let path: RemotePath = "/opt/acme/acme-wrapper.sh".parse().unwrap();
        let line = |command: RemoteCommand<'_>, user: &str| command.line(&user.parse().unwrap());
        assert_eq!(line(RemoteCommand::Relay(&path), "root"), "/opt/acme/acme-wrapper.sh relay");
        assert_eq!(line(RemoteCommand::Relay(&path), "ops"), "sudo -n /opt/acme/acme-wrapper.sh relay");
        assert_eq!(
            line(RemoteCommand::RemoveDrafts(&path), "ops"),
            "sudo -n find /opt/acme -maxdepth 1 -type f -name acme-wrapper.sh.\\*.new -mmin +60 -delete"
        );
    }
}
