//! The tool `netext`, run as its users run it.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic, wherever its code stands")]

mod sample;
mod schema;
mod tool;
mod validate;
