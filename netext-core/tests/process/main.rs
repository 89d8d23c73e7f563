//! The process contract, as the management server sees it.

#![allow(clippy::unwrap_used, reason = "a test may panic, wherever its code stands")]
#![allow(clippy::needless_pass_by_value, reason = "scripts are written where they are used")]

#[path = "../double/alive.rs"]
mod alive;
#[path = "../double/build.rs"]
mod build;
mod command_line;
mod deadline;
mod failures;
mod log;
mod server;
mod streams;
