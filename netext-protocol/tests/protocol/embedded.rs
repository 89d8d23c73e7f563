//! Structures inside a text, as in older READMEs.

use netext_protocol::{Command, Envelope, Request};
use serde_json::{Value, json};

use crate::wire::{changed, check_message, parse, parsed, refusal, sample, set};

/// Every field that older senders put into a text, in a current sample.
const FIELDS: [(&str, &str); 5] = [
    ("apply-fw-rules", "/payload/fw_rules"),
    ("apply-network-acl", "/payload/acl_rules"),
    ("apply-lb-rules", "/payload/lb_rules"),
    ("save-vm-data", "/payload/vm_data"),
    ("restore-network", "/payload/restore_data"),
];

fn command(name: &str) -> Command {
    crate::wire::command_of(name)
}

/// An independent Base64 encoder, so that the crate does not test itself.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let value = word >> (18 - 6 * digit) & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[value as usize]) } else { '=' });
        }
    }
    text
}

/// The same, with every content in Base64 too.
fn with_contents_in_base64(mut value: Value) -> Value {
    match &mut value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                *value = match value.as_str() {
                    Some(text) if key == "content" => base64(text.as_bytes()).into(),
                    _ => with_contents_in_base64(value.take()),
                };
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|it| *it = with_contents_in_base64(it.take())),
        _ => {}
    }
    value
}

#[test]
fn a_text_of_json_or_base64_says_what_the_structure_says() {
    for (name, pointer) in FIELDS {
        let plain = sample(name);
        let meant = parse(command(name), &plain);
        let structure = plain.pointer(pointer).unwrap();
        let json = structure.to_string();
        let packed = with_contents_in_base64(structure.clone()).to_string();
        let code = base64(packed.as_bytes());
        let lines: Vec<_> = code.as_bytes().chunks(76).map(|line| str::from_utf8(line).unwrap()).collect();
        for text in
            [json.clone(), format!("\n {json} "), code.clone(), code.replace('=', ""), lines.join("\r\n")]
        {
            let file = changed(name, pointer, text);
            assert_eq!(parse(command(name), &file), meant, "{file}");
            #[cfg(feature = "schema")]
            crate::schemas::check_request(command(name), &file);
        }
    }
}

#[test]
fn an_error_inside_a_text_names_its_path() {
    for (name, field, inside) in [
        ("apply-fw-rules", "fw_rules", "/rules/1/protocol"),
        ("apply-network-acl", "acl_rules", "/0/trafficType"),
        ("apply-lb-rules", "lb_rules", "/0/backends/0/ip"),
        ("restore-network", "restore_data", "/vms/0/mac"),
    ] {
        let pointer = format!("/payload/{field}");
        let mut plain = sample(name);
        set(&mut plain, &format!("{pointer}{inside}"), json!("ev\u{1}il"));
        let meant = refusal(command(name), &plain);
        assert_eq!(meant.pointer(), format!("{pointer}{inside}"));
        let structure = with_contents_in_base64(plain.pointer(&pointer).unwrap().clone()).to_string();
        for text in [structure.clone(), base64(structure.as_bytes())] {
            assert_eq!(refusal(command(name), &changed(name, &pointer, text)), meant);
        }
    }
}

#[test]
fn a_malformed_text_is_refused_by_field_name_and_not_quoted() {
    for (name, pointer) in FIELDS {
        for text in
            ["hunter2", "{hunter2", "[\"hunter2\"", "WyJodW50ZXIyIg==", "aHVudGVyMg==", "\u{0}", " ", "null"]
        {
            let error = refusal(command(name), &changed(name, pointer, text));
            assert_eq!(error.pointer().split('/').take(3).collect::<Vec<_>>().join("/"), pointer, "{text:?}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}

#[test]
fn a_content_that_is_no_base64_inside_of_base64_is_refused_where_it_stands() {
    let code = base64(br#"[{"dir":"userdata","file":"user-data","content":"eA=="},{"dir":"metadata","file":"vm-id","content":"hunter2!"}]"#);
    let error = refusal(Command::SaveVmData, &changed("save-vm-data", "/payload/vm_data", code));
    assert_eq!(error.path(), "payload.vm_data[1].content");
    assert_eq!(error.problem(), "the text given is not Base64");
}

#[test]
fn the_mark_of_an_inner_path_in_a_payload_is_only_text() {
    let evil = "\u{1}[\"a\"]\u{1}b";
    for file in [changed("assign-ip", "/payload/public_ip", evil), json!({"payload": {evil: {}}})] {
        let error = refusal(Command::AssignIp, &file);
        check_message(Command::AssignIp, &error);
    }
}

#[test]
fn binary_contents_arrive_and_are_written_again() {
    let bytes = b"\x1f\x8b\x08\x00\xff\x00";
    let entries = json!([{"dir": "userdata", "file": "user-data", "content": base64(bytes)}]).to_string();
    let file = changed("save-vm-data", "/payload/vm_data", base64(entries.as_bytes()));
    let request = parsed!(SaveVmData, file);
    assert_eq!(request.vm_data[0].content.expose(), bytes);
    assert_eq!(request.vm_data[0].content.expose_text(), None);
    assert_eq!(format!("{:?}", request.vm_data[0].content), "[redacted]");

    let envelope = parse(Command::SaveVmData, &file);
    for written in [envelope.to_json(), envelope.to_strict_json()] {
        let again: Envelope<Request> = Envelope::parse(Command::SaveVmData, written.as_bytes()).unwrap();
        assert_eq!(again, envelope);
        #[cfg(feature = "schema")]
        crate::schemas::check_request(Command::SaveVmData, &serde_json::from_str(&written).unwrap());
    }
}

#[test]
fn only_the_five_structures_may_be_inside_a_text() {
    for (name, pointer) in [
        ("apply-fw-rules", "/payload/fw_rules/rules"),
        ("apply-fw-rules", "/payload/fw_rules/rules/0/sourceCidrs"),
        ("apply-lb-rules", "/payload/lb_rules/0/backends"),
        ("restore-network", "/payload/restore_data/vms"),
    ] {
        refusal(command(name), &changed(name, pointer, "[]"));
    }
}
