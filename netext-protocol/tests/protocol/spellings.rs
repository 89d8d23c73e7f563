//! Fields with two spellings: either is accepted; if both are given, they must be equal.

use netext_protocol::Command;
use serde_json::{Value, json};

use crate::wire::{command_of, parse, refusal, sample, set};

/// The place of a field, its two spellings, and two values for it.
struct Field {
    sample: &'static str,
    parent: &'static str,
    spellings: [&'static str; 2],
    values: [&'static str; 2],
}

fn fields() -> Vec<Field> {
    let field = |sample, parent, spellings, values| Field { sample, parent, spellings, values };
    let details = r#"{"host":"192.0.2.10","username":"root"}"#;
    let others = r#"{"host":"192.0.2.11","username":"root"}"#;
    vec![
        field("prepare-nic", "/payload", ["ip6_address", "nic_ip6_address"], ["2001:db8::1", "2001:db8::2"]),
        field("prepare-nic", "/payload", ["ip6_gateway", "nic_ip6_gateway"], ["2001:db8::1", "2001:db8::2"]),
        field("prepare-nic", "/payload", ["ip6_cidr", "nic_ip6_cidr"], ["2001:db8::/64", "2001:db8::/56"]),
        field(
            "restore-network",
            "/payload/restore_data/vms/0",
            ["ip6_address", "nic_ip6_address"],
            ["2001:db8::1", "2001:db8::2"],
        ),
        field("implement-vpc", "/payload", ["vpc_cidr", "cidr"], ["10.2.0.0/16", "10.3.0.0/16"]),
        field("shutdown-vpc", "/payload", ["vpc_cidr", "cidr"], ["10.2.0.0/16", "10.3.0.0/16"]),
        field("ensure-network-device.vpc", "/payload", ["vpc_cidr", "cidr"], ["10.2.0.0/16", "10.3.0.0/16"]),
        field("custom-action.vpc", "", ["vpc_cidr", "cidr"], ["10.2.0.0/16", "10.3.0.0/16"]),
        field("custom-action", "", ["action-params", "action_params"], [details, others]),
        field(
            "custom-action",
            "",
            ["physical-network-extension-details", "physical_network_extension_details"],
            [details, others],
        ),
        field("assign-ip", "", ["network-extension-details", "network_extension_details"], [details, others]),
    ]
}

impl Field {
    fn command(&self) -> Command {
        command_of(self.sample)
    }

    /// The sample with these of the two spellings given.
    fn file(&self, values: [Option<&str>; 2]) -> Value {
        let mut file = sample(self.sample);
        for (spelling, value) in self.spellings.iter().zip(values) {
            file.pointer_mut(self.parent).unwrap().as_object_mut().unwrap().remove(*spelling);
            if let Some(value) = value {
                set(&mut file, &format!("{}/{spelling}", self.parent), value);
            }
        }
        file
    }
}

#[test]
fn either_spelling_is_read() {
    for field in fields() {
        let value = Some(field.values[0]);
        let absent = parse(field.command(), &field.file([None, None]));
        let first = parse(field.command(), &field.file([value, None]));
        assert_ne!(first, absent, "{}", field.spellings[0]);
        assert_eq!(first, parse(field.command(), &field.file([None, value])), "{}", field.spellings[1]);
    }
}

#[test]
fn both_spellings_may_have_the_same_value() {
    for field in fields() {
        let value = Some(field.values[0]);
        let once = parse(field.command(), &field.file([value, None]));
        assert_eq!(once, parse(field.command(), &field.file([value, value])), "{}", field.spellings[1]);
        let blank = Some("");
        assert_eq!(once, parse(field.command(), &field.file([value, blank])), "{}", field.spellings[1]);
        assert_eq!(once, parse(field.command(), &field.file([blank, value])), "{}", field.spellings[1]);
    }
}

#[test]
fn both_spellings_must_not_differ() {
    for field in fields() {
        let [one, other] = field.values;
        let error = refusal(field.command(), &field.file([Some(one), Some(other)])).to_string();
        assert!(field.spellings.iter().any(|spelling| error.contains(spelling)), "{error}");
        assert!(error.contains("differ"), "{error}");
    }
}

#[test]
fn equal_values_may_be_written_differently() {
    let mut file = sample("prepare-nic");
    set(&mut file, "/payload/ip6_address", "2001:db8::1");
    set(&mut file, "/payload/nic_ip6_address", "2001:0DB8:0:0::1");
    parse(Command::PrepareNic, &file);
    let mut file = sample("custom-action");
    set(&mut file, "/action_params", json!(r#"{"table-id": 100, "table-name": "isp1"}"#));
    parse(Command::CustomAction, &file);
}
