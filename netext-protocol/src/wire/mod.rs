//! How the wire is read and written: lenient scalars, strict structure.
//!
//! Nearly every scalar of a payload is a JSON string, other senders use numbers and booleans, and `""` and
//! `null` mean "absent". [`field::Field`] knows how one value is read and written, [`object`] turns a list of
//! fields into a struct that keeps unknown fields and reports the path of whatever it cannot understand.

pub(crate) mod choice;
pub(crate) mod embedded;
pub(crate) mod field;
pub(crate) mod object;
pub(crate) mod refuse;
pub(crate) mod text;
