//! Payload files, looked at by people: everything that is wrong with one, and what may be shown of it.

mod fields;
mod mask;
mod validate;

pub(crate) use fields::Inside;
pub use mask::{MASK, masked};
pub use validate::{Problem, Validation, validate};
