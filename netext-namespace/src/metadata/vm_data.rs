//! The entries of `vm_data`.

use netext_protocol::{Secret, SecretBytes, VmDataEntry};

use super::{InstanceMetadata, InvalidMetadataFileName, MetadataFileName, Password};

/// A directory of `vm_data`, in any of its spellings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmDataDirectory {
    /// `userdata`, in the documentation `user-data`.
    UserData,
    /// `metadata`, in the documentation `meta-data`.
    Metadata,
    /// `public-keys/0`, in the metadata or on its own: only the documentation mentions it.
    PublicKeys,
    /// `password`.
    Password,
}

/// An invalid entry of `vm_data`. The error names the field, and never shows a content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct InvalidVmData {
    path: String,
    problem: String,
}

impl InvalidVmData {
    /// The field, such as `vm_data[3].file`.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl VmDataDirectory {
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

/// The part of an instance's metadata that an entry sets.
enum VmDataTarget {
    UserData,
    Metadata(MetadataFileName),
    PublicKeys,
    Password,
    PasswordChecksum,
}

impl VmDataTarget {
    fn of(directory: VmDataDirectory, file: &str) -> Result<Self, String> {
        let none = |directory, expected| Err(format!("{directory} has no file {file:.255?}; {expected}"));
        match (directory, file) {
            (VmDataDirectory::UserData, "user_data" | "user-data" | "userdata") => Ok(Self::UserData),
            (VmDataDirectory::UserData, _) => none("userdata", "it must be user_data"),
            (VmDataDirectory::Metadata, "public-keys" | "public-keys/0/openssh-key")
            | (VmDataDirectory::PublicKeys, "openssh-key") => Ok(Self::PublicKeys),
            (VmDataDirectory::Metadata, file) => {
                file.parse().map(Self::Metadata).map_err(|error: InvalidMetadataFileName| error.to_string())
            }
            (VmDataDirectory::PublicKeys, _) => none("public-keys/0", "it must be openssh-key"),
            (VmDataDirectory::Password, "vm_password") => Ok(Self::Password),
            (VmDataDirectory::Password, "vm-password-md5checksum") => Ok(Self::PasswordChecksum),
            (VmDataDirectory::Password, _) => {
                none("password", "it must be vm_password or vm-password-md5checksum")
            }
        }
    }
}

impl InstanceMetadata {
    /// Parses a list of entries. `field` is the list's path in the payload, for errors.
    ///
    /// If entries are different spellings of the same file, the last one counts. An empty password means none.
    pub fn from_vm_data(field: &str, entries: &[VmDataEntry]) -> Result<Self, InvalidVmData> {
        let mut instance = Self::default();
        let (mut password, mut checksum) = (None, None);
        for (index, entry) in entries.iter().enumerate() {
            let refused = |part, problem| InvalidVmData { path: format!("{field}[{index}].{part}"), problem };
            let directory = VmDataDirectory::of(&entry.dir).ok_or_else(|| {
                let problem = format!("unknown directory {:.255?}", entry.dir);
                refused("dir", format!("{problem}; it must be userdata, metadata, public-keys/0 or password"))
            })?;
            let target =
                VmDataTarget::of(directory, &entry.file).map_err(|problem| refused("file", problem))?;
            let content = entry.content.clone();
            match target {
                VmDataTarget::UserData => instance.user_data = Some(content),
                VmDataTarget::Metadata(name) => drop(instance.metadata.insert(name, content)),
                VmDataTarget::PublicKeys => instance.public_keys = Some(content),
                VmDataTarget::Password => {
                    password = Some(text(&content).map_err(|it| refused("content", it))?);
                }
                VmDataTarget::PasswordChecksum => {
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

/// The text of a password, which is served as a line.
fn text(content: &SecretBytes) -> Result<Secret, String> {
    content.expose_text().map(Secret::from).ok_or_else(|| "a password is text in UTF-8".to_owned())
}
