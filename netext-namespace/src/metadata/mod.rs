//! Instance metadata: metadata files, user data, public keys and passwords.
//!
//! The commands write one document per instance ([`InstanceChange`]), named by the instance's address. The
//! [`server`] reads the document at every request. Neither waits for the other: a document is replaced as a
//! whole, so a reader gets the old or the new one, and the server needs no signal after a change.
//!
//! The names of files in a payload are untrusted input. They are parsed into types that cannot be a path
//! ([`MetadataFileName`]), and never become one: in the document they are keys.

mod change;
mod folder;
mod instance;
mod instances;
pub mod server;
mod vm_data;

use std::path::PathBuf;

use crate::files::FileError;
use instance::FORMAT;

pub use change::InstanceChange;
pub use instance::{InstanceMetadata, InvalidMetadataFileName, MetadataFileName, Password};
pub use instances::{ChangeProgress, Instances};
pub use vm_data::{InvalidVmData, VmDataDirectory};

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
