//! The words on ssh's command line, and the commands that run on hosts: types that cannot hold anything that ssh or a
//! shell would misread.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use netext_protocol::HostName;

/// A host's address, or its name in the DNS. It does not start with `-`, and consists of letters, digits, `.`, `-`, `_`
/// and, in an IPv6 address, `:`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostAddress(String);

impl HostAddress {
    /// The address or name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for HostAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.parse::<IpAddr>().is_ok() {
            return Ok(Self(text.to_owned()));
        }
        match text.parse::<HostName>() {
            Ok(name) => Ok(Self(name.as_str().to_owned())),
            Err(_) => Err(format!("{text:?} is neither an address nor a host name")),
        }
    }
}

/// An account on the hosts: letters, digits, `.`, `_`, `-` and `@`, not starting with `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserName(String);

impl UserName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-') {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("{text:?} is not the name of an account"))
    }
}

/// A file on the hosts: an absolute path of letters, digits and `/._+@-`. To a shell it is one plain word.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RemotePath(String);

impl RemotePath {
    /// The path where the executable of an extension is deployed.
    pub fn of_extension(extension: &str) -> Result<Self, String> {
        format!("/etc/cloudstack/extensions/{extension}/{extension}-wrapper.sh").parse()
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file's folder.
    pub fn folder(&self) -> Self {
        Self(match self.0.rsplit_once('/') {
            Some((folder, _)) if !folder.is_empty() => folder.to_owned(),
            _ => "/".to_owned(),
        })
    }

    /// The file's name in that folder.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The path where a replacement for the file is written first. Every number is another path.
    pub fn draft(&self, number: u64) -> Self {
        Self(format!("{self}.{number:016x}.new"))
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for RemotePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/._+@-".contains(&byte);
        if text.starts_with('/') && text.len() <= 1024 && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("{text:?} is not an absolute path of letters, digits and /._+@-"))
    }
}

/// The keys that hosts may have, as lines of a `known_hosts` file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostKeys(String);

impl HostKeys {
    /// The lines.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostKeys {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.replace("\\n", "\n");
        let mut lines = String::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let words = line.split_whitespace().skip_while(|word| word.starts_with('@'));
            if words.count() < 3 {
                return Err(format!("{line:?} is not \"<hosts> <key type> <key>\", as in known_hosts"));
            }
            lines.push_str(line);
            lines.push('\n');
        }
        Ok(Self(lines))
    }
}

/// A command that runs on a host. There are no others.
///
/// Its command line consists of fixed words and of paths that any shell takes as plain words; everything else goes to
/// its standard input. Commands that deploy the executable are tools that every Debian has.
#[derive(Clone, Copy, Debug)]
pub enum RemoteCommand<'a> {
    /// Runs the executable at the host's end of the relay.
    Relay(&'a RemotePath),
    /// Prints the status of the host's routers.
    Status(&'a RemotePath),
    /// Checks the host's requirements.
    Doctor(&'a RemotePath),
    /// Makes an empty file that only its owner can write, and its folder if that does not exist.
    Create(&'a RemotePath),
    /// Writes standard input to a file, and to the disk.
    Write(&'a RemotePath),
    /// Prints the SHA-256 digest of a file.
    Digest(&'a RemotePath),
    /// Replaces a file by its draft in one step.
    Replace {
        /// The draft.
        draft: &'a RemotePath,
        /// The file.
        path: &'a RemotePath,
    },
    /// Writes the content of a folder to the disk.
    Sync(&'a RemotePath),
    /// Removes a file.
    Remove(&'a RemotePath),
    /// Removes the drafts of a file that are older than an hour.
    RemoveDrafts(&'a RemotePath),
}

impl RemoteCommand<'_> {
    /// The command line that runs it as root from a user's account.
    pub(super) fn line(&self, user: &UserName) -> String {
        if user.as_str() == "root" { self.to_string() } else { format!("sudo -n {self}") }
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
    fn a_user_other_than_root_runs_everything_by_sudo() {
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
