//! The ways in which servers write one and the same thing.

use netext_protocol::{Command, DeviceDetails, PhysicalDetails};
use serde_json::{Value, json};

use super::Check;
use crate::testing::Payload;
use crate::testing::conformance::report::Finding;
use crate::testing::conformance::suite::Suite;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "unknown-fields",
        sentence: "Fields that it does not know do not disturb it.",
        reason: "Newer servers add fields, at every level of the payload.",
        remedy: "Ignore unknown fields; do not validate with additionalProperties: false.",
        run: |suite| {
            suite.network().live_with_document(|mut document| {
                add_unknown(&mut document["payload"]);
                document["x-netext-conformance"] = json!([{ "newer": null }]);
                document[PhysicalDetails::KEYS[0]]["x-netext-conformance"] = "newer".into();
                document
            })
        },
    },
    Check {
        id: "native-scalars",
        sentence: "Ids, ports and booleans may be JSON numbers and booleans.",
        reason: "Most senders write them as texts, others natively.",
        remedy: "Accept text, number and boolean for every scalar of the payload.",
        run: |suite| {
            suite.network().live_with(|mut payload| {
                payload.fields_mut().values_mut().for_each(make_native);
                payload
            })
        },
    },
    Check {
        id: "text-scalars",
        sentence: "Numbers and booleans in rules may be texts.",
        reason: "Lists of rules are written natively by one sender and as texts by another.",
        remedy: "Accept text, number and boolean for every scalar of a rule.",
        run: |suite| {
            suite.network().live_with(|mut payload| {
                payload.fields_mut().values_mut().for_each(make_text);
                payload
            })
        },
    },
    Check {
        id: "both-spellings",
        sentence: "Both spellings of a field are understood.",
        reason: "The server and its published documents disagree on some names.",
        remedy: "Accept nic_ip6_address beside ip6_address (and _gateway, _cidr), cidr beside vpc_cidr, \
                 action_params beside action-params; meta-data beside metadata in vm_data, and a path for a file.",
        run: both_spellings,
    },
    Check {
        id: "details-as-text",
        sentence: "Both details may be texts that hold JSON.",
        reason: "Some senders encode the two objects of details once more.",
        remedy: "If a detail object is a text, parse it as JSON; an empty text is an empty object.",
        run: |suite| {
            suite.network().live_with_document(|mut document| {
                for name in [PhysicalDetails::KEYS[0], DeviceDetails::KEYS[0]] {
                    document[name] = document[name].to_string().into();
                }
                document
            })
        },
    },
];

fn add_unknown(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(add_unknown);
            object.insert("x-netext-conformance".into(), json!({"newer": [1, true, null, {"deep": "text"}]}));
        }
        Value::Array(list) => list.iter_mut().for_each(add_unknown),
        _ => {}
    }
}

/// A text that holds a number or a boolean as such, at the top level of a payload.
fn make_native(value: &mut Value) {
    let native = match value.as_str() {
        Some("true") => Some(true.into()),
        Some("false") => Some(false.into()),
        // A number with leading zeros is none.
        Some(text) => text.parse::<u64>().ok().filter(|it| it.to_string() == text).map(Value::from),
        None => None,
    };
    *value = native.unwrap_or_else(|| value.take());
}

/// Every native scalar as a text, at every level of a payload.
fn make_text(value: &mut Value) {
    match value {
        Value::Object(object) => object.values_mut().for_each(make_text),
        Value::Array(list) => list.iter_mut().for_each(make_text),
        Value::Number(_) | Value::Bool(_) => *value = value.to_string().into(),
        Value::String(_) | Value::Null => {}
    }
}

fn both_spellings(suite: &Suite<'_>) -> Finding {
    let stage = suite.network().implemented();
    let nic = stage.payload(Command::PrepareNic);
    let spelled = |prefix: &str| {
        nic.clone()
            .with(&format!("{prefix}ip6_address"), "2001:db8:1::b")
            .with(&format!("{prefix}ip6_gateway"), "2001:db8:1::1")
            .with(&format!("{prefix}ip6_cidr"), "2001:db8:1::/64")
    };
    let accepted = |payload: &Payload| {
        let answer = suite.server.send_alone(payload).answer;
        match answer.code() {
            Some(0) => Finding::Passed,
            _ => Finding::failed_by(payload.command().name(), &answer),
        }
    };
    let mut finding = accepted(&spelled("")).and(|| accepted(&spelled("nic_")));
    if suite.provided.answers(Command::SaveVmData) {
        let documented = Payload::sample_named("readme/save-vm-data");
        let data = documented.field("vm_data").cloned().unwrap_or_default();
        finding = finding.and(|| accepted(&stage.payload(Command::SaveVmData).with("vm_data", data)));
    }
    stage.end();
    finding
}
