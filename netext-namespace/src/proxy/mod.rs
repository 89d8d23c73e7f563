//! The proxy role: on the management server, for the hosts that serve routers.
//!
//! `ensure-network-device` chooses a host and checks that it can be used. Every other command is sent to the host's copy
//! of the executable through the [`relay`](crate::relay). Of its payload only the header is read. Where no
//! hosts are registered, this machine is the host.

mod choice;
pub mod error;
pub mod fleet;
mod hosts;
mod memory;
pub mod remote;
pub mod ssh;
mod standby;

use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use netext_core::{Description, DeviceError, ErrorKind, Handler, Invocation, Reply};
use netext_protocol::{Command, DeviceDetails, Effect, NetworkId, PhysicalDetails, VpcId};
use serde::Deserialize;
use serde_json::Value;

use crate::failover::RouterDelta;
use crate::host::HostDevice;
use crate::model::RouterId;
use crate::places::ExtensionPlaces;
use crate::relay::{RelayReply, RelayRequest, ReplicaPosition};
use choice::HostChoice;
use error::HostError;
use fleet::Fleet;
use hosts::FleetClient;
use memory::{ProxyMemory, RouterLocation};
use remote::HostAddress;
use ssh::Ssh;
use standby::Standby;

/// How much earlier than the proxy a host must be done, so that its own error about the time is heard: a tenth of the
/// time, within bounds.
const AHEAD: u32 = 10;
const LEAST_AHEAD: Duration = Duration::from_millis(50);
const MOST_AHEAD: Duration = Duration::from_secs(2);

/// Sends commands to the hosts that carry them out.
#[derive(Debug)]
pub struct Proxy {
    local: HostDevice,
    places: ExtensionPlaces,
    path: Option<String>,
}

impl Proxy {
    /// The proxy that acts on this machine where no hosts are registered. `path` is the executable on the hosts, unless
    /// the detail `remote.path` names it; by default it is where the extension is deployed.
    pub fn new(local: HostDevice, places: ExtensionPlaces, path: Option<String>) -> Self {
        Self { local, places, path }
    }
}

#[async_trait]
impl Handler for Proxy {
    fn description(&self) -> Description {
        self.local.description()
    }

    async fn handle(&self, invocation: Invocation) -> Result<Reply, DeviceError> {
        let header = PayloadHeader::read(&invocation)?;
        if header.physical.hosts().is_empty() {
            return self.local.handle(invocation).await;
        }
        let fleet = Fleet::registered(&header.physical, &self.places.extension, self.path.as_deref())?;
        let folder = self.places.state.join("proxy");
        let ssh = Ssh::new(&fleet, &folder)?;
        let memory = ProxyMemory::in_folder(folder);
        let client =
            FleetClient { fleet: &fleet, ssh: &ssh, memory: &memory, deadline: invocation.deadline() };
        let PayloadHeader { details, router, network, .. } = header;
        let router = match (router, network) {
            (RouterId::Vpc(vpc), Some(network)) => {
                memory.note_tier(network, vpc);
                router
            }
            (RouterId::Network(network), _) => memory.vpc_of(network).map_or(router, RouterId::Vpc),
            (RouterId::Vpc(_), None) => router,
        };
        let choice = HostChoice { client: &client, router };
        let known = known_location(&details, memory.location(router));
        let command = invocation.command();
        if command == Command::EnsureNetworkDevice {
            let (location, ()) = tokio::join!(choice.locate(known.as_ref()), client.remind(router));
            let location = location?;
            memory.note_location(router, &location);
            return Ok(Reply::DeviceDetails(details_of(router, &location)));
        }
        let locations = match known {
            Some(location) if !details.is_empty() => vec![location],
            // A host that does not serve the router has nothing to remove.
            _ if command.effect() == Effect::Removes => choice.holders().await?,
            // The server has no details because it could not store them, or because ensuring failed a moment ago.
            known => {
                let location = choice.locate(known.as_ref()).await?;
                memory.note_location(router, &location);
                vec![location]
            }
        };
        let mut reply = Reply::Nothing;
        for location in &locations {
            let standby = Standby { client: &client, router, location };
            let (printed, delta) = carry(&ssh, &location.host, &invocation, standby.position()).await?;
            reply = printed;
            if let Some(network) = network.filter(|_| command == Command::DestroyNetwork) {
                memory.forget_tier(network);
            }
            if ends_router(command, router) {
                standby.forget().await;
            } else if let Some(delta) = delta {
                standby.update(delta).await?;
            }
        }
        Ok(reply)
    }
}

