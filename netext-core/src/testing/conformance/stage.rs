//! A network on the bench.

use netext_protocol::{Command, Sample};
use serde_json::{Map, Value, json};

use super::bench::Bench;
use super::report::Finding;
use crate::testing::{Answer, Call, Judged, Payload, Streams};

/// A network that nobody else has: the payloads of its commands, and how they are sent.
pub(super) struct Stage<'a> {
    bench: &'a Bench<'a>,
    /// The fields that say which network it is.
    network: Map<String, Value>,
    /// What the device answers on in the network, where it has an address there.
    extension_ip: Option<&'static str>,
}

impl<'a> Stage<'a> {
    pub(super) fn isolated(bench: &'a Bench<'a>, number: u32) -> Self {
        Self::new(
            bench,
            number,
            Some("10.1.1.1"),
            &json!({
                "guest_type": "isolated", "gateway": "10.1.1.1", "cidr": "10.1.1.0/24",
            }),
        )
    }

    pub(super) fn shared(bench: &'a Bench<'a>, number: u32) -> Self {
        Self::new(
            bench,
            number,
            Some("172.31.42.200"),
            &json!({
                "guest_type": "shared", "gateway": "172.31.42.1", "cidr": "172.31.42.0/24",
            }),
        )
    }

    /// A bare segment, which the extension is to choose.
    pub(super) fn layer2(bench: &'a Bench<'a>, number: u32) -> Self {
        Self::new(bench, number, None, &json!({ "guest_type": "l2", "vlan": "" }))
    }

    /// A tier of a VPC; the tiers of one VPC are told apart by `place`, which is 1 or 2.
    pub(super) fn tier(bench: &'a Bench<'a>, number: u32, vpc: u32, place: u8) -> Self {
        let extension_ip = if place == 1 { "10.2.1.1" } else { "10.2.2.1" };
        Self::new(
            bench,
            number,
            Some(extension_ip),
            &json!({
                "guest_type": "isolated", "vpc_id": vpc.to_string(),
                "gateway": extension_ip, "cidr": format!("10.2.{place}.0/24"),
            }),
        )
    }

    fn new(bench: &'a Bench<'a>, number: u32, extension_ip: Option<&'static str>, fields: &Value) -> Self {
        let mut network = fields.as_object().cloned().unwrap_or_default();
        network.insert("network_id".into(), number.to_string().into());
        network.entry("vlan").or_insert_with(|| (2000 + number % 1000).to_string().into());
        network.insert("zone_id".into(), "1".into());
        network.insert("network_state".into(), "implemented".into());
        Self { bench, network, extension_ip }
    }

    /// The payload of a command about this network.
    pub(super) fn payload(&self, command: Command) -> Payload {
        self.placed(Payload::sample(command))
    }

    /// The payload of a sample, about this network.
    pub(super) fn sample(&self, name: &str) -> Option<Payload> {
        Sample::named(name).map(|_| self.placed(Payload::sample_named(name)))
    }

    fn placed(&self, payload: Payload) -> Payload {
        let mut payload = payload.without("vpc_id").without("gateway").without("cidr");
        let fields = payload.fields_mut();
        fields.extend(self.network.clone());
        rename_nics(fields, self.network["network_id"].as_str().unwrap_or_default());
        if fields.remove("extension_ip").is_some()
            && let Some(address) = self.extension_ip
        {
            fields.insert("extension_ip".into(), address.into());
        }
        payload
    }

    /// Sends a command as the server does.
    pub(super) fn send(&self, command: Command) -> Judged {
        self.bench.server.send(self.payload(command))
    }

    /// Sends a command with its standard error apart from its output.
    pub(super) fn send_apart(&self, payload: &Payload) -> Judged {
        let server = &self.bench.server;
        server.send_document(payload.command().name(), &server.document(payload), Streams::Apart)
    }

    /// Brings the network into being, for a check of something else.
    pub(super) fn implemented(self) -> Self {
        self.send(Command::ImplementNetwork);
        self
    }

    /// Lives the whole life of the network: every command that brings something, then every one that takes it
    /// away. Each is answered by `send`. Answers what is wrong with the first that does not exit with 0.
    pub(super) fn live(&self, send: &mut dyn FnMut(&Payload) -> Answer) -> Finding {
        for command in self.bench.bringing().into_iter().chain(self.bench.taking_away()) {
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
        self.live(&mut |payload| self.bench.server.send(change(payload.clone())).answer)
    }

    /// Lives the whole life of the network with changed documents.
    pub(super) fn live_with_document(&self, change: impl Fn(Value) -> Value) -> Finding {
        let server = &self.bench.server;
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
            server.send(server.ensuring(payload));
            send(payload)
        })
    }

    /// Takes the network away, whatever is left of it.
    pub(super) fn end(&self) {
        self.send(Command::ShutdownNetwork);
        self.send(Command::DestroyNetwork);
    }

    /// Calls the extension with a text in the payload file.
    pub(super) fn call_with(&self, command: Command, text: &str) -> Answer {
        self.bench.server.call(command.name(), &Call::new(command, text)).answer
    }
}

/// Gives the NICs of a payload uuids of their network's own: no two networks have a NIC in common.
fn rename_nics(fields: &mut Map<String, Value>, network: &str) {
    const LENGTH: usize = 36;
    const LAST_PART: usize = 24;
    for (name, value) in fields {
        match value {
            Value::String(uuid) if name == "nic_uuid" && uuid.len() == LENGTH => {
                uuid.replace_range(LAST_PART.., &format!("{network:0>12}"));
            }
            Value::Object(fields) => rename_nics(fields, network),
            Value::Array(list) => {
                list.iter_mut().filter_map(Value::as_object_mut).for_each(|it| rename_nics(it, network));
            }
            _ => {}
        }
    }
}
