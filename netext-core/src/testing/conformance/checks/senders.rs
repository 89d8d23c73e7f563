//! The same payload as different senders write it: fewer fields, other names, other forms.

use netext_protocol::{Command, DeviceDetails, PhysicalDetails, Sender};
use serde_json::{Value, json};

use super::life::{LIFE_OF_A_NETWORK, REPEATED_COMMANDS};
use crate::testing::conformance::check::{
    Check, Checked, ExtensionUnderTest, exits_with_0, send_all, skipped,
};
use crate::testing::payload::Payload;

pub(super) static LIFE_BY_THE_README: Check = Check {
    id: "life-by-the-readme",
    requirement: "The life of a network needs only the fields that the published README documents.",
    reason: "Other senders and test suites follow the README, which documents fewer fields than the server sends: \
             no nic_id, often no mac, zone_id, guest_type or vpc_id.",
    remedy: "Identify a NIC by its MAC, else by its address, else by its uuid, and remember the fields of earlier \
             commands. Run netext simulate --style readme.",
    varies: &[&LIFE_OF_A_NETWORK],
    run: |tested| {
        let server = tested.server_in_style_of(Sender::Readme);
        tested.network().live(&mut |payload| send_all(&server, [payload]))
    },
};

pub(super) static CHECKS: &[&Check] = &[
    &LIFE_BY_THE_README,
    &Check {
        id: "older-forms",
        requirement: "Lists of rules and metadata may be JSON text or Base64.",
        reason: "Senders that follow an older README write them as text. In Base64, the contents of files are \
                 Base64 a second time.",
        remedy: "Accept an object or list, JSON text, and Base64 of JSON text for fw_rules, acl_rules, lb_rules, \
                 vm_data and restore_data.",
        varies: &[&LIFE_OF_A_NETWORK],
        run: older_forms,
    },
    &Check {
        id: "absent-fields",
        requirement: "A command may leave out fields that an earlier command had.",
        reason: "An absent field is not an empty field: the payload says nothing about it.",
        remedy: "Keep the known value of an absent field. Do not compare it, and do not require it again.",
        varies: &[&LIFE_OF_A_NETWORK, &REPEATED_COMMANDS],
        run: absent_fields,
    },
    &Check {
        id: "unknown-fields",
        requirement: "Unknown fields are ignored.",
        reason: "Newer servers add fields at every level of the payload.",
        remedy: "Ignore unknown fields; do not validate with additionalProperties: false.",
        varies: &[&LIFE_OF_A_NETWORK],
        run: |tested| {
            tested.network().live_with_document(|mut document| {
                add_unknown(&mut document["payload"]);
                document["x-netext-conformance"] = json!([{ "newer": null }]);
                document[PhysicalDetails::KEYS[0]]["x-netext-conformance"] = "newer".into();
                document
            })
        },
    },
    &Check {
        id: "native-scalars",
        requirement: "Ids, ports and booleans may be JSON numbers and booleans.",
        reason: "Most senders write them as text, but some do not.",
        remedy: "Accept text, number and boolean for every scalar of the payload.",
        varies: &[&LIFE_OF_A_NETWORK],
        run: |tested| with_each_field(tested, make_native),
    },
    &Check {
        id: "text-scalars",
        requirement: "Numbers and booleans in rules may be text.",
        reason: "One sender writes them as JSON numbers and booleans, another one as text.",
        remedy: "Accept text, number and boolean for every scalar of a rule.",
        varies: &[&LIFE_OF_A_NETWORK],
        run: |tested| with_each_field(tested, make_text),
    },
    &Check {
        id: "both-spellings",
        requirement: "Both names of a field are accepted.",
        reason: "The server and its published documents have different names for some fields.",
        remedy: "Accept nic_ip6_address beside ip6_address (and _gateway, _cidr), cidr beside vpc_cidr, \
                 action_params beside action-params; meta-data beside metadata in vm_data, and a path for a file.",
        varies: &[],
        run: both_spellings,
    },
    &Check {
        id: "details-as-text",
        requirement: "Both details may be text that holds JSON.",
        reason: "Some senders write the two objects of details as JSON text.",
        remedy: "Parse a detail object that is text as JSON; empty text is an empty object.",
        varies: &[&LIFE_OF_A_NETWORK],
        run: |tested| {
            tested.network().live_with_document(|mut document| {
                for name in [PhysicalDetails::KEYS[0], DeviceDetails::KEYS[0]] {
                    document[name] = document[name].to_string().into();
                }
                document
            })
        },
    },
];

