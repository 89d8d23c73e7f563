//! What the management server writes into payload files.

use serde_json::{Map, Value, json};

use crate::balancer::Balancer;
use crate::firewall::{AccessList, Firewall};
use crate::forward::Forward;
use crate::lab::{self, PUBLIC_GATEWAY};
use crate::network::{Network, SourceNat};

impl Network<'_> {
    /// The whole document of a command: both details, and the fields of the network joined with `fields`.
    pub fn document(&self, fields: &Value) -> Value {
        let physical = self.lab.physical_details.lock().expect("no panic while held").clone();
        json!({
            "physical-network-extension-details": physical,
            "network-extension-details": self.details(),
            "payload": joined(&self.fields(), fields),
        })
    }

    /// The fields that an `implement-network` has beside the network's.
    pub fn extension_field(&self) -> Value {
        match self.extension_ip.as_str() {
            "" => json!({}),
            address => json!({"extension_ip": address}),
        }
    }

    /// The fields of a public address, as every command about one has them. An address of one of the lab's other
    /// [public VLANs](crate::Lab::public_vlan) is on that VLAN, any other on the network's own.
    pub fn public_fields(&self, address: &str, source_nat: SourceNat) -> Value {
        public_fields(address, &self.public_vlan, source_nat)
    }

    /// The fields of a static NAT.
    pub fn static_nat_fields(&self, public: &str, private: &str) -> Value {
        joined(&self.public_fields(public, SourceNat::No), &json!({"private_ip": private}))
    }

    /// The fields of a port forward.
    pub fn forward_fields(&self, forward: &Forward) -> Value {
        joined(&self.public_fields(forward.public_ip(), SourceNat::No), &forward.fields())
    }

    /// The fields of the firewall rules.
    pub fn firewall_fields(&self, firewall: &Firewall) -> Value {
        json!({"fw_rules": firewall.to_json(&self.cidr)})
    }

    /// The fields of the access list.
    pub fn access_list_fields(&self, list: &AccessList) -> Value {
        json!({"acl_rules": list.to_json()})
    }

    /// The fields of load balancer rules.
    pub fn balancer_fields(&self, balancers: &[&Balancer]) -> Value {
        let rules: Vec<_> = balancers.iter().map(|balancer| balancer.to_json()).collect();
        json!({"lb_rules": rules})
    }

    /// The fields of the instance at `address`.
    pub fn nic_fields(&self, address: &str) -> Value {
        let last: u8 = address.rsplit(['.', ':']).next().and_then(|octet| octet.parse().ok()).unwrap_or(1);
        let nic = json!({
            "nic_id": (60 + u32::from(last)).to_string(),
            "nic_uuid": format!("5c1e6e5a-3c58-4a0a-9a75-0a1b2c3d4e{last:02x}"),
            "mac": format!("02:01:00:d1:00:{last:02x}"),
            "ip": address,
            "netmask": "255.255.255.0",
            "default_nic": "true",
            "device_id": "0",
            "hostname": format!("web-{last}"),
        });
        joined(&self.extension_field(), &nic)
    }

    fn fields(&self) -> Value {
        let mut fields = json!({
            "network_id": self.id.to_string(),
            "vlan": self.vlan,
            "zone_id": "1",
            "guest_type": self.guest_type,
            "network_state": "implemented",
        });
        if !self.cidr.is_empty() {
            fields = joined(&fields, &json!({"gateway": self.gateway, "cidr": self.cidr}));
        }
        if let Some(vpc) = self.vpc {
            fields = joined(&fields, &json!({"vpc_id": vpc.to_string()}));
        }
        if let Some((gateway, cidr)) = &self.ip6 {
            fields = joined(&fields, &json!({"network_ip6_gateway": gateway, "network_ip6_cidr": cidr}));
        }
        fields
    }
}

/// The fields of a public address, on this VLAN unless the address is of one of the lab's other public VLANs.
pub(crate) fn public_fields(address: &str, vlan: &str, source_nat: SourceNat) -> Value {
    let (vlan, gateway) = match lab::public_vlan_of(address) {
        Some(other) => (format!("vlan://{other}"), lab::public_gateway(other)),
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

/// The fields of both objects; where both have one, the second's.
pub fn joined(first: &Value, second: &Value) -> Value {
    let fields = [first, second].into_iter().filter_map(Value::as_object).flatten();
    fields.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
}

/// The document as Gson writes it: one line, and what HTML might trip over escaped.
pub fn as_gson_writes(document: &Value) -> String {
    // These five stand in strings only, so that escaping the text escapes the values.
    ['<', '>', '&', '=', '\'']
        .iter()
        .fold(document.to_string(), |text, sign| text.replace(*sign, &format!("\\u{:04x}", u32::from(*sign))))
}
