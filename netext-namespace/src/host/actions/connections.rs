//! The connections that a router tracks.

use netext_core::DeviceError;
use netext_protocol::ActionResult;
use serde_json::{Map, Value};

use super::{Call, Outcome, row};
use crate::kernel::conntrack::{self, ConnectionFilter, TrackedConnection};

/// Rows in an answer, if nobody says otherwise, and at most.
const USUAL: usize = 1000;
const MOST: usize = 10_000;

pub(super) async fn list(call: Call<'_>) -> Outcome {
    let wanted = ConnectionFilter {
        address: call.parameters.optional(&["address"])?,
        port: call.parameters.optional(&["port"])?,
        protocol: call.parameters.optional(&["protocol"])?,
    };
    let limit = call.parameters.optional(&["limit"])?.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(call.parameters.refused("limit", format!("expected a number from 1 to {MOST}")));
    }
    let listed = conntrack::list(&call.namespace()?, &wanted, limit)
        .map_err(|error| DeviceError::device(error.to_string()))?;
    let mut rows: Vec<_> = listed.connections.iter().map(shown).collect();
    if listed.matched > rows.len() {
        let note = format!("{} of {}; narrow it by address, port or protocol", rows.len(), listed.matched);
        rows.push(row([("note", note.into())]));
    }
    Ok(ActionResult::rows(rows))
}

fn shown(connection: &TrackedConnection) -> Map<String, Value> {
    let text = |value: Option<std::net::IpAddr>| Value::from(value.map(|address| address.to_string()));
    let (original, reply) = (&connection.original, &connection.reply);
    row([
        ("protocol", connection.protocol.map(|protocol| protocol.to_string()).into()),
        ("state", connection.state.into()),
        ("answered", connection.is_answered.into()),
        ("timeout", connection.timeout.into()),
        ("source", text(original.source)),
        ("source-port", original.source_port.into()),
        ("destination", text(original.destination)),
        ("destination-port", original.destination_port.into()),
        ("reply-source", text(reply.source)),
        ("reply-source-port", reply.source_port.into()),
        ("reply-destination", text(reply.destination)),
        ("reply-destination-port", reply.destination_port.into()),
        ("packets-sent", connection.sent.map(|(packets, _)| packets).into()),
        ("bytes-sent", connection.sent.map(|(_, bytes)| bytes).into()),
        ("packets-received", connection.received.map(|(packets, _)| packets).into()),
        ("bytes-received", connection.received.map(|(_, bytes)| bytes).into()),
    ])
}
