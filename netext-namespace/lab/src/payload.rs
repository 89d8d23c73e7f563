//! The payload documents that the management server writes.

use serde_json::{Map, Value, json};

use crate::testbed::{PUBLIC_GATEWAY, public_gateway, public_vlan_of};

/// Whether a public address is the network's source NAT address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceNat {
    /// Guests without a static NAT leave by it.
    Yes,
    /// It serves static NAT or port forwards only.
    No,
}

/// The whole document of a command: registered details, the device's details, and the payload.
pub(crate) fn document(physical: &Map<String, Value>, details: &Value, payload: &Value) -> Value {
    json!({
        "physical-network-extension-details": physical,
        "network-extension-details": details,
        "payload": payload,
    })
}

/// The document of an action: the payload's fields are at the top level, beside the details.
pub(crate) fn action_document(document: &Value, action: &str, parameters: &Value) -> Value {
    let mut details = document.as_object().cloned().expect("a document is an object");
    let payload = details.remove("payload").unwrap_or_default();
    joined(&joined(&payload, &details.into()), &json!({"action": action, "action-params": parameters}))
}

/// The fields of a public address on the VLAN `vlan`; an address of another public VLAN of the lab is on that one.
pub(crate) fn public_fields(address: &str, vlan: &str, source_nat: SourceNat) -> Value {
    let (vlan, gateway) = match public_vlan_of(address) {
        Some(other) => (format!("vlan://{other}"), public_gateway(other)),
        None => (vlan.to_owned(), PUBLIC_GATEWAY.to_owned()),
    };
    json!({
        "public_ip": address,
        "public_vlan": vlan,
        "public_gateway": gateway,
        "public_cidr": format!("{address}/24"),
        "source_nat": (source_nat == SourceNat::Yes).to_string(),
    })
}

/// The fields of a subnet's resolver and domain, in the commands about DHCP and DNS.
pub fn resolvers() -> Value {
    json!({"dns": "198.51.100.53", "domain": "cs1.internal"})
}

/// The fields of `restore-network` for these instances, with DHCP, DNS and user data.
pub fn restore_fields(vms: &[Value]) -> Value {
    json!({"restore_data": {"dhcp_enabled": true, "dns_enabled": true, "userdata_enabled": true, "vms": vms}})
}

/// An instance at 10.1.1.`last` with this user data, as `restore-network` names it.
pub fn restored_instance(last: u8, data: &str) -> Value {
    json!({
        "ip": format!("10.1.1.{last}"), "mac": format!("02:01:00:d1:00:{last:02x}"), "ip6_address": "",
        "nic_uuid": format!("5c1e6e5a-3c58-4a0a-9a75-0a1b2c3d4e{last:02x}"), "device_id": "0",
        "hostname": format!("web-{last}"), "default_nic": true, "dns": "198.51.100.53",
        "domain": "cs1.internal",
        "vm_data": [{"dir": "userdata", "file": "user_data", "content": data}],
    })
}

/// The fields of both objects; a field of both has the second's value.
pub fn joined(first: &Value, second: &Value) -> Value {
    let fields = [first, second].into_iter().filter_map(Value::as_object).flatten();
    fields.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
}

/// The document as Gson writes it: one line, with the characters escaped that are special in HTML.
pub fn as_gson_writes(document: &Value) -> String {
    // These five occur in strings only, so that escaping the text escapes the values.
    ['<', '>', '&', '=', '\'']
        .iter()
        .fold(document.to_string(), |text, sign| text.replace(*sign, &format!("\\u{:04x}", u32::from(*sign))))
}
