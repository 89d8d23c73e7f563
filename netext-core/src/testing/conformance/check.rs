//! A check, and what it works with: the extension under test, and sample networks to try it on.

use std::sync::atomic::{AtomicU32, Ordering};

use netext_protocol::{Command, Effect, GuestType, Scope, Sender};
use serde_json::{Map, Value};

use crate::testing::call::{
    CallStreams, Extension, ExtensionCall, JudgedResponse, ProcessEnd, Response, excerpt,
};
use crate::testing::payload::{Payload, each_text};
use crate::testing::profile::ExtensionProfile;
use crate::testing::server::Server;

/// One requirement of the protocol, and how to check it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Check {
    /// Its name in reports, and in files of expected failures.
    pub id: &'static str,
    /// What every extension must do, in a sentence.
    pub requirement: &'static str,
    /// Why the protocol requires it.
    pub reason: &'static str,
    /// What to do if the check fails.
    pub remedy: &'static str,
    /// The checks that this one varies: it is skipped if one of them failed.
    pub(super) varies: &'static [&'static Self],
    pub(super) run: fn(&ExtensionUnderTest<'_>) -> Checked,
}

/// Why a check did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotPassed {
    /// The extension does not meet the requirement, and how that shows.
    Failed(String),
    /// The check does not apply to the extension, and why.
    Skipped(String),
}

pub(super) type Checked = Result<(), NotPassed>;

pub(super) fn failed(how: impl Into<String>) -> Checked {
    Err(NotPassed::Failed(how.into()))
}

pub(super) fn skipped(why: impl Into<String>) -> Checked {
    Err(NotPassed::Skipped(why.into()))
}

/// Requires that a command exited with 0.
pub(super) fn exits_with_0(command: &str, response: &Response) -> Checked {
    if response.code() == Some(0) { Ok(()) } else { unexpected_end(command, response) }
}

/// Requires that a command exited with an error.
pub(super) fn exits_with_an_error(command: &str, response: &Response) -> Checked {
    if response.code().is_some_and(|code| code != 0) { Ok(()) } else { unexpected_end(command, response) }
}

/// Fails because of how a command ended.
pub(super) fn unexpected_end(command: &str, response: &Response) -> Checked {
    let end = match response.end {
        ProcessEnd::Exited(code) => format!("exited with {code}"),
        ProcessEnd::Killed(signal) => format!("was ended by signal {signal}"),
        ProcessEnd::TimedOut => format!("was still running after {:.1} s", response.took.as_secs_f64()),
    };
    let printed = response.printed();
    let said = if printed.is_empty() { "printed nothing".to_owned() } else { excerpt(&printed) };
    failed(format!("{command} {end}: {said}"))
}

/// Sends commands in turn, up to the first that does not exit with 0.
pub(super) fn send_all(
    server: &Server<impl Extension>,
    payloads: impl IntoIterator<Item = Payload>,
) -> Checked {
    payloads.into_iter().try_for_each(|payload| {
        let judged = server.send(payload);
        exits_with_0(&judged.command, &judged.response)
    })
}

/// The numbers of the networks and VPCs of the checks start here.
const FIRST_NETWORK: u32 = 990_000;

/// The extension under test, behind a server of its own.
pub(super) struct ExtensionUnderTest<'a> {
    pub(super) server: Server<&'a dyn Extension>,
    pub(super) profile: ExtensionProfile,
    numbers: AtomicU32,
}

impl<'a> ExtensionUnderTest<'a> {
    pub(super) fn new<E: Extension>(server: &'a Server<E>, profile: ExtensionProfile) -> Self {
        let extension: &dyn Extension = server.extension();
        let server = server.twin(extension).style(Sender::Server);
        Self { server, profile, numbers: AtomicU32::new(FIRST_NETWORK) }
    }

    /// A new network of the kind that the extension is tried on.
    pub(super) fn network(&self) -> SampleNetwork<'_> {
        match self.profile.guest_type {
            GuestType::L2 => SampleNetwork::layer2(self),
            GuestType::Shared => SampleNetwork::shared(self),
            _ => SampleNetwork::isolated(self),
        }
    }

    /// A number that no network or VPC has yet.
    pub(super) fn next_number(&self) -> u32 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// A server with the same registration that writes payloads as a sender does.
    pub(super) fn server_in_style_of(&self, sender: Sender) -> Server<&'a dyn Extension> {
        self.server.twin(*self.server.extension()).style(sender)
    }
}

