//! The entries of `vm_data`: what each of them sets.

use netext_protocol::{Secret, SecretBytes, VmDataEntry};

use super::{FileName, Instance, Password};

/// A directory of `vm_data`, in any of its spellings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directory {
    /// `userdata`, in documents `user-data`.
    UserData,
    /// `metadata`, in documents `meta-data`.
    Metadata,
    /// `public-keys/0`, below the metadata or on its own: only documents show it.
    PublicKeys,
    /// `password`.
    Password,
}

/// An entry of `vm_data` that was refused. It says which field, and never shows a content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct InvalidEntry {
    path: String,
    problem: String,
}

impl InvalidEntry {
    /// The field, such as `vm_data[3].file`.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Directory {
    /// The directory of this name, if there is one.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "userdata" | "user-data" => Self::UserData,
            "metadata" | "meta-data" => Self::Metadata,
            "metadata/public-keys/0" | "meta-data/public-keys/0" | "public-keys/0" => Self::PublicKeys,
            "password" => Self::Password,
            _ => return None,
        })
    }
}

/// What an entry sets.
enum Target {
    UserData,
    Metadata(FileName),
    PublicKeys,
    Password,
    PasswordChecksum,
}

impl Target {
    fn of(directory: Directory, file: &str) -> Result<Self, String> {
        let none = |directory, expected| Err(format!("{directory} has no file {file:.255?}; {expected}"));
        match (directory, file) {
            (Directory::UserData, "user_data" | "user-data" | "userdata") => Ok(Self::UserData),
            (Directory::UserData, _) => none("userdata", "it must be user_data"),
            (Directory::Metadata, "public-keys" | "public-keys/0/openssh-key")
            | (Directory::PublicKeys, "openssh-key") => Ok(Self::PublicKeys),
            (Directory::Metadata, file) => {
                file.parse().map(Self::Metadata).map_err(|error: super::InvalidFileName| error.to_string())
            }
            (Directory::PublicKeys, _) => none("public-keys/0", "it must be openssh-key"),
            (Directory::Password, "vm_password") => Ok(Self::Password),
            (Directory::Password, "vm-password-md5checksum") => Ok(Self::PasswordChecksum),
            (Directory::Password, _) => none("password", "it must be vm_password or vm-password-md5checksum"),
        }
    }
}

impl Instance {
    /// What a list of entries says of an instance. `field` is the list's path in the payload, for errors.
    ///
    /// Where entries are different spellings of the same file, the last one counts. An empty password is none.
    pub fn from_vm_data(field: &str, entries: &[VmDataEntry]) -> Result<Self, InvalidEntry> {
        let mut instance = Self::default();
        let (mut password, mut checksum) = (None, None);
        for (index, entry) in entries.iter().enumerate() {
            let refused = |part, problem| InvalidEntry { path: format!("{field}[{index}].{part}"), problem };
            let directory = Directory::of(&entry.dir).ok_or_else(|| {
                let problem = format!("unknown directory {:.255?}", entry.dir);
                refused("dir", format!("{problem}; it must be userdata, metadata, public-keys/0 or password"))
            })?;
            let target = Target::of(directory, &entry.file).map_err(|problem| refused("file", problem))?;
            let content = entry.content.clone();
            match target {
                Target::UserData => instance.user_data = Some(content),
                Target::Metadata(name) => drop(instance.metadata.insert(name, content)),
                Target::PublicKeys => instance.public_keys = Some(content),
                Target::Password => password = Some(text(&content).map_err(|it| refused("content", it))?),
                Target::PasswordChecksum => {
                    checksum = Some(text(&content).map_err(|it| refused("content", it))?);
                }
            }
        }
        instance.password = password.and_then(Password::new).map(|password| Password {
            md5checksum: checksum.filter(|checksum| !checksum.expose().is_empty()),
            ..password
        });
        Ok(instance)
    }
}

/// What is served as a line of text and cannot be any bytes.
fn text(content: &SecretBytes) -> Result<Secret, String> {
    content.expose_text().map(Secret::from).ok_or_else(|| "a password is text in UTF-8".to_owned())
}
