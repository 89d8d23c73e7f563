//! The test kit: a management server for tests.
//!
//! A [`Server`] calls an extension as CloudStack does: it writes payloads as CloudStack's JSON library writes them,
//! sends `ensure-network-device` before other commands, stores the details that come back, and judges exit code,
//! output and `status` as CloudStack judges them. The extension is a device in the test's own process, or an
//! executable in any language.
//!
//! A whole test of a device:
//!
//! ```
//! use netext_core::protocol::{
//!     AssignIp, Command, DestroyNetwork, ImplementNetwork, NetworkUpdate, ReleaseIp, Service, ShutdownNetwork,
//! };
//! use netext_core::testing::conformance::ConformanceSuite;
//! use netext_core::testing::{ExtensionProfile, Payload, Server};
//! use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};
//!
//! struct Acme;
//!
//! #[async_trait]
//! impl NetworkDevice for Acme {
//!     fn describe(&self) -> Description {
//!         Description::new("acme", "1.0.0").service(Service::SourceNat)
//!     }
//!
//!     async fn implement_network(
//!         &self,
//!         context: &Context,
//!         _: ImplementNetwork,
//!     ) -> Result<Option<NetworkUpdate>, DeviceError> {
//!         match context.physical_details().hosts().first() {
//!             Some(_host) => Ok(None), // Create the network on this host.
//!             None => Err(DeviceError::invalid("register `hosts` on the physical network")),
//!         }
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
//!     async fn assign_ip(&self, _: &Context, _: AssignIp) -> Result<(), DeviceError> {
//!         Ok(())
//!     }
//!
//!     async fn release_ip(&self, _: &Context, _: ReleaseIp) -> Result<(), DeviceError> {
//!         Ok(())
//!     }
//! }
//!
//! // Without a host the device refuses a network, and names the missing detail.
//! let network = Payload::sample(Command::ImplementNetwork);
//! Server::for_device(Acme).send(&network).is_refused_naming(&["hosts"]);
//!
//! // With a host it accepts the network, twice. It refuses a malformed VLAN.
//! let server = Server::for_device(Acme).detail("hosts", "192.0.2.10");
//! server.send(&network).succeeds_silently();
//! server.send(&network).succeeds_silently();
//! server.send(network.with("vlan", "a b")).is_refused_naming(&["payload.vlan"]);
//!
//! // An operator can register it, and it meets every requirement of the protocol.
//! server.assert_registrable();
//! let profile = ExtensionProfile::of(&server.device().describe());
//! ConformanceSuite::new(&server, profile).assert_conforms();
//! ```
//!
//! - [`Server::for_executable`] tests an executable. [`Extension`] connects the server to anything else.
//! - [`Payload`] makes payloads of samples and changes. [`Server::request`] and a method for each command, such as
//!   [`Server::implement_network`], take the typed requests.
//! - [`Server::style`] writes payloads as other senders do: the published README documents fewer fields than the
//!   server sends.
//! - [`Scenario`] plays the commands of whole events, such as a restart: the kit's scenarios, or your own.
//! - [`conformance`] checks every requirement of the protocol.

mod call;
pub mod conformance;
mod device;
mod executable;
mod payload;
mod profile;
mod scenario;
mod server;
mod style;

pub use call::{CallStreams, Extension, ExtensionCall, JudgedResponse, ProcessEnd, Response, ServerVerdict};
pub use device::InProcessDevice;
pub use executable::Executable;
pub use payload::{Payload, as_gson_writes};
pub use profile::{ExtensionProfile, ProfileError};
pub use scenario::{Progress, Scenario, ScenarioError, SentCommand};
pub use server::Server;
