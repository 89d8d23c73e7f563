//! The test kit, used as a vendor uses it, on extensions that behave well or badly.

#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test may panic, wherever its code stands")]

#[path = "../double/build.rs"]
mod build;
mod capabilities;
mod conformance;
mod device;
mod faults;
mod scenarios;
