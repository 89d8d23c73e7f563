//! Build network extensions for Apache CloudStack.
//!
//! CloudStack runs an extension, one executable, for every event of a network: a command, a file with its payload, and
//! a timeout. You write what your device does for each command; this crate is the rest of the executable.
//!
//! A whole extension:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use netext_core::protocol::{AssignIp, DestroyNetwork, ImplementNetwork, NetworkUpdate, Service, ShutdownNetwork};
//! use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};
//!
//! struct Acme;
//!
//! #[async_trait]
//! impl NetworkDevice for Acme {
//!     fn describe(&self) -> Description {
//!         Description::new("acme", env!("CARGO_PKG_VERSION")).service(Service::SourceNat)
//!     }
//!
//!     async fn implement_network(
//!         &self,
//!         context: &Context,
//!         request: ImplementNetwork,
//!     ) -> Result<Option<NetworkUpdate>, DeviceError> {
//!         let hosts = context.physical_details().hosts();
//!         let Some(_controller) = hosts.first() else {
//!             return Err(DeviceError::invalid("no `hosts` are registered on the physical network"));
//!         };
//!         context.deadline().check()?;
//!         // Create request.network on the controller here.
//!         Ok(None)
//!     }
//!
//!     async fn shutdown_network(&self, _: &Context, _: ShutdownNetwork) -> Result<(), DeviceError> {
//!         Ok(())
//!     }
//!
//!     async fn destroy_network(&self, _: &Context, _: DestroyNetwork) -> Result<(), DeviceError> {
//!         Ok(())
//!     }
//!
//!     async fn assign_ip(&self, _: &Context, request: AssignIp) -> Result<(), DeviceError> {
//!         let address = request.public.public_ip;
//!         Err(DeviceError::device(format!("cannot assign {address}: no free slot")).retryable(true))
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     netext_core::main(Acme)
//! }
//! ```
//!
//! `netext new acme --services SourceNat` makes a crate like this one, with tests. The [tool] also prints schemas and
//! samples, plays the management server, and checks conformance.
//!
//! # Contents
//!
//! - [`NetworkDevice`]: one method for every command, each with an example that is run with what the server sends.
//!   Commands of services that the [`Description`] does not declare succeed without reaching the device.
//! - [`protocol`]: the requests, typed and checked, and the answers. [`Context`] holds what comes with every request:
//!   registered details, the device's own details, the [`Deadline`].
//! - [`DeviceError`]: why a command failed, with an exit code and a line for the server's log. [`error_chain`] prints
//!   any error with its causes on one line.
//! - [`main`]: the whole `main` of an executable; [`main_with`] if it has a configuration or a log file. [`Runner`] is
//!   the same without a process.
//! - [`Handler`]: the trait for a program between the server and a device, with the payload as raw bytes. It answers
//!   each [`Invocation`] with a [`Reply`].
//! - [The test kit][kit] (feature `testing`): a management server for tests that drives a device in the test's own
//!   process or an executable; payloads made from samples; scenarios; conformance.
//!
//! # The executable
//!
//! | | |
//! | --- | --- |
//! | command line | `<executable> <command> <payload-file> <timeout-seconds>`; also `--describe`, `--version`, `--help` |
//! | success | exit code 0, and on standard output the reply on one line, or nothing |
//! | failure | one line on standard error, nothing on standard output |
//! | output of the device and its children | lost: their standard streams are `/dev/null` |
//! | the deadline passes | the work is called off, the device has a fifth of the timeout (0.2 to 2 s) to undo it, child processes that did not detach are killed, exit code 4 |
//! | SIGTERM, SIGINT | the same, exit code 143, 130 |
//! | a panic | exit code 70, one line; the executable must be built to unwind, not with `panic = "abort"` |
//! | a reply that the server would misread | exit code 70, one line |
//!
//! Exit codes: 1 command line, payload or configuration; 2 connection or authentication; 3 the device; 4 time;
//! 5 not implemented; 70 a defect of the extension.
//!
//! Beyond the start of a process the runner costs between one and two milliseconds, from the payload to the device and
//! back; `make bench BENCH="--only spawn"` measures it on your machine.
//!
//! # Conventions
//!
//! - Constructors take what is required. Setters consume the value, return it, and are named after what they set, with
//!   `with_` in front if a getter has that name: `Description::new("acme", "1.0.0").service(Service::Dhcp).vpc()`.
//! - Enums that may grow are `#[non_exhaustive]`, and so are structs with public fields.
//!
//! [tool]: https://github.com/netext/netext/tree/main/netext-core/tool
#![cfg_attr(feature = "testing", doc = "[kit]: testing")]
#![cfg_attr(
    not(feature = "testing"),
    doc = "[kit]: https://docs.rs/netext-core/latest/netext_core/testing/index.html"
)]
#![cfg_attr(docsrs, feature(doc_cfg))]
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
#[doc(inline)]
pub use netext_protocol as protocol;
pub use process::{ExtensionProcess, main, main_with, main_with_args};
pub use reply::Reply;
#[doc(inline)]
pub use runner::Runner;
