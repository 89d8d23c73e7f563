//! The management server.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Mutex;

use netext_protocol::{Command, Request, Sender, for_each_command};
use serde_json::{Map, Value, json};

use super::call::{Call, Streams};
use super::conformance::Provided;
use super::judged::{Judged, stored_details};
use super::{Device, Executable, Extension, Payload, as_gson_writes};
use crate::Handler;

/// What an `ensure-network-device` says of a network or a VPC.
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
/// It sends `ensure-network-device` before a command as often as CloudStack does ([`Command::ensured`]): what that
/// prints is stored for the network or VPC and handed back from then on; if it fails, the command is run all the
/// same. The device of a tier is that of its VPC: the VPC is what is asked about, and what the details belong to.
/// After a shutdown they are forgotten.
///
/// It writes payloads as today's server does; with [`style`](Self::style) as other senders do.
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
/// let server = server.registering("hosts", "192.0.2.10");
/// server.implement_network(ImplementNetwork::new(network)).succeeds_silently();
/// ```
#[derive(Debug)]
pub struct Server<E> {
    extension: E,
    physical: Map<String, Value>,
    style: Sender,
    /// What the extension last said about the device of each network and VPC.
    details: Mutex<BTreeMap<String, Value>>,
}

impl<H: Handler + 'static> Server<Device<H>> {
    /// A server for a device in this process.
    pub fn for_device(device: H) -> Self {
        Self::new(Device::new(device))
    }

    /// The device itself, for a test that looks inside.
    pub fn device(&self) -> &H {
        self.extension.handler()
    }
}

impl Server<Executable> {
    /// A server for an executable in any language. Fails if there is none.
    pub fn for_executable(path: impl AsRef<Path>) -> io::Result<Self> {
        Executable::new(path).map(Self::new)
    }
}

impl<E: Extension> Server<E> {
    /// A server for whoever answers. Nothing is registered but the physical network's name, which the server
    /// adds by itself.
    pub fn new(extension: E) -> Self {
        let name = ("physicalnetworkname".to_owned(), Value::from("Physical Network 1"));
        let physical = Map::from_iter([name]);
        Self { extension, physical, style: Sender::Server, details: Mutex::default() }
    }

    /// Writes payloads in the style of another sender: [`Payload::in_style_of`] says what that leaves of them.
    ///
    /// ```
    /// # use netext_core::protocol::{DestroyNetwork, ImplementNetwork, NetworkUpdate, ShutdownNetwork};
    /// # use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};
    /// # struct Acme;
    /// # #[async_trait]
    /// # impl NetworkDevice for Acme {
    /// #     fn describe(&self) -> Description { Description::new("acme", "1.0.0") }
    /// #     async fn implement_network(&self, _: &Context, _: ImplementNetwork) -> Result<Option<NetworkUpdate>, DeviceError> { Ok(None) }
    /// #     async fn shutdown_network(&self, _: &Context, _: ShutdownNetwork) -> Result<(), DeviceError> { Ok(()) }
    /// #     async fn destroy_network(&self, _: &Context, _: DestroyNetwork) -> Result<(), DeviceError> { Ok(()) }
    /// # }
    /// use netext_core::protocol::{Command, Sender};
    /// use netext_core::testing::{Payload, Server};
    ///
    /// for sender in [Sender::Server, Sender::Readme, Sender::Older] {
    ///     let server = Server::for_device(Acme).style(sender);
    ///     server.send(Payload::sample(Command::ImplementNetwork)).succeeds();
    ///     server.send(Payload::sample(Command::PrepareNic)).succeeds_silently();
    /// }
    /// ```
    pub fn style(mut self, sender: Sender) -> Self {
        self.style = sender;
        self
    }

    /// Another server of the same registration and style. It knows of no device yet.
    pub(super) fn twin<F>(&self, extension: F) -> Server<F> {
        let (physical, style) = (self.physical.clone(), self.style);
        Server { extension, physical, style, details: Mutex::default() }
    }

    /// With a detail that the operator registered on the physical network.
    pub fn registering(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.register(name, value);
        self
    }

    /// Registers a detail, or another value for it.
    pub fn register(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.physical.insert(name.into(), value.into().into());
    }

    /// What the operator registered.
    pub fn registered(&self) -> &Map<String, Value> {
        &self.physical
    }

    /// Whoever answers.
    pub fn extension(&self) -> &E {
        &self.extension
    }

