//! A network of a check.

use netext_protocol::{Command, Effect, Scope};
use serde_json::{Map, Value};

use super::report::Finding;
use super::suite::Suite;
use crate::testing::{Answer, Call, Judged, Payload, Streams, each_text};

/// The beginning of every guest address in the samples.
const SAMPLE_PREFIX: &str = "10.1.1.";

/// A network that nobody else has: the payloads of its commands, and how they are sent.
pub(super) struct Stage<'a> {
    suite: &'a Suite<'a>,
    /// The fields that say which network it is.
    network: Map<String, Value>,
    /// The beginning of every address in the network, which has 24 bits for its prefix.
    prefix: &'static str,
    /// What the device answers on in the network, where it has an address there.
    extension_ip: Option<&'static str>,
}

impl<'a> Stage<'a> {
    pub(super) fn isolated(suite: &'a Suite<'a>, number: u32) -> Self {
        Self::new(suite, number, SAMPLE_PREFIX, Some("10.1.1.1"), &[("guest_type", "isolated")])
    }

    pub(super) fn shared(suite: &'a Suite<'a>, number: u32) -> Self {
        Self::new(suite, number, "172.31.42.", Some("172.31.42.200"), &[("guest_type", "shared")])
    }

    /// A bare segment, which the extension is to choose.
    pub(super) fn layer2(suite: &'a Suite<'a>, number: u32) -> Self {
        Self::new(suite, number, SAMPLE_PREFIX, None, &[("guest_type", "l2"), ("vlan", "")])
    }

    /// A tier of a VPC; the tiers of one VPC are told apart by `place`, which is 1 or 2.
    pub(super) fn tier(suite: &'a Suite<'a>, number: u32, vpc: u32, place: u8) -> Self {
        let (prefix, gateway) = if place == 1 { ("10.2.1.", "10.2.1.1") } else { ("10.2.2.", "10.2.2.1") };
        let fields = [("guest_type", "isolated"), ("vpc_id", &*vpc.to_string())];
        Self::new(suite, number, prefix, Some(gateway), &fields)
    }

