//! The management server for tests.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Mutex;

use netext_protocol::{Command, Request, Sender, for_each_command};
use serde_json::{Map, Value, json};

use super::call::{CallStreams, Extension, ExtensionCall, JudgedResponse};
use super::device::InProcessDevice;
use super::executable::Executable;
use super::payload::{Payload, as_gson_writes};
use super::profile::ExtensionProfile;
use crate::Handler;

/// The fields of a network or VPC that `ensure-network-device` has.
const OF_A_NETWORK: [&str; 9] = [
    "network_id",
    "vlan",
    "zone_id",
    "guest_type",
    "network_state",
    "gateway",
    "cidr",
    "network_ip6_gateway",
    "network_ip6_cidr",
];
const OF_A_VPC: [&str; 4] = ["vpc_id", "zone_id", "vpc_state", "vpc_cidr"];

/// A management server that drives one extension.
///
/// It sends `ensure-network-device` before a command as often as CloudStack does ([`Command::ensured`]). It stores
/// the details that the extension prints, and passes them with every later command for the network or VPC. If
/// `ensure-network-device` fails, the server sends the command nevertheless. The device of a tier is the device of
/// its VPC, and has the VPC's details. A shutdown deletes the details.
///
/// It writes payloads as today's server does, or with [`style`](Self::style) as other senders do.
///
/// ```
/// # use netext_core::protocol::{DestroyNetwork, ImplementNetwork, NetworkUpdate, ShutdownNetwork};
/// # use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};
/// # struct Acme;
/// # #[async_trait]
/// # impl NetworkDevice for Acme {
/// #     fn describe(&self) -> Description { Description::new("acme", "1.0.0") }
/// #     async fn implement_network(&self, context: &Context, _: ImplementNetwork) -> Result<Option<NetworkUpdate>, DeviceError> {
/// #         if context.physical_details().hosts().is_empty() { return Err(DeviceError::invalid("no `hosts` are registered")); }
/// #         Ok(None)
/// #     }
/// #     async fn shutdown_network(&self, _: &Context, _: ShutdownNetwork) -> Result<(), DeviceError> { Ok(()) }
/// #     async fn destroy_network(&self, _: &Context, _: DestroyNetwork) -> Result<(), DeviceError> { Ok(()) }
/// # }
/// use netext_core::protocol::{Network, NetworkId};
/// use netext_core::testing::Server;
///
/// let network = Network::new(NetworkId::new(209));
/// let server = Server::for_device(Acme);
/// server.implement_network(ImplementNetwork::new(network.clone())).fails_with(1);
///
/// let server = server.detail("hosts", "192.0.2.10");
/// server.implement_network(ImplementNetwork::new(network)).succeeds_silently();
/// ```
#[derive(Debug)]
pub struct Server<E> {
    extension: E,
    physical: Map<String, Value>,
    style: Sender,
    /// The stored details of the device of each network and VPC.
    details: Mutex<BTreeMap<String, Value>>,
}

impl<H: Handler + 'static> Server<InProcessDevice<H>> {
    /// A server for a device in the test's own process.
    pub fn for_device(device: H) -> Self {
        Self::new(InProcessDevice::new(device))
    }

    /// The device itself, for a test that looks inside.
    pub fn device(&self) -> &H {
        self.extension.handler()
    }
}

impl Server<Executable> {
    /// A server for an executable in any language.
    ///
    /// # Errors
    /// If there is no executable file at the path, or no temporary folder can be created.
    pub fn for_executable(path: impl AsRef<Path>) -> io::Result<Self> {
        Executable::new(path).map(Self::new)
    }
}

impl<E: Extension> Server<E> {
    /// A server for an extension. Only the physical network's name is registered, as CloudStack adds it.
    pub fn new(extension: E) -> Self {
        let name = ("physicalnetworkname".to_owned(), Value::from("Physical Network 1"));
        let physical = Map::from_iter([name]);
        Self { extension, physical, style: Sender::Server, details: Mutex::default() }
    }

    /// Writes payloads as another sender does, see [`Payload::in_style_of`].
    pub fn style(mut self, sender: Sender) -> Self {
        self.style = sender;
        self
    }

    /// Another server with the same registration and style, and without stored details.
    pub(super) fn twin<F>(&self, extension: F) -> Server<F> {
        let (physical, style) = (self.physical.clone(), self.style);
        Server { extension, physical, style, details: Mutex::default() }
    }

    /// Registers a detail on the physical network, as an operator does.
    pub fn detail(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.register(name, value);
        self
    }

    /// Registers a detail on the physical network, or replaces its value.
    pub fn register(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.physical.insert(name.into(), value.into().into());
    }

    /// The registered details of the physical network.
    pub fn registered(&self) -> &Map<String, Value> {
        &self.physical
    }

    /// The extension.
    pub fn extension(&self) -> &E {
        &self.extension
    }

