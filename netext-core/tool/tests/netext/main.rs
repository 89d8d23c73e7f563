//! The tool `netext`, run as its users run it.

#![allow(clippy::unwrap_used, reason = "a test may panic, wherever its code stands")]

#[path = "../../../tests/double/alive.rs"]
mod alive;
#[path = "../../../tests/double/build.rs"]
mod build;
mod conformance;
mod help;
mod new;
mod normalize;
mod recording;
mod sample;
mod schema;
mod simulate;
mod tool;
mod validate;
