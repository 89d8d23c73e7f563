//! The test kit: a management server for tests.
//!
//! A [`Server`] drives an extension as CloudStack does: it writes payloads as Gson writes them, asks for the
//! device before a command as often as CloudStack does, stores what it answers and hands it back, and judges exit
//! code, output and `status` as the server judges them. It drives a device in the test's own process, or any
//! executable:
//!
//! ```
//! # use netext_core::protocol::{DestroyNetwork, ImplementNetwork, NetworkUpdate, ShutdownNetwork};
//! # use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};
//! # struct Acme;
//! # #[async_trait]
//! # impl NetworkDevice for Acme {
//! #     fn describe(&self) -> Description { Description::new("acme", "1.0.0") }
//! #     async fn implement_network(&self, _: &Context, _: ImplementNetwork) -> Result<Option<NetworkUpdate>, DeviceError> { Ok(None) }
//! #     async fn shutdown_network(&self, _: &Context, _: ShutdownNetwork) -> Result<(), DeviceError> { Ok(()) }
//! #     async fn destroy_network(&self, _: &Context, _: DestroyNetwork) -> Result<(), DeviceError> { Ok(()) }
//! # }
//! use netext_core::protocol::Command;
//! use netext_core::testing::{Payload, Server};
//!
//! let server = Server::for_device(Acme);
//! let network = Payload::sample(Command::ImplementNetwork);
//! server.send(&network).succeeds();
//! server.send(&network).succeeds();
//! server.send(&network.with("vlan", "a b")).is_refused_naming(&["payload.vlan"]);
//! ```
//!
//! - [`Payload`] makes payloads of samples and changes; the request types' own constructors do as well, see
//!   [`Server::request`] and the method of each command, such as [`Server::implement_network`].
//! - The published README documents less than the server sends: [`Server::style`] and [`Payload::in_style_of`]
//!   write what follows it.
//! - [`Server::assert_registrable`] holds what a device declares to what the server looks up.
//! - [`Scenario`] plays whole stories: the shipped ones, and a vendor's own.
//! - [`conformance`] asks all that the protocol asks of every extension.

mod call;
pub mod conformance;
mod executable;
mod extension;
mod gson;
mod judged;
mod payload;
mod process;
mod scenario;
mod server;
mod style;
mod texts;

pub use call::{Answer, Call, End, Streams};
pub use executable::Executable;
pub use extension::{Device, Extension};
pub use gson::as_gson_writes;
pub use judged::{Judged, Verdict};
pub use payload::Payload;
pub use scenario::{Scenario, ScenarioError, Sent, Told};
pub use server::Server;
pub(crate) use texts::each_text;