    fn new(
        suite: &'a Suite<'a>,
        number: u32,
        prefix: &'static str,
        extension_ip: Option<&'static str>,
        fields: &[(&str, &str)],
    ) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        let mut network: Map<_, _> = fields.collect();
        network.insert("network_id".into(), number.to_string().into());
        network.entry("vlan").or_insert_with(|| (2000 + number % 1000).to_string().into());
        network.insert("zone_id".into(), "1".into());
        network.insert("network_state".into(), "implemented".into());
        if extension_ip.is_some() {
            network.insert("gateway".into(), format!("{prefix}1").into());
            network.insert("cidr".into(), format!("{prefix}0/24").into());
        }
        Self { suite, network, prefix, extension_ip }
    }

    fn is_tier(&self) -> bool {
        self.network.contains_key("vpc_id")
    }

    /// The payload of a command about this network.
    pub(super) fn payload(&self, command: Command) -> Payload {
        self.placed(Payload::sample(command))
    }

    /// The payload of a sample, about this network.
    pub(super) fn sample(&self, name: &str) -> Payload {
        self.placed(Payload::sample_named(name))
    }

    fn placed(&self, payload: Payload) -> Payload {
        let mut payload = payload.without("vpc_id").without("gateway").without("cidr");
        // The source NAT of a tier is its VPC's.
        if self.is_tier() && payload.field("source_nat").is_some() {
            payload = payload.with("source_nat", "false");
        }
        let fields = payload.fields_mut();
        fields.iter_mut().for_each(|(name, value)| {
            each_text(name, value, &mut |name, text| self.place_instance(name, text));
        });
        fields.extend(self.network.clone());
        if let (Some(_), Some(address)) = (fields.remove("extension_ip"), self.extension_ip) {
            fields.insert("extension_ip".into(), address.into());
        }
        payload
    }

    /// Puts the instances of the sample network into this one: addresses into its subnet, and NICs get uuids of its
    /// own, because no two networks have a NIC in common.
    fn place_instance(&self, name: &str, text: &mut String) {
        const LENGTH: usize = 36;
        const LAST_PART: usize = 24;
        if let Some(host) = text.strip_prefix(SAMPLE_PREFIX) {
            *text = format!("{}{host}", self.prefix);
        } else if name == "nic_uuid" && text.len() == LENGTH {
            let network = self.network["network_id"].as_str().unwrap_or_default();
            text.replace_range(LAST_PART.., &format!("{network:0>12}"));
        }
    }

    /// The commands on the network that the extension answers and that create or change something, in the order
    /// in which they can be sent.
    pub(super) fn creating(&self) -> Vec<Command> {
        self.commands().filter(|command| command.effect() != Effect::Removes).collect()
    }

    /// The commands on the network that remove something: the last that was created first, the network at the
    /// end.
    pub(super) fn removing(&self) -> Vec<Command> {
        let ends = |command: &Command| matches!(command, Command::ShutdownNetwork | Command::DestroyNetwork);
        let (ends, mut others): (Vec<_>, Vec<_>) =
            self.commands().filter(|command| command.effect() == Effect::Removes).partition(ends);
        others.reverse();
        others.into_iter().chain(ends).collect()
    }

    fn commands(&self) -> impl Iterator<Item = Command> {
        let fits = |command: &Command| match command {
            // What an action does is the vendor's affair.
            Command::EnsureNetworkDevice | Command::CustomAction => false,
            // A tier has a list of its own instead of the network's firewall. An extension without VPCs may
            // have lists for other networks.
            Command::ApplyNetworkAcl => self.is_tier() || !self.suite.provided.vpc,
            Command::ApplyFwRules => !self.is_tier(),
            command => command.scope() == Scope::Network,
        };
        Command::ALL.iter().copied().filter(fits).filter(|command| self.suite.provided.answers(*command))
    }

    /// Sends a command as the server does.
    pub(super) fn send(&self, command: Command) -> Judged {
        self.suite.server.send(self.payload(command))
    }

    /// Sends a command with its standard error apart from its output.
    pub(super) fn send_apart(&self, payload: &Payload) -> Judged {
        let server = &self.suite.server;
        server.send_document(payload.command().name(), &server.document(payload), Streams::Apart)
    }

    /// Implements the network, for a check of something else.
    pub(super) fn implemented(self) -> Self {
        self.send(Command::ImplementNetwork);
        self
    }

    /// Lives the whole life of the network: every command that creates something, then every one that removes
    /// it. Each is answered by `send`. Answers what is wrong with the first that does not exit with 0.
    pub(super) fn live(&self, send: &mut dyn FnMut(&Payload) -> Answer) -> Finding {
        for command in self.creating().into_iter().chain(self.removing()) {
            let answer = send(&self.payload(command));
            if answer.code() != Some(0) {
                self.end();
                return Finding::failed_by(command.name(), &answer);
            }
        }
        Finding::Passed
    }

    /// Lives the whole life of the network with changed payloads.
    pub(super) fn live_with(&self, change: impl Fn(Payload) -> Payload) -> Finding {
        self.live(&mut |payload| self.suite.server.send(change(payload.clone())).answer)
    }

    /// Lives the whole life of the network with changed documents.
    pub(super) fn live_with_document(&self, change: impl Fn(Value) -> Value) -> Finding {
        let server = &self.suite.server;
        let send = |payload: &Payload| {
            let document = change(server.document(payload));
            server.send_document(payload.command().name(), &document, Streams::Merged).answer
        };
        let ensuring = server.ensuring(&self.payload(Command::ImplementNetwork));
        let answer = send(&ensuring);
        if answer.code() != Some(0) {
            return Finding::failed_by(ensuring.command().name(), &answer);
        }
        self.live(&mut |payload| {
            server.ensure_before(payload);
            send(payload)
        })
    }

    /// Removes the network, whatever is left of it.
    pub(super) fn end(&self) {
        self.send(Command::ShutdownNetwork);
        self.send(Command::DestroyNetwork);
    }

    /// Calls the extension with a text in the payload file.
    pub(super) fn call_with(&self, command: Command, text: &str) -> Answer {
        self.suite.server.call(command.name(), &Call::new(command, text)).answer
    }
}