    /// Asserts that an operator can register the extension as it describes itself with `--describe`: the server
    /// finds every capability that it looks up for the declared services, and understands the values.
    ///
    /// ```should_panic
    /// # use netext_core::protocol::{DestroyNetwork, ImplementNetwork, NetworkUpdate, ShutdownNetwork};
    /// # use netext_core::{Context, DeviceError, NetworkDevice, async_trait};
    /// use netext_core::Description;
    /// use netext_core::protocol::{Capability, Service};
    /// use netext_core::testing::Server;
    ///
    /// # struct Acme;
    /// # #[async_trait]
    /// impl NetworkDevice for Acme {
    ///     fn describe(&self) -> Description {
    ///         Description::new("acme", "1.0.0")
    ///             .service(Service::Firewall)
    ///             .without_capability(Capability::FirewallDirections)
    ///     }
    /// #     async fn implement_network(&self, _: &Context, _: ImplementNetwork) -> Result<Option<NetworkUpdate>, DeviceError> { Ok(None) }
    /// #     async fn shutdown_network(&self, _: &Context, _: ShutdownNetwork) -> Result<(), DeviceError> { Ok(()) }
    /// #     async fn destroy_network(&self, _: &Context, _: DestroyNetwork) -> Result<(), DeviceError> { Ok(()) }
    /// }
    ///
    /// // Panics: Firewall.SupportedTrafficDirection is missing: createFirewallRule ends in a null pointer
    /// Server::for_device(Acme).assert_registrable();
    /// ```
    ///
    /// # Panics
    /// If capabilities are missing or have unknown values, with a list of them and the API calls that fail; also if
    /// the extension does not answer `--describe`.
    #[track_caller]
    pub fn assert_registrable(&self) {
        let profile =
            ExtensionProfile::described_by(&self.extension).unwrap_or_else(|error| panic!("{error}"));
        let faults: Vec<_> = profile.capability_faults().iter().map(ToString::to_string).collect();
        assert!(faults.is_empty(), "the extension cannot be registered\n\n{}", faults.join("\n"));
    }

    /// Sends a command, after `ensure-network-device` if the server sends that first.
    pub fn send(&self, payload: impl Into<Payload>) -> JudgedResponse {
        self.exchange(&payload.into()).1
    }

    /// Sends a request as [`send`](Self::send) does.
    pub fn request(&self, request: impl Into<Request>) -> JudgedResponse {
        self.send(Payload::from(request.into()))
    }

    /// Sends a command as [`send`](Self::send) does. Returns the responses to `ensure-network-device`, and the
    /// response to the command.
    pub fn exchange(&self, payload: &Payload) -> (Vec<JudgedResponse>, JudgedResponse) {
        if payload.command() == Command::EnsureNetworkDevice {
            return (Vec::new(), self.ensure(payload));
        }
        let ensured = self.ensure_before(payload);
        let judged = self.send_alone(payload);
        let forgets = match payload.command() {
            // The details of a tier belong to its VPC, and stay.
            Command::ShutdownNetwork | Command::DestroyNetwork => payload.field("vpc_id").is_none(),
            Command::ShutdownVpc | Command::DestroyVpc => true,
            _ => false,
        };
        if forgets && judged.is_success() {
            self.stored().remove(&subject(payload));
        }
        (ensured, judged)
    }

    /// Sends `ensure-network-device` as often as the server does before a command.
    pub(super) fn ensure_before(&self, payload: &Payload) -> Vec<JudgedResponse> {
        (0..payload.command().ensured()).map(|_| self.ensure(&self.ensuring(payload))).collect()
    }

    /// Sends a command without `ensure-network-device` before it.
    pub fn send_alone(&self, payload: &Payload) -> JudgedResponse {
        self.send_document(payload.command().name(), &self.document(payload), CallStreams::Merged)
    }

    /// Sends a whole payload document, valid or not.
    pub fn send_document(&self, command: &str, document: &Value, streams: CallStreams) -> JudgedResponse {
        self.call(command, &ExtensionCall::new(command, as_gson_writes(document)).streams(streams))
    }

    /// Calls the extension in any way, and judges the response as one to this command.
    pub fn call(&self, command: &str, call: &ExtensionCall) -> JudgedResponse {
        JudgedResponse::new(command, self.extension.call(call))
    }

    /// The whole payload document in the server's style, with the registered and the stored details.
    pub fn document(&self, payload: &Payload) -> Value {
        payload.in_style_of(self.style).document(self.physical.clone(), self.details_for(payload))
    }

    /// The stored details of the device that a payload is for; an empty object if there are none.
    pub fn details_for(&self, payload: &Payload) -> Value {
        self.stored().get(&subject(payload)).cloned().unwrap_or_else(|| json!({}))
    }

    /// Replaces the stored details of the device that a payload is for, as a restore of the server's database does.
    pub fn store_details(&self, payload: &Payload, details: Value) {
        self.stored().insert(subject(payload), details);
    }

    /// The payload of the `ensure-network-device` that the server sends before a command.
    pub fn ensuring(&self, payload: &Payload) -> Payload {
        let names: &[_] = if payload.field("vpc_id").is_some() { &OF_A_VPC } else { &OF_A_NETWORK };
        let fields = names.iter().filter_map(|&name| Some((name.to_owned(), payload.field(name)?.clone())));
        let ensuring = Payload::of_fields(Command::EnsureNetworkDevice, fields.collect());
        ensuring.with("current_details", self.details_for(payload).to_string())
    }

    fn ensure(&self, payload: &Payload) -> JudgedResponse {
        let judged = self.send_alone(payload);
        if let Some(details) = judged.stored_details() {
            self.stored().insert(subject(payload), details);
        }
        judged
    }

    fn stored(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Value>> {
        self.details.lock().expect("nothing panics while it is held")
    }
}

macro_rules! define_methods {
    ($($(#[$meta:meta])* $variant:ident { method: $method:ident, name: $name:literal, $($fact:tt)* })*) => {
        /// A method for every command.
        impl<E: Extension> Server<E> {
            $($(#[$meta])* pub fn $method(&self, request: netext_protocol::$variant) -> JudgedResponse {
                self.request(request)
            })*
        }
    };
}

for_each_command!(define_methods);

/// The owner of the device that a payload is for: a network, or a VPC with all its tiers.
fn subject(payload: &Payload) -> String {
    let id = |name| payload.field(name).map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    match (id("vpc_id"), id("network_id")) {
        (Some(vpc), _) => format!("VPC {vpc}"),
        (None, network) => format!("network {}", network.unwrap_or_default()),
    }
}
