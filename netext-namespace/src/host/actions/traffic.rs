//! What a router carries: its tracked connections, and how much traffic its public addresses have.

use netext_protocol::ActionResult;
use serde_json::{Map, Value};

use super::{ActionCall, ActionOutcome, row};
use crate::compile::{INCOMING, OUTGOING};
use crate::kernel::conntrack::{self, ConnectionFilter, TrackedConnection};
use crate::kernel::nftables;

/// The number of rows, unless the call sets a limit, and the greatest limit.
const USUAL: usize = 1000;
const MOST: usize = 10_000;

/// A row per tracked connection.
pub(super) async fn connections(call: ActionCall<'_>) -> ActionOutcome {
    let wanted = ConnectionFilter {
        address: call.parameters.optional(&["address"])?,
        port: call.parameters.optional(&["port"])?,
        protocol: call.parameters.optional(&["protocol"])?,
    };
    let limit = call.parameters.optional(&["limit"])?.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(call.parameters.refused("limit", format!("expected a number from 1 to {MOST}")));
    }
    let listed = conntrack::list(&call.namespace()?, &wanted, limit)?;
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

/// A row per public address and direction. The counters start when the address is taken up, and start again when all
/// rules are replaced, because the namespace is new or another process changed them.
pub(super) async fn statistics(call: ActionCall<'_>) -> ActionOutcome {
    let namespace = call.namespace()?;
    let mut rows = Vec::new();
    for (direction, set) in [("in", INCOMING), ("out", OUTGOING)] {
        let counted = nftables::counters(&namespace, set)?;
        rows.extend(counted.into_iter().map(|count| (count.address, direction, count)));
    }
    rows.sort_by_key(|(address, direction, _)| (*address, *direction));
    let rows = rows.into_iter().map(|(address, direction, count)| {
        row([
            ("address", address.to_string().into()),
            ("direction", direction.into()),
            ("packets", count.packets.into()),
            ("bytes", count.bytes.into()),
        ])
    });
    Ok(ActionResult::rows(rows.collect()))
}
