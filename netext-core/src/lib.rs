#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod context;
mod deadline;
mod describe;
mod device;
mod dispatch;
mod error;
#[cfg(feature = "cli")]
mod front;
mod handler;
#[cfg(feature = "cli")]
pub mod payload_file;
mod process;
#[cfg(feature = "cli")]
pub mod recording;
#[cfg(feature = "cli")]
pub mod reference;
mod reply;
pub mod runner;
#[cfg(feature = "cli")]
pub mod scaffold;
#[cfg(feature = "testing")]
pub mod testing;

pub use async_trait::async_trait;
pub use context::Context;
pub use deadline::Deadline;
pub use describe::{CapabilityFault, Description};
pub use device::NetworkDevice;
pub use error::{DeviceError, ErrorKind, error_chain};
#[cfg(feature = "cli")]
pub use front::Front;
pub use handler::{Handler, Invocation};
/// The protocol's types.
pub use netext_protocol as protocol;
pub use process::{Process, main, main_with, main_with_args};
pub use reply::Reply;
pub use runner::Runner;