/// The first part of every guest address in the samples.
const SAMPLE_PREFIX: &str = "10.1.1.";

/// A network that only one check uses: the payloads of its commands, and how to send them.
pub(super) struct SampleNetwork<'a> {
    tested: &'a ExtensionUnderTest<'a>,
    /// The fields that identify the network and describe its subnet.
    fields: Map<String, Value>,
    /// The first part of every address in the network; its prefix has 24 bits.
    prefix: &'static str,
    /// The address of the device in the network, if it has one there.
    extension_ip: Option<&'static str>,
}

impl<'a> SampleNetwork<'a> {
    fn isolated(tested: &'a ExtensionUnderTest<'a>) -> Self {
        Self::new(tested, SAMPLE_PREFIX, Some("10.1.1.1"), &[("guest_type", "isolated")])
    }

    pub(super) fn shared(tested: &'a ExtensionUnderTest<'a>) -> Self {
        Self::new(tested, "172.31.42.", Some("172.31.42.200"), &[("guest_type", "shared")])
    }

    /// A layer-2 network, of which the extension chooses the segment.
    fn layer2(tested: &'a ExtensionUnderTest<'a>) -> Self {
        Self::new(tested, SAMPLE_PREFIX, None, &[("guest_type", "l2"), ("vlan", "")])
    }

    /// Two tiers of a VPC.
    pub(super) fn tiers(tested: &'a ExtensionUnderTest<'a>, vpc: u32) -> [Self; 2] {
        let fields = [("guest_type", "isolated"), ("vpc_id", &*vpc.to_string())];
        [("10.2.1.", "10.2.1.1"), ("10.2.2.", "10.2.2.1")]
            .map(|(prefix, gateway)| Self::new(tested, prefix, Some(gateway), &fields))
    }

    fn new(
        tested: &'a ExtensionUnderTest<'a>,
        prefix: &'static str,
        extension_ip: Option<&'static str>,
        fields: &[(&str, &str)],
    ) -> Self {
        let number = tested.next_number();
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        let mut fields: Map<_, _> = fields.collect();
        fields.insert("network_id".into(), number.to_string().into());
        fields.entry("vlan").or_insert_with(|| (2000 + number % 1000).to_string().into());
        fields.insert("zone_id".into(), "1".into());
        fields.insert("network_state".into(), "implemented".into());
        if extension_ip.is_some() {
            fields.insert("gateway".into(), format!("{prefix}1").into());
            fields.insert("cidr".into(), format!("{prefix}0/24").into());
        }
        Self { tested, fields, prefix, extension_ip }
    }

    fn is_tier(&self) -> bool {
        self.fields.contains_key("vpc_id")
    }

    /// The payload of a command for this network.
    pub(super) fn payload(&self, command: Command) -> Payload {
        self.moved_here(Payload::sample(command))
    }

    /// The payload of a sample for this network.
    pub(super) fn moved_here(&self, payload: Payload) -> Payload {
        let mut payload = payload.without("vpc_id").without("gateway").without("cidr");
        // The source NAT of a tier belongs to its VPC.
        if self.is_tier() && payload.field("source_nat").is_some() {
            payload = payload.with("source_nat", "false");
        }
        let fields = payload.fields_mut();
        fields.iter_mut().for_each(|(name, value)| {
            each_text(name, value, &mut |name, text| self.move_instance(name, text));
        });
        fields.extend(self.fields.clone());
        if let (Some(_), Some(address)) = (fields.remove("extension_ip"), self.extension_ip) {
            fields.insert("extension_ip".into(), address.into());
        }
        payload
    }

