//! The test kit, used as a vendor uses it, on extensions with and without faults.

#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../double/build.rs"]
mod build;
mod capabilities;
mod conformance;
mod device;
#[path = "../double/faulty.rs"]
#[allow(dead_code, reason = "it is an executable as well")]
mod double;
mod faults;
mod faulty;
mod scenarios;
