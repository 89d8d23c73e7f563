//! What the server stores about the device, and hands back.

use netext_protocol::{Command, DeviceDetails};
use serde_json::{Value, json};

use super::Check;
use crate::testing::conformance::report::Finding;
use crate::testing::conformance::suite::Suite;
use crate::testing::judged::excerpt;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "device-details",
        sentence: "ensure-network-device prints one JSON object in one line of at most 1024 bytes, or nothing.",
        reason: "The server stores what is printed, as it is, in a column of that size.",
        remedy: "Print the details with a JSON library, and nothing beside them; keep what is long elsewhere.",
        run: device_details,
    },
    Check {
        id: "stable-details",
        sentence: "Asked again with its own answer, ensure-network-device gives the same answer.",
        reason: "It is asked before almost every command: another answer moves the network to another device.",
        remedy: "Keep the device in current_details as long as it can be used.",
        run: stable_details,
    },
    Check {
        id: "empty-details",
        sentence: "Every command works without stored details.",
        reason: "If asking for the device fails, the server only logs it and sends the command all the same.",
        remedy: "Derive what is missing from the payload and the registered details.",
        run: |suite| suite.network().live_with_document(|document| with_details(document, json!({}))),
    },
    Check {
        id: "stale-details",
        sentence: "Every command works with details that are out of date.",
        reason: "Stored details outlive versions of the extension and hosts.",
        remedy: "Take from the details only what still makes sense; ignore the rest.",
        run: |suite| {
            let stale = json!({"namespace": "cs-net-0", "left-by": {"an older version": [1, 2]}, "note": ""});
            suite.network().live_with_document(|document| with_details(document, stale.clone()))
        },
    },
];

fn with_details(mut document: Value, details: Value) -> Value {
    document[DeviceDetails::KEYS[0]] = details;
    document
}

fn device_details(suite: &Suite<'_>) -> Finding {
    let stage = suite.network();
    let ensuring = suite.server.ensuring(&stage.payload(Command::ImplementNetwork));
    let answer = stage.send_apart(&ensuring).answer;
    if answer.code() != Some(0) {
        return Finding::failed_by("ensure-network-device", &answer);
    }
    let text = answer.output.trim();
    let problem = match serde_json::from_str::<Value>(text) {
        _ if text.is_empty() => None,
        Ok(Value::Object(_)) if text.contains(['\n', '\r']) => Some("more than one line".to_owned()),
        Ok(Value::Object(_)) if text.len() > DeviceDetails::MAX_BYTES => {
            Some(format!("{} bytes", text.len()))
        }
        Ok(Value::Object(_)) => None,
        Ok(_) | Err(_) => Some("what is not one JSON object".to_owned()),
    };
    Finding::of(problem.map(|problem| format!("it printed {problem}: {}", excerpt(text))))
}

fn stable_details(suite: &Suite<'_>) -> Finding {
    let stage = suite.network().implemented();
    let payload = stage.payload(Command::ImplementNetwork);
    let answers: Vec<_> =
        (0..3).map(|_| suite.server.send(suite.server.ensuring(&payload)).answer.output).collect();
    stage.end();
    let parsed: Vec<Value> = answers.iter().map(|it| serde_json::from_str(it).unwrap_or_default()).collect();
    // Printing nothing keeps the old ones as well.
    let spoken: Vec<_> = parsed.iter().filter(|details| !details.is_null()).collect();
    Finding::of(spoken.windows(2).find(|pair| pair[0] != pair[1]).map(|pair| {
        format!("it answered {}, and then {}", excerpt(&pair[0].to_string()), excerpt(&pair[1].to_string()))
    }))
}