    /// Asserts that what the extension says about itself with `--describe` can be registered: the server finds
    /// every capability that it looks up for the declared services, and understands the values.
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
    /// If a capability is missing or not understood, with all that are and the API calls that fail by it; also
    /// if the extension does not answer `--describe`.
    #[track_caller]
    pub fn assert_registrable(&self) {
        let provided = Provided::asked_of(&self.extension).unwrap_or_else(|error| panic!("{error}"));
        let faults: Vec<_> = provided.capability_faults().iter().map(ToString::to_string).collect();
        assert!(faults.is_empty(), "the extension cannot be registered\n\n{}", faults.join("\n"));
    }

    /// Sends a command, and first asks for the device of its network or VPC, if the server does.
    pub fn send(&self, payload: impl Into<Payload>) -> Judged {
        self.exchange(&payload.into()).1
    }

    /// Sends a request as [`send`](Self::send) does.
    pub fn request(&self, request: impl Into<Request>) -> Judged {
        self.send(Payload::from(request.into()))
    }

    /// Sends a command as [`send`](Self::send) does; also answers how the device was asked for before, each time.
    pub fn exchange(&self, payload: &Payload) -> (Vec<Judged>, Judged) {
        if payload.command() == Command::EnsureNetworkDevice {
            return (Vec::new(), self.ensure(payload));
        }
        let ensured = self.ensure_before(payload);
        let judged = self.send_alone(payload);
        let forgets = match payload.command() {
            // The details of a tier are its VPC's, and stay with it.
            Command::ShutdownNetwork | Command::DestroyNetwork => payload.field("vpc_id").is_none(),
            Command::ShutdownVpc | Command::DestroyVpc => true,
            _ => false,
        };
        if forgets && judged.is_success() {
            self.stored().remove(&subject(payload));
        }
        (ensured, judged)
    }

    /// Asks for the device as often as the server does right before a command.
    pub(super) fn ensure_before(&self, payload: &Payload) -> Vec<Judged> {
        (0..payload.command().ensured()).map(|_| self.ensure(&self.ensuring(payload))).collect()
    }

    /// Sends a command without asking for the device first.
    pub fn send_alone(&self, payload: &Payload) -> Judged {
        self.send_document(payload.command().name(), &self.document(payload), Streams::Merged)
    }

    /// Sends a whole payload document, whatever it holds.
    pub fn send_document(&self, command: &str, document: &Value, streams: Streams) -> Judged {
        self.call(command, &Call::new(command, as_gson_writes(document)).streams(streams))
    }

    /// Calls the extension in any way at all, and judges the answer as that to a command.
    pub fn call(&self, command: &str, call: &Call) -> Judged {
        Judged::new(command, self.extension.answer(call))
    }

    /// The whole document of a payload in the server's style, with what is registered and stored.
    pub fn document(&self, payload: &Payload) -> Value {
        payload.in_style_of(self.style).document(self.physical.clone(), self.details_for(payload))
    }

    /// What is stored of the device that a payload is for; an empty object if nothing is.
    pub fn details_for(&self, payload: &Payload) -> Value {
        self.stored().get(&subject(payload)).cloned().unwrap_or_else(|| json!({}))
    }

    /// Stores other details than the device said, as after a restore of the server's database.
    pub fn store_details(&self, payload: &Payload, details: Value) {
        self.stored().insert(subject(payload), details);
    }

    /// The `ensure-network-device` that comes before a command.
    pub fn ensuring(&self, payload: &Payload) -> Payload {
        let names: &[_] = if payload.field("vpc_id").is_some() { &OF_A_VPC } else { &OF_A_NETWORK };
        let fields = names.iter().filter_map(|&name| Some((name.to_owned(), payload.field(name)?.clone())));
        let ensuring = Payload::of_fields(Command::EnsureNetworkDevice, fields.collect());
        ensuring.with("current_details", self.details_for(payload).to_string())
    }

    fn ensure(&self, payload: &Payload) -> Judged {
        let judged = self.send_alone(payload);
        if let Some(details) = stored_details(&judged) {
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
            $($(#[$meta])* pub fn $method(&self, request: netext_protocol::$variant) -> Judged {
                self.request(request)
            })*
        }
    };
}

for_each_command!(define_methods);

/// Whose device a payload is for: a network's, or that of a VPC and all its tiers.
fn subject(payload: &Payload) -> String {
    let id = |name| payload.field(name).map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    match (id("vpc_id"), id("network_id")) {
        (Some(vpc), _) => format!("VPC {vpc}"),
        (None, network) => format!("network {}", network.unwrap_or_default()),
    }
}
