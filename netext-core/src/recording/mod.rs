//! What a server and an extension said to each other: kept by a recorder that stands in for the extension, and
//! played again to another build of it.
//!
//! A recording is a folder with a file per run, in the order in which they began. Credentials are
//! [masked](crate::payload_file::masked) before anything is written.

mod file;
mod record;
mod replay;

pub use file::{Recorded, RecordingError};
pub use record::{Ended, record};
pub use replay::{Difference, Replayed, replay};