/// The part of a payload that says which router it is about, and how to reach its host.
#[derive(Debug)]
struct PayloadHeader {
    /// The details that the operator registered.
    physical: PhysicalDetails,
    /// The details that the proxy returned last; empty if the server has none.
    details: DeviceDetails,
    /// The router, named by the payload or else by the details.
    router: RouterId,
    /// The network, if it is about one.
    network: Option<NetworkId>,
}

/// The keys of an envelope that name the router.
#[derive(Deserialize)]
struct EnvelopeHeader {
    #[serde(default, rename = "physical-network-extension-details")]
    #[serde(alias = "physical_network_extension_details")]
    physical: PhysicalDetails,
    #[serde(default, rename = "network-extension-details", alias = "network_extension_details")]
    details: DeviceDetails,
    payload: Option<RequestHeader>,
    // A custom action has its fields beside the details.
    network_id: Option<Value>,
    vpc_id: Option<Value>,
}

/// The fields of a request that name the router.
#[derive(Deserialize)]
struct RequestHeader {
    network_id: Option<Value>,
    vpc_id: Option<Value>,
    #[serde(default)]
    current_details: DeviceDetails,
}

impl PayloadHeader {
    /// Reads the header. If there is none, the whole payload is parsed for an error that says what is wrong with it.
    fn read(invocation: &Invocation) -> Result<Self, DeviceError> {
        if let Some(header) = Self::of(invocation.payload()) {
            return Ok(header);
        }
        invocation.parse()?;
        Err(DeviceError::invalid("the payload names neither a network_id nor a vpc_id"))
    }

    fn of(payload: &[u8]) -> Option<Self> {
        let envelope: EnvelopeHeader = serde_json::from_slice(payload).ok()?;
        let (network, vpc, current) = match envelope.payload {
            Some(request) => (request.network_id, request.vpc_id, request.current_details),
            None => (envelope.network_id, envelope.vpc_id, DeviceDetails::default()),
        };
        let network: Option<NetworkId> = id(network.as_ref()).ok()?;
        let vpc: Option<VpcId> = id(vpc.as_ref()).ok()?;
        let details = if current.is_empty() { envelope.details } else { current };
        // Not every command about a tier names the VPC.
        let vpc = vpc.or_else(|| id(details.get("vpc_id")).ok()?);
        let router = vpc.map(RouterId::Vpc).or(network.map(RouterId::Network))?;
        Some(Self { physical: envelope.physical, details, router, network })
    }
}

/// An id; `None` if it is absent.
fn id<T: FromStr>(value: Option<&Value>) -> Result<Option<T>, T::Err> {
    let text = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(other) => other.to_string(),
    };
    if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
}

/// The location that the server stored, or a later one in memory that the server could not store.
fn known_location(details: &DeviceDetails, remembered: Option<RouterLocation>) -> Option<RouterLocation> {
    // A text that is no host does not come from the proxy.
    let stored = details.get_str("host").and_then(|host| host.parse::<HostAddress>().ok());
    let epoch = details.get("epoch").and_then(Value::as_u64).unwrap_or_default();
    match (stored, remembered) {
        (Some(host), Some(remembered)) if remembered.epoch <= epoch => Some(RouterLocation { host, epoch }),
        (Some(host), None) => Some(RouterLocation { host, epoch }),
        (_, remembered) => remembered,
    }
}

