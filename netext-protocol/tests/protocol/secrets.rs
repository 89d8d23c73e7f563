//! A secret's value never appears in an error or in `Debug` output, however malformed the file is.

use netext_protocol::{Command, Envelope};
use serde_json::{Value, json};

use crate::wire::{changed, check_message, command_of, parse};

const SECRET: &str = "hunter2";
const SECRET_NUMBER: u64 = 31_337_313_373;

/// Every place where a secret may stand.
const PLACES: [(&str, &str); 18] = [
    ("save-password", "/payload/password"),
    ("save-sshkey", "/payload/sshkey"),
    ("save-userdata", "/payload/userdata"),
    ("save-vm-data", "/payload/vm_data"),
    ("save-vm-data", "/payload/vm_data/0"),
    ("save-vm-data", "/payload/vm_data/0/content"),
    ("restore-network", "/payload/restore_data/vms/0/vm_data"),
    ("restore-network", "/payload/restore_data/vms/0/vm_data/0/content"),
    ("assign-ip", "/physical-network-extension-details"),
    ("assign-ip", "/physical-network-extension-details/password"),
    ("assign-ip", "/physical-network-extension-details/sshkey"),
    ("assign-ip", "/physical-network-extension-details/token"),
    ("assign-ip", "/network-extension-details"),
    ("assign-ip", "/network-extension-details/token"),
    ("ensure-network-device", "/payload/current_details"),
    ("custom-action", "/action-params"),
    ("custom-action", "/action-params/password"),
    ("custom-action.vpc", "/physical-network-extension-details/password"),
];

/// A secret in every shape, right and wrong.
fn shapes() -> Vec<Value> {
    let object = json!({"password": SECRET});
    let nested = json!({"password": {"deeper": SECRET}, "list": [SECRET]});
    let mut broken = object.to_string();
    broken.pop();
    vec![
        json!(SECRET),
        json!(SECRET_NUMBER),
        json!(1e30),
        json!([SECRET]),
        json!([[SECRET, SECRET_NUMBER]]),
        json!([{"dir": "password", "file": "vm_password", "content": [SECRET]}]),
        json!([{"dir": "password", "content": SECRET}]),
        json!(object.to_string()),
        json!(nested.to_string()),
        json!(broken),
        json!(format!("{object} {SECRET}")),
        json!(format!(r#"{{"password":"{SECRET}","password":"{SECRET}2"}}"#)),
        object,
        nested,
    ]
}

fn shows_a_secret(text: &str) -> bool {
    text.contains(SECRET) || text.contains(&SECRET_NUMBER.to_string()) || text.contains("1e30")
}

#[test]
fn no_error_and_no_debug_output_shows_a_secret() {
    let mut refused = 0;
    for (name, pointer) in PLACES {
        for shape in shapes() {
            let file = changed(name, pointer, shape);
            match Envelope::parse(command_of(name), file.to_string().as_bytes()) {
                Ok(envelope) => {
                    let shown = format!("{envelope:?} {envelope:#?} {:?}", envelope.request);
                    assert!(!shows_a_secret(&shown), "{pointer}: {shown}");
                }
                Err(error) => {
                    refused += 1;
                    check_message(command_of(name), &error);
                    let shown = format!("{error} {error:?}");
                    assert!(!shows_a_secret(&shown), "{pointer}: {shown}");
                }
            }
        }
    }
    assert!(refused > 100, "only {refused} of the files were refused");
}

#[test]
fn an_error_elsewhere_does_not_show_a_secret() {
    for (name, pointer) in PLACES {
        let id = if command_of(name) == Command::CustomAction { "action" } else { "payload" };
        let mut file = changed(name, pointer, json!({"password": SECRET}));
        file[id] = json!([SECRET]);
        let error = crate::wire::refusal(command_of(name), &file);
        assert!(!shows_a_secret(&format!("{error} {error:?}")), "{error}");

        let text = changed(name, pointer, SECRET).to_string();
        let cut = text.find(SECRET).unwrap() + SECRET.len();
        let error = crate::wire::refusal_of_text(command_of(name), &text[..cut]);
        assert!(!shows_a_secret(&format!("{error} {error:?}")), "{error}");
    }
}

#[test]
fn a_secret_in_the_place_of_a_whole_file_is_not_shown() {
    for &command in Command::ALL {
        for file in
            [json!(SECRET), json!(SECRET_NUMBER), json!({"payload": SECRET}), json!({"payload": [SECRET]})]
        {
            let error = crate::wire::refusal(command, &file);
            assert!(!shows_a_secret(&format!("{error} {error:?}")), "{error}");
        }
    }
}

#[test]
fn unknown_fields_are_shown_by_name_only() {
    let envelope = parse(Command::AssignIp, &changed("assign-ip", "/payload/x-token", SECRET));
    let shown = format!("{envelope:?}");
    assert!(shown.contains("x-token") && !shows_a_secret(&shown), "{shown}");
}

#[test]
fn harmless_details_are_shown() {
    let envelope = parse(Command::AssignIp, &crate::wire::sample("assign-ip"));
    let shown = format!("{envelope:?}");
    assert!(shown.contains("192.0.2.10,192.0.2.11") && shown.contains(r#""sshkey": [redacted]"#), "{shown}");
}

#[test]
fn a_written_payload_still_holds_the_secret() {
    let envelope = parse(Command::SavePassword, &changed("save-password", "/payload/password", SECRET));
    assert!(envelope.to_json().contains(SECRET));
}