fn older_forms(tested: &ExtensionUnderTest<'_>) -> Checked {
    let network = tested.network();
    let has_forms = |command: &Command| !network.payload(*command).in_older_forms().is_empty();
    if !network.creating().iter().any(has_forms) {
        return skipped("the extension provides no service with rules or metadata");
    }
    network.live(&mut |payload| {
        let forms = payload.in_older_forms();
        send_all(&tested.server, if forms.is_empty() { vec![payload] } else { forms })
    })
}

fn absent_fields(tested: &ExtensionUnderTest<'_>) -> Checked {
    names_without_domain(tested)?;
    tested.network().live(&mut |payload| {
        let shorter = payload.in_style_of(Sender::Readme);
        send_all(&tested.server, [payload, shorter])
    })
}

/// Only the first of these commands has the domain of the names.
fn names_without_domain(tested: &ExtensionUnderTest<'_>) -> Checked {
    let commands = [Command::ConfigDnsSubnet, Command::AddDnsEntry];
    if !commands.iter().all(|command| tested.profile.implements(*command)) {
        return Ok(());
    }
    tested.network().implemented().removed_after(|network| {
        let [config, entry] = commands.map(|command| network.payload(command));
        send_all(&tested.server, [config])?;
        let response = tested.server.send(entry.without("dns").without("domain")).response;
        exits_with_0("add-dns-entry without dns and domain", &response)
    })
}

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

/// Goes through the life of a network with every field changed.
fn with_each_field(tested: &ExtensionUnderTest<'_>, change: fn(&mut Value)) -> Checked {
    tested.network().live_with(|mut payload| {
        payload.fields_mut().values_mut().for_each(change);
        payload
    })
}

/// Makes a number or boolean of a text that holds one, at the top level of a payload.
fn make_native(value: &mut Value) {
    let native = match value.as_str() {
        Some("true") => Some(true.into()),
        Some("false") => Some(false.into()),
        // Text with leading zeros is not a number.
        Some(text) => text.parse::<u64>().ok().filter(|it| it.to_string() == text).map(Value::from),
        None => None,
    };
    *value = native.unwrap_or_else(|| value.take());
}

/// Makes text of every number and boolean, at every level of a payload.
fn make_text(value: &mut Value) {
    match value {
        Value::Object(object) => object.values_mut().for_each(make_text),
        Value::Array(list) => list.iter_mut().for_each(make_text),
        Value::Number(_) | Value::Bool(_) => *value = value.to_string().into(),
        Value::String(_) | Value::Null => {}
    }
}

fn both_spellings(tested: &ExtensionUnderTest<'_>) -> Checked {
    tested.network().implemented().removed_after(|network| {
        let accepts = |payload: &Payload| {
            exits_with_0(payload.command().name(), &tested.server.send_alone(payload).response)
        };
        for prefix in ["", "nic_"] {
            accepts(
                &network
                    .payload(Command::PrepareNic)
                    .with(&format!("{prefix}ip6_address"), "2001:db8:1::b")
                    .with(&format!("{prefix}ip6_gateway"), "2001:db8:1::1")
                    .with(&format!("{prefix}ip6_cidr"), "2001:db8:1::/64"),
            )?;
        }
        if tested.profile.implements(Command::SaveVmData) {
            let documented = Payload::sample_named("readme/save-vm-data");
            let data = documented.field("vm_data").cloned().unwrap_or_default();
            accepts(&network.payload(Command::SaveVmData).with("vm_data", data))?;
        }
        Ok(())
    })
}
