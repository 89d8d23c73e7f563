#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod deadline;
mod describe;
mod device;
mod dispatch;
mod error;
mod handler;
mod process;
mod reply;
pub mod runner;
#[cfg(feature = "testing")]
pub mod testing;

pub use async_trait::async_trait;
pub use deadline::Deadline;
pub use describe::{CapabilityFault, Description};
pub use device::NetworkDevice;
pub use error::{DeviceError, ErrorKind, error_chain};
pub use handler::{Context, Handler, Invocation};
/// The protocol's types.
pub use netext_protocol as protocol;
pub use process::{Process, main, main_with, main_with_args};
pub use reply::Reply;
pub use runner::Runner;
