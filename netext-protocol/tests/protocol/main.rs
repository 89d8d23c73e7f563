//! The promises of the crate, tested through its public API.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]
#![allow(missing_docs, unreachable_pub, reason = "only the tests use them")]

mod construct;
mod corpus;
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
