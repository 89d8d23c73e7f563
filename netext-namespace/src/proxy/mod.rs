//! The proxy role: on the management server, for whatever host owns a network.
//!
//! `ensure-network-device` chooses a host and asks it whether it is there; every other command is carried to the
//! host's copy of the executable, its payload unread but for where it belongs ([`relay`](crate::relay) is what the
//! two say to each other). Where no hosts are registered, this machine is the host.

mod addressed;
mod choice;
pub mod error;
mod hosts;
mod memory;
pub mod rank;
pub mod ssh;
mod standby;
pub mod target;

use std::time::Duration;

use async_trait::async_trait;
use netext_core::{Description, DeviceError, ErrorKind, Handler, Invocation, Reply};
use netext_protocol::{Command, DeviceDetails, Effect};
use serde_json::Value;

use crate::failover::RouterDelta;
use crate::host::HostDevice;
use crate::model::RouterId;
use crate::places::Places;
use crate::relay::{Answer, Call, Since};
use addressed::Addressed;
use choice::Choice;
use error::HostError;
use hosts::Hosts;
use memory::{Memory, Place};
use ssh::Ssh;
use standby::Standby;
use target::{Fleet, Host, InvalidTarget};

/// How much earlier than we a host has to be done, so that what it says about being late is heard: a tenth of the
/// time, within bounds.
const AHEAD: u32 = 10;
const LEAST_AHEAD: Duration = Duration::from_millis(50);
const MOST_AHEAD: Duration = Duration::from_secs(2);

/// Hands commands to the machine that they are for.
#[derive(Debug)]
pub struct Proxy {
    local: HostDevice,
    places: Places,
    path: Option<String>,
}

impl Proxy {
    /// The proxy that acts on this machine where no hosts are registered. `path` is where the executable lies on
    /// the hosts, unless the detail `remote.path` says so; it defaults to where the extension is deployed to.
    pub fn new(local: HostDevice, places: Places, path: Option<String>) -> Self {
        Self { local, places, path }
    }
}

impl From<InvalidTarget> for DeviceError {
    fn from(error: InvalidTarget) -> Self {
        Self::invalid(error.to_string())
    }
}

#[async_trait]
impl Handler for Proxy {
    fn description(&self) -> Description {
        self.local.description()
    }

    async fn handle(&self, invocation: Invocation) -> Result<Reply, DeviceError> {
        let addressed = Addressed::read(&invocation)?;
        if addressed.physical.hosts().is_empty() {
            return self.local.handle(invocation).await;
        }
        let fleet = Fleet::registered(&addressed.physical, &self.places.extension, self.path.as_deref())?;
        let folder = self.places.state.join("proxy");
        let ssh = Ssh::new(&fleet, &folder)?;
        let memory = Memory::in_folder(folder);
        let hosts = Hosts { fleet: &fleet, ssh: &ssh, memory: &memory, deadline: invocation.deadline() };
        let Addressed { details, router, network, .. } = addressed;
        let router = match (router, network) {
            (RouterId::Vpc(vpc), Some(network)) => {
                memory.note_tier(network, vpc);
                router
            }
            (RouterId::Network(network), _) => memory.vpc_of(network).map_or(router, RouterId::Vpc),
            (RouterId::Vpc(_), None) => router,
        };
        let choice = Choice { hosts: &hosts, router };
        let known = known_place(&details, memory.place(router));
        let command = invocation.command();
        if command == Command::EnsureNetworkDevice {
            let (place, ()) = tokio::join!(choice.place(known.as_ref()), hosts.remind(router));
            let place = place?;
            memory.note_place(router, &place);
            return Ok(Reply::DeviceDetails(details_of(router, &place)));
        }
        let places = match known {
            Some(place) if !details.is_empty() => vec![place],
            // There is nothing to do where the router is not.
            _ if command.effect() == Effect::Removes => choice.holders().await?,
            // The server has nothing stored because it could not, or because ensuring failed a moment ago.
            known => {
                let place = choice.place(known.as_ref()).await?;
                memory.note_place(router, &place);
                vec![place]
            }
        };
        let mut reply = Reply::Nothing;
        for place in &places {
            let standby = Standby { hosts: &hosts, router, place };
            let (printed, news) = carry(&ssh, &place.host, &invocation, standby.since()).await?;
            reply = printed;
            if let Some(network) = network.filter(|_| command == Command::DestroyNetwork) {
                memory.forget_tier(network);
            }
            if router_ends_with(command, router) {
                standby.forget().await;
            } else if let Some(news) = news {
                standby.hear(news).await?;
            }
        }
        Ok(reply)
    }
}

/// Where the router is, as the server has it stored; or as we remember it, if the server could not store what we
/// said last.
fn known_place(details: &DeviceDetails, remembered: Option<Place>) -> Option<Place> {
    // A text that is no host cannot have come from us.
    let stored = details.get_str("host").and_then(|host| host.parse::<Host>().ok());
    let epoch = details.get("epoch").and_then(Value::as_u64).unwrap_or_default();
    match (stored, remembered) {
        (Some(host), Some(remembered)) if remembered.epoch <= epoch => Some(Place { host, epoch }),
        (Some(host), None) => Some(Place { host, epoch }),
        (_, remembered) => remembered,
    }
}

/// What the server is to hand back with every command.
fn details_of(router: RouterId, place: &Place) -> DeviceDetails {
    let details = DeviceDetails::default()
        .with("host", place.host.as_str())
        .with("namespace", router.namespace().to_string())
        .with("epoch", place.epoch);
    match router {
        RouterId::Vpc(vpc) => details.with("vpc_id", vpc.to_string()),
        RouterId::Network(_) => details,
    }
}

/// Whether the router is gone after a command: that of a VPC outlives its tiers.
fn router_ends_with(command: Command, router: RouterId) -> bool {
    match router {
        RouterId::Network(_) => command == Command::DestroyNetwork,
        RouterId::Vpc(_) => matches!(command, Command::ShutdownVpc | Command::DestroyVpc),
    }
}

/// Has a command carried out by a host, and hears what is new about the router. When the time is over, the host is
/// made to stop as well.
async fn carry(
    ssh: &Ssh<'_>,
    host: &Host,
    invocation: &Invocation,
    tell: Option<Since>,
) -> Result<(Reply, Option<RouterDelta>), DeviceError> {
    let (command, deadline) = (invocation.command(), invocation.deadline());
    let time = deadline.remaining();
    let call = || {
        let left = deadline.remaining();
        let left = left.saturating_sub((left / AHEAD).clamp(LEAST_AHEAD, MOST_AHEAD));
        let milliseconds = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        Call::command(command, milliseconds, invocation.payload(), tell)
    };
    let answer = tokio::select! {
        answer = ssh.ask(host, call, invocation.payload(), Duration::MAX) => answer,
        () = deadline.cancelled() => Err(HostError::Silent { host: host.to_string(), after: time }),
    };
    match answer? {
        Answer::Succeeded { output, news } => Ok((Reply::Relayed(output), news)),
        Answer::Failed { exit, line } => {
            let kind = match ErrorKind::from_exit_code(exit.into()) {
                kind @ (ErrorKind::Invalid | ErrorKind::TimedOut | ErrorKind::NotImplemented) => kind,
                _ => ErrorKind::Device,
            };
            Err(DeviceError::new(kind, format!("{host}: {}", line.trim_end())))
        }
        _ => Err(DeviceError::internal(format!("{host} answered another question"))),
    }
}