/// The details that the server sends with every later command.
fn details_of(router: RouterId, location: &RouterLocation) -> DeviceDetails {
    let details = DeviceDetails::default()
        .with("host", location.host.as_str())
        .with("namespace", router.namespace().to_string())
        .with("epoch", location.epoch);
    match router {
        RouterId::Vpc(vpc) => details.with("vpc_id", vpc.to_string()),
        RouterId::Network(_) => details,
    }
}

/// Whether a command ends the router. A VPC's router outlives its tiers.
fn ends_router(command: Command, router: RouterId) -> bool {
    match router {
        RouterId::Network(_) => command == Command::DestroyNetwork,
        RouterId::Vpc(_) => matches!(command, Command::ShutdownVpc | Command::DestroyVpc),
    }
}

/// Makes a host carry out a command, and returns its output and the delta of the router. At the deadline the host stops
/// as well.
async fn carry(
    ssh: &Ssh<'_>,
    host: &HostAddress,
    invocation: &Invocation,
    delta_since: Option<ReplicaPosition>,
) -> Result<(Reply, Option<RouterDelta>), DeviceError> {
    let (command, deadline) = (invocation.command(), invocation.deadline());
    let time = deadline.remaining();
    let request = || {
        let left = deadline.remaining();
        let left = left.saturating_sub((left / AHEAD).clamp(LEAST_AHEAD, MOST_AHEAD));
        let milliseconds = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        RelayRequest::command(command, milliseconds, invocation.payload(), delta_since)
    };
    let reply = tokio::select! {
        reply = ssh.ask(host, request, invocation.payload(), Duration::MAX) => reply,
        () = deadline.cancelled() => Err(HostError::Silent { host: host.clone(), after: time }),
    };
    match reply? {
        RelayReply::Succeeded { output, delta } => Ok((Reply::Relayed(output), delta)),
        RelayReply::Failed { exit, line } => {
            let kind = match ErrorKind::from_exit_code(exit.into()) {
                kind @ (ErrorKind::Invalid | ErrorKind::TimedOut | ErrorKind::NotImplemented) => kind,
                _ => ErrorKind::Device,
            };
            Err(DeviceError::new(kind, format!("{host}: {}", line.trim_end())))
        }
        _ => Err(DeviceError::internal(format!("{host} gave an unexpected reply"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_payload_names_its_router() {
        let (network, vpc) = (RouterId::Network(209.into()), RouterId::Vpc(7.into()));
        for (payload, router) in [
            (r#"{"payload":{"network_id":"209","vpc_id":"","x":[1]}}"#, network),
            (r#"{"payload":{"network_id":209}}"#, network),
            (r#"{"payload":{"network_id":"209","vpc_id":"7"}}"#, vpc),
            (r#"{"payload":{"vpc_id":7,"network_id":null}}"#, vpc),
            (r#"{"network-extension-details":{"vpc_id":"7"},"payload":{"network_id":"209"}}"#, vpc),
            (r#"{"network_id":"209","action":"dump","action-params":{}}"#, network),
        ] {
            assert_eq!(PayloadHeader::of(payload.as_bytes()).unwrap().router, router, "{payload}");
        }
        for payload in [r#"{"payload":{}}"#, r#"{"payload":{"network_id":"x"}}"#, "{}", "[]", ""] {
            assert!(PayloadHeader::of(payload.as_bytes()).is_none(), "{payload}");
        }
    }

    #[test]
    fn the_current_details_are_newer_than_the_stored_ones() {
        let payload = r#"{"network-extension-details":"{\"host\":\"a\"}",
            "payload":{"network_id":"1","current_details":"{\"host\":\"b\"}"}}"#;
        assert_eq!(PayloadHeader::of(payload.as_bytes()).unwrap().details.get_str("host"), Some("b"));
        let empty = payload.replace(r#"{\"host\":\"b\"}"#, "{}");
        assert_eq!(PayloadHeader::of(empty.as_bytes()).unwrap().details.get_str("host"), Some("a"));
    }
}
