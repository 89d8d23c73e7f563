//! What the crate promises, seen from outside of it.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]
#![allow(missing_docs, unreachable_pub, reason = "nobody but the tests sees them")]

mod construct;
mod details;
mod embedded;
mod properties;
mod readme;
mod refusals;
mod rules;
mod samples;
#[cfg(feature = "schema")]
mod schemas;
mod secrets;
mod spellings;
mod strategies;
#[cfg(feature = "schema")]
mod strict;
mod unknown_fields;
mod values;
mod wire;
