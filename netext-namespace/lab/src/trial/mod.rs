//! Trials of a host: all that is observable of it, compared before and after a command.

mod disk;
mod kernel;
mod manners;
mod observation;
mod question;
mod rules;
mod volume;

pub use disk::SavedDisk;
pub use manners::Broken;
pub use observation::Observation;
pub use question::{Answers, Question};
pub use volume::{DiskImage, DurableDisk, SmallDisk};
