//! The metadata of one instance, the names of its files, and the document that holds it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use netext_protocol::{MacAddr, Secret, SecretBytes};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::MetadataError;

/// As long as file systems allow.
const LONGEST_NAME: usize = 255;
/// The management server's name for the file with the hypervisor's name.
const HYPERVISOR: &str = "hypervisor-host-name";

/// The metadata of one instance. Every content is kept byte for byte, and only this instance can read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstanceMetadata {
    /// The NIC that has the instance's address, where a command named it: the next NIC that gets the address gets
    /// nothing of this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nic: Option<MacAddr>,
    /// Its user data, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data: Option<SecretBytes>,
    /// Its metadata files, other than the public keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<MetadataFileName, SecretBytes>,
    /// Its public keys, a line each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_keys: Option<SecretBytes>,
    /// The password that it has not acknowledged yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
}

/// A password that the instance has not acknowledged yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Password {
    /// The password.
    pub text: Secret,
    /// Its MD5 checksum, if the server sent one. It is not served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5checksum: Option<Secret>,
}

impl Password {
    /// A password; `None` if the text is empty, by which the protocol says that there is none.
    pub fn new(text: Secret) -> Option<Self> {
        (!text.expose().is_empty()).then_some(Self { text, md5checksum: None })
    }
}

/// The format of the document; this version reads it and every earlier one.
pub(super) const FORMAT: u32 = 1;

#[derive(Serialize)]
struct InstanceDocument<'a> {
    format: u32,
    #[serde(flatten)]
    instance: &'a InstanceMetadata,
}

#[derive(Deserialize)]
struct InstanceFormat {
    format: u32,
}

impl InstanceMetadata {
    pub(super) fn to_document(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        serde_json::to_vec(&InstanceDocument { format: FORMAT, instance: self })
            .map(Zeroizing::new)
            .map_err(io::Error::from)
    }

    /// Parses a document. An error never shows its content, which is secret.
    pub(super) fn from_document(bytes: &[u8], path: &Path) -> Result<Self, MetadataError> {
        let damaged = |error: serde_json::Error| MetadataError::Damaged {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
        };
        let InstanceFormat { format } = serde_json::from_slice(bytes).map_err(damaged)?;
        if format > FORMAT {
            return Err(MetadataError::Newer { path: path.to_owned(), found: format });
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }
}

/// The name of a metadata file: the last part of `/latest/meta-data/<name>`.
///
/// It is safe in a path, a listing and a message: it has no slash, no `..`, no white space or control character, and
/// nothing that a URL has to escape.
///
/// ```
/// use netext_namespace::metadata::MetadataFileName;
///
/// let name: MetadataFileName = "local-hostname".parse()?;
/// assert_eq!(name.as_ref(), "local-hostname");
/// assert!("../10.1.1.11".parse::<MetadataFileName>().is_err());
/// # Ok::<(), netext_namespace::metadata::InvalidMetadataFileName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MetadataFileName(String);

/// A text that cannot name a metadata file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot name a metadata file: 1 to 255 letters, digits, '-', '_', '.', ':', '@' or '+', not starting with '.' \
     and without '..'"
)]
pub struct InvalidMetadataFileName(String);

impl MetadataFileName {
    /// The file with the name of the instance's hypervisor.
    pub fn hypervisor() -> Self {
        Self(HYPERVISOR.to_owned())
    }
}

impl FromStr for MetadataFileName {
    type Err = InvalidMetadataFileName;

    fn from_str(text: &str) -> Result<Self, InvalidMetadataFileName> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@+".contains(&byte);
        if text.is_empty()
            || text.len() > LONGEST_NAME
            || text.starts_with('.')
            || text.contains("..")
            || !text.bytes().all(is_allowed)
        {
            return Err(InvalidMetadataFileName(text.chars().take(LONGEST_NAME).collect()));
        }
        Ok(match text {
            // The first is the name that the bash reference saves, the second the name of the command's field.
            "hypervisor-hostname" | "hypervisor_hostname" => Self::hypervisor(),
            name => Self(name.to_owned()),
        })
    }
}

impl TryFrom<String> for MetadataFileName {
    type Error = InvalidMetadataFileName;

    fn try_from(text: String) -> Result<Self, InvalidMetadataFileName> {
        text.parse()
    }
}

impl From<MetadataFileName> for String {
    fn from(name: MetadataFileName) -> Self {
        name.0
    }
}

impl AsRef<str> for MetadataFileName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MetadataFileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
