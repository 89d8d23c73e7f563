//! How the wire is read and written: lenient scalars, strict structure.
//!
//! Nearly every scalar of a payload is a JSON string, other senders use numbers and booleans, and `""` and
//! `null` mean "absent". From the bottom up: [`refusal`] makes errors, [`text`] reads scalars, [`field`]
//! reads and writes one value, [`embedded`] reads JSON inside a text, [`fields`] reads the keys of an object,
//! and [`object`] and [`words`] define structs and enums.

pub(crate) mod embedded;
pub(crate) mod field;
pub(crate) mod fields;
#[cfg(feature = "schema")]
pub(crate) mod json_schema;
pub(crate) mod object;
pub(crate) mod refusal;
pub(crate) mod text;
pub(crate) mod words;
