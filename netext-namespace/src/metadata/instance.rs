//! What one instance is told, and the document that holds it.

use std::collections::BTreeMap;
use std::io;

use netext_protocol::{MacAddr, Secret, SecretBytes};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::FileName;

/// What one instance is told. Every content is kept byte for byte, and shown to nobody else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Instance {
    /// The NIC whose address it is known by, where that was said: the next NIC that gets the address is told nothing
    /// of this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nic: Option<MacAddr>,
    /// Its user data, if it was given any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data: Option<SecretBytes>,
    /// Its metadata files, other than the public keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<FileName, SecretBytes>,
    /// Its public keys, a line each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_keys: Option<SecretBytes>,
    /// The password that it has not acknowledged yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
}

/// A password that waits to be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Password {
    /// The password.
    pub text: Secret,
    /// Its MD5 checksum, where the server sent one along. Kept for completeness: guests do not ask for it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5checksum: Option<Secret>,
}

impl Password {
    /// A password; nothing if the text is empty, which is how the protocol says that there is none.
    pub fn new(text: Secret) -> Option<Self> {
        (!text.expose().is_empty()).then_some(Self { text, md5checksum: None })
    }
}

/// The format of the document; a reader takes its own and every earlier one.
pub(super) const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    #[serde(flatten)]
    instance: &'a Instance,
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Why bytes are not a document that this version reads. The bytes themselves are not shown: they are secret.
pub(super) enum Unreadable {
    Damaged { line: usize, column: usize },
    Newer { format: u32 },
}

impl Instance {
    pub(super) fn to_document(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        serde_json::to_vec(&Document { format: FORMAT, instance: self })
            .map(Zeroizing::new)
            .map_err(io::Error::from)
    }

    pub(super) fn from_document(bytes: &[u8]) -> Result<Self, Unreadable> {
        let damaged =
            |error: serde_json::Error| Unreadable::Damaged { line: error.line(), column: error.column() };
        let Format { format } = serde_json::from_slice(bytes).map_err(damaged)?;
        if format > FORMAT {
            return Err(Unreadable::Newer { format });
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }
}
