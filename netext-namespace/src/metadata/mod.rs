//! Instance metadata: metadata files, user data, public keys and passwords.
//!
//! The commands write one document per instance ([`Instances`]), named by the instance's address. The
//! [server](self::server) reads the document at every request. Neither waits for the other: a document is replaced as a
//! whole, so a reader gets the old or the new one, and the server needs no signal after a change.
//!
//! The names of files in a payload are untrusted input. They are parsed into types that cannot be a path
//! ([`MetadataFileName`]), and never become one: in the document they are keys.

mod folder;
mod instance;
mod instances;
pub mod server;
mod vm_data;

pub use instance::{InstanceMetadata, MetadataError, Password};
pub use instances::Instances;
pub use vm_data::{InvalidMetadataFileName, InvalidVmData, MetadataFileName, VmDataDirectory};
