//! Maps that come as an object or as a text that holds one.

use netext_protocol::{Command, Network, Subject, Vpc};
use serde_json::{Value, json};

use crate::wire::{changed, parse, parsed, refusal, sample};

/// Every place of a map: a sample, and the pointer.
const MAPS: [(&str, &str); 5] = [
    ("assign-ip", "/physical-network-extension-details"),
    ("assign-ip", "/network-extension-details"),
    ("ensure-network-device", "/payload/current_details"),
    ("set-dhcp-options", "/payload/options"),
    ("custom-action", "/action-params"),
];

fn command(name: &str) -> Command {
    crate::wire::command_of(name)
}

#[test]
fn a_map_is_an_object_or_a_text_that_holds_one() {
    let map = json!({"12": "a=b", "15": "192.0.2.10"});
    for (name, pointer) in MAPS {
        let object = parse(command(name), &changed(name, pointer, map.clone()));
        let text = parse(command(name), &changed(name, pointer, map.to_string()));
        let spaced = parse(command(name), &changed(name, pointer, format!(" {map:#} \n")));
        assert_eq!(object, text, "{pointer}");
        assert_eq!(object, spaced, "{pointer}");
    }
}

#[test]
fn an_absent_map_is_empty() {
    for (name, pointer) in MAPS {
        let empty = parse(command(name), &changed(name, pointer, json!({})));
        for blank in [json!(" "), json!("{}")] {
            assert_eq!(parse(command(name), &changed(name, pointer, blank)), empty, "{pointer}");
        }
        let absent = parse(command(name), &crate::wire::without(name, pointer));
        for value in [json!(""), Value::Null] {
            assert_eq!(parse(command(name), &changed(name, pointer, value)), absent, "{pointer}");
        }
        // Absent options change nothing; empty options remove all.
        assert_eq!(absent == empty, pointer != "/payload/options", "{pointer}");
    }
}

#[test]
fn a_text_without_an_object_is_refused_without_being_quoted() {
    for (name, pointer) in MAPS {
        for text in
            ["hunter2", r#"["hunter2"]"#, r#""hunter2""#, r#"{"a":"hunter2""#, r#"{"a":"hunter2"}}"#, "7"]
        {
            let error = refusal(command(name), &changed(name, pointer, text));
            assert_eq!(error.problem(), "the text given is not a JSON object of the kind expected");
            assert!(error.path().replace('.', "/").contains(&pointer[1..]), "{error}");
        }
        for value in [json!(7), json!(["hunter2"]), json!(true)] {
            let error = refusal(command(name), &changed(name, pointer, value));
            assert!(error.problem().starts_with("expected an object, or a text that holds one"), "{error}");
        }
    }
}

#[test]
fn a_key_of_a_map_may_come_only_once() {
    for file in [
        r#"{"payload":{"network_id":1},"physical-network-extension-details":{"a":"1","a":"1"}}"#,
        r#"{"payload":{"network_id":1},"network-extension-details":{"a":"1","a":"2"}}"#,
        r#"{"payload":{"network_id":1},"network-extension-details":"{\"a\":\"1\",\"a\":\"2\"}"}"#,
    ] {
        crate::wire::refusal_of_text(Command::DestroyNetwork, file);
    }
}

#[test]
fn details_of_the_device_keep_their_structure() {
    let details = json!({"host": "192.0.2.10", "ports": [1, 2.5, {"deep": null}]});
    let envelope =
        parse(Command::AssignIp, &changed("assign-ip", "/network-extension-details", details.clone()));
    let kept: serde_json::Map<_, _> =
        envelope.device_details.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    assert_eq!(Value::Object(kept), details);
}

#[test]
fn dhcp_options_are_numbers_from_1_to_254() {
    let options = parsed!(SetDhcpOptions, sample("set-dhcp-options")).options.unwrap();
    let all: Vec<_> = options.iter().collect();
    assert_eq!(all, [(15, "example.com"), (26, "1400"), (119, "search.example.com")]);
    for name in ["0", "255", "256", "x", "+5", ""] {
        let file = changed("set-dhcp-options", "/payload/options", json!({ name: "1" }));
        let error = refusal(Command::SetDhcpOptions, &file);
        assert_eq!(error.path(), "payload.options");
        assert!(error.problem().starts_with(&format!("{name:?} is not the number")), "{error}");
    }
    let file = changed("set-dhcp-options", "/payload/options", json!({"15": "a", "015": "b"}));
    refusal(Command::SetDhcpOptions, &file);
}

#[test]
fn a_flat_action_is_about_a_network_or_a_vpc() {
    let file = json!({"network_id": "209", "vpc_id": 7, "action": "x"});
    let tier = Network::new(209).vpc_id(7);
    assert_eq!(parsed!(CustomAction, file).subject, Subject::Network(tier));
    let file = json!({"network_id": "", "vpc_id": 7, "zone_id": 1, "action": "x"});
    assert_eq!(parsed!(CustomAction, file).subject, Subject::Vpc(Vpc::new(7).zone_id(1)));
    let error = refusal(Command::CustomAction, &json!({"action": "x"}));
    assert_eq!(error.problem(), "neither `network_id` nor `vpc_id` is given");
}