    /// Moves an instance of the samples into this network: its address into the subnet, and its NIC to a uuid that
    /// no other network has.
    fn move_instance(&self, name: &str, text: &mut String) {
        const LENGTH: usize = 36;
        const LAST_PART: usize = 24;
        if let Some(host) = text.strip_prefix(SAMPLE_PREFIX) {
            *text = format!("{}{host}", self.prefix);
        } else if name == "nic_uuid" && text.len() == LENGTH {
            let network = self.fields["network_id"].as_str().unwrap_or_default();
            text.replace_range(LAST_PART.., &format!("{network:0>12}"));
        }
    }

    /// The commands of the network that the extension implements and that create or change something, in an order
    /// in which they can be sent.
    pub(super) fn creating(&self) -> Vec<Command> {
        self.commands().filter(|command| command.effect() != Effect::Removes).collect()
    }

    /// The commands of the network that remove something, in the opposite order; the network itself comes last.
    pub(super) fn removing(&self) -> Vec<Command> {
        let is_last =
            |command: &Command| matches!(command, Command::ShutdownNetwork | Command::DestroyNetwork);
        let (last, mut first): (Vec<_>, Vec<_>) =
            self.commands().filter(|command| command.effect() == Effect::Removes).partition(is_last);
        first.reverse();
        first.into_iter().chain(last).collect()
    }

    fn commands(&self) -> impl Iterator<Item = Command> {
        let fits = |command: &Command| match command {
            // The effect of an action is up to the vendor.
            Command::EnsureNetworkDevice | Command::CustomAction => false,
            // A tier has an access list in place of the network's firewall. An extension without VPCs may have
            // access lists for other networks.
            Command::ApplyNetworkAcl => self.is_tier() || !self.tested.profile.vpc,
            Command::ApplyFwRules => !self.is_tier(),
            command => command.scope() == Scope::Network,
        };
        Command::ALL.iter().copied().filter(fits).filter(|command| self.tested.profile.implements(*command))
    }

    /// Sends a command as the server does.
    pub(super) fn send(&self, command: Command) -> JudgedResponse {
        self.tested.server.send(self.payload(command))
    }

    /// Sends a command alone, with standard output and error apart.
    pub(super) fn send_apart(&self, payload: &Payload) -> Response {
        let server = &self.tested.server;
        let document = server.document(payload);
        server.send_document(payload.command().name(), &document, CallStreams::Apart).response
    }

    /// Calls the extension with any text in the payload file.
    pub(super) fn call_with(&self, command: Command, text: &str) -> Response {
        self.tested.server.call(command.name(), &ExtensionCall::new(command, text)).response
    }

    /// Implements the network, as a first step of a check.
    pub(super) fn implemented(self) -> Self {
        self.send(Command::ImplementNetwork);
        self
    }

    /// Runs a check, and then removes the network.
    pub(super) fn removed_after(self, check: impl FnOnce(&Self) -> Checked) -> Checked {
        let checked = check(&self);
        self.remove();
        checked
    }

    /// Removes the network, in any state.
    pub(super) fn remove(&self) {
        self.send(Command::ShutdownNetwork);
        self.send(Command::DestroyNetwork);
    }

    /// Goes through the whole life of the network: every command that creates something, then every command that
    /// removes something. `send` sends each of them.
    pub(super) fn live(&self, send: &mut dyn FnMut(Payload) -> Checked) -> Checked {
        let mut commands = self.creating().into_iter().chain(self.removing());
        let lived = commands.try_for_each(|command| send(self.payload(command)));
        if lived.is_err() {
            self.remove();
        }
        lived
    }

    /// Goes through the whole life of the network with changed payloads.
    pub(super) fn live_with(&self, change: impl Fn(Payload) -> Payload) -> Checked {
        self.live(&mut |payload| send_all(&self.tested.server, [change(payload)]))
    }

    /// Goes through the whole life of the network with changed payload documents.
    pub(super) fn live_with_document(&self, change: impl Fn(Value) -> Value) -> Checked {
        let server = &self.tested.server;
        let send = |payload: &Payload| {
            let (name, document) = (payload.command().name(), change(server.document(payload)));
            exits_with_0(name, &server.send_document(name, &document, CallStreams::Merged).response)
        };
        send(&server.ensuring(&self.payload(Command::ImplementNetwork)))?;
        self.live(&mut |payload| {
            server.ensure_before(&payload);
            send(&payload)
        })
    }
}
