//! What instances are told about themselves: metadata, user data, public keys and passwords.
//!
//! The commands write one document per instance ([`Instances`]), named by the instance's address; the server
//! reads it afresh for every request. Neither waits for the other: a document is replaced as a whole,
//! so a reader sees the one before or the one after, and a save needs no signal to be visible.
//!
//! The names that a payload gives its files are foreign text. They are parsed into types that cannot be a path
//! ([`FileName`]), and never become one: on disk they are keys of the document.

mod entry;
mod error;
mod folder;
mod instance;
mod instances;
mod name;
pub mod server;

pub use entry::{Directory, InvalidEntry};
pub use error::MetadataError;
pub use instance::{Instance, Password};
pub use instances::Instances;
pub use name::{FileName, InvalidFileName};
