//! What the server stores about an extension: its capabilities, and the details of its devices.

use netext_protocol::{Command, DeviceDetails};
use serde_json::{Value, json};

use super::life::LIFE_OF_A_NETWORK;
use crate::testing::call::excerpt;
use crate::testing::conformance::check::{Check, Checked, ExtensionUnderTest, exits_with_0, failed, skipped};

pub(super) static CHECKS: &[&Check] = &[
    &Check {
        id: "device-details",
        requirement: "ensure-network-device prints one JSON object in one line of at most 1024 bytes, or nothing.",
        reason: "The server stores the output as it is, in a column of this size.",
        remedy: "Print the details with a JSON library, and nothing else; store long values elsewhere.",
        varies: &[],
        run: device_details,
    },
    &Check {
        id: "stable-details",
        requirement: "ensure-network-device returns the same details when it gets them back.",
        reason: "The server sends it before almost every command: other details move the network to another device.",
        remedy: "Keep the device in current_details as long as it can be used.",
        varies: &[],
        run: stable_details,
    },
    &Check {
        id: "empty-details",
        requirement: "Every command works without stored details.",
        reason: "If ensure-network-device fails, the server logs the failure and sends the command nevertheless.",
        remedy: "Derive missing details from the payload and the registered details.",
        varies: &[&LIFE_OF_A_NETWORK],
        run: |tested| live_with_details(tested, &json!({})),
    },
    &Check {
        id: "stale-details",
        requirement: "Every command works with outdated details.",
        reason: "Stored details are older than the installed version of the extension, or than its hosts.",
        remedy: "Use only the details that are still valid; ignore the rest.",
        varies: &[&LIFE_OF_A_NETWORK],
        run: |tested| {
            let left_by = json!({"an older version": [1, 2]});
            live_with_details(tested, &json!({"namespace": "cs-net-0", "left-by": left_by, "note": ""}))
        },
    },
    &Check {
        id: "capabilities",
        requirement: "Every capability that the server looks up is registered, with a known value.",
        reason: "The server does not check that a capability exists: without it API calls fail, some with a null \
                 pointer.",
        remedy: "Add the missing capability to network.service.capabilities. If a device does less, register a \
                 smaller value.",
        varies: &[],
        run: capabilities,
    },
];

fn live_with_details(tested: &ExtensionUnderTest<'_>, details: &Value) -> Checked {
    tested.network().live_with_document(|mut document| {
        document[DeviceDetails::KEYS[0]] = details.clone();
        document
    })
}

fn device_details(tested: &ExtensionUnderTest<'_>) -> Checked {
    let network = tested.network();
    let ensuring = tested.server.ensuring(&network.payload(Command::ImplementNetwork));
    let response = network.send_apart(&ensuring);
    exits_with_0("ensure-network-device", &response)?;
    let text = response.output.trim();
    let problem = match serde_json::from_str::<Value>(text) {
        _ if text.is_empty() => return Ok(()),
        Ok(Value::Object(_)) if text.contains(['\n', '\r']) => "more than one line".to_owned(),
        Ok(Value::Object(_)) if text.len() > DeviceDetails::MAX_BYTES => format!("{} bytes", text.len()),
        Ok(Value::Object(_)) => return Ok(()),
        Ok(_) | Err(_) => "no JSON object".to_owned(),
    };
    failed(format!("it printed {problem}: {}", excerpt(text)))
}

fn stable_details(tested: &ExtensionUnderTest<'_>) -> Checked {
    tested.network().implemented().removed_after(|network| {
        let implement = network.payload(Command::ImplementNetwork);
        let send = |_| tested.server.send(tested.server.ensuring(&implement)).response.output;
        // An extension that prints nothing keeps the old details.
        let parse = |output: String| serde_json::from_str::<Value>(&output).ok().filter(|it| !it.is_null());
        let printed: Vec<_> = (0..3).map(send).filter_map(parse).collect();
        printed.windows(2).try_for_each(|pair| {
            let [first, then] = [0, 1].map(|index| excerpt(&pair[index].to_string()));
            if pair[0] == pair[1] { Ok(()) } else { failed(format!("it returned {first}, and then {then}")) }
        })
    })
}

fn capabilities(tested: &ExtensionUnderTest<'_>) -> Checked {
    if tested.profile.capabilities.is_none() {
        return skipped("the registered capabilities are unknown");
    }
    let faults: Vec<_> = tested.profile.capability_faults().iter().map(ToString::to_string).collect();
    if faults.is_empty() { Ok(()) } else { failed(faults.join("; ")) }
}
