//! The metadata of one instance, and the document that holds it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use netext_protocol::{MacAddr, Secret, SecretBytes};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{InvalidVmData, MetadataFileName};
use crate::files::FileError;

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

/// Why instance metadata could not be read or changed. It never shows a content.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// An entry of the payload is invalid; nothing was changed.
    #[error(transparent)]
    Refused(#[from] InvalidVmData),
    /// The operating system refused an operation.
    #[error(transparent)]
    File(#[from] FileError),
    /// A document cannot be parsed.
    #[error(
        "{} is damaged at line {line}, column {column}; restart the network with cleanup, so that the server sends the \
         instance's metadata again",
        path.display()
    )]
    Damaged {
        /// The document.
        path: PathBuf,
        /// The line of the first defect, from 1.
        line: usize,
        /// Its column, from 1.
        column: usize,
    },
    /// A document was written by a later version of this program.
    #[error(
        "{} was written by a newer version (format {found}, this one knows {FORMAT}); install that version again",
        path.display()
    )]
    Newer {
        /// The document.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

/// The format of the document; this version reads it and every earlier one.
const FORMAT: u32 = 1;

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
