//! Whole lives of networks with a sender that follows the published README: every payload has exactly the fields that
//! the README documents for its command.

use std::sync::{Mutex, MutexGuard};

use netext_lab::{Lab, Lease, Network, Node, lab};
use netext_protocol::Sample;
use serde_json::{Map, Value, json};

const MAC: &str = "02:00:00:00:00:01";
const OTHER_MAC: &str = "02:00:00:00:00:02";
const PUBLIC: &str = "198.51.100.5";

/// A sender of commands about one network, and the details that the device printed last.
struct Sender<'lab> {
    network: Network<'lab>,
    lab: &'lab Lab,
    /// The values that replace those of the samples.
    own: Map<String, Value>,
    details: Mutex<Value>,
}

impl<'lab> Sender<'lab> {
    /// A sender about the samples' network 42, with some values replaced by `own`.
    fn new(lab: &'lab Lab, own: &Value) -> Self {
        let own = own.as_object().cloned().unwrap_or_default();
        let word = |name: &str, sample: &'static str| {
            own.get(name).and_then(Value::as_str).unwrap_or(sample).to_owned()
        };
        let id = word("network_id", "42").parse().expect("a number");
        let network = lab.network(id).on_vlan(&word("vlan", "100"));
        let network = network.with_subnet(&word("gateway", "10.0.0.1"), &word("cidr", "10.0.0.0/24"));
        Self { network, lab, own, details: Mutex::new(json!({})) }
    }

    /// Sends a payload of the README, such as `implement-network.tier`, with some values replaced by `changes`.
    #[track_caller]
    fn sends(&self, sample: &str, changes: &Value) {
        let current = self.details().to_string();
        let ensure = self.document("ensure-network-device", &json!({"current_details": current}));
        let printed = self.lab.run("ensure-network-device", &ensure).succeeds().output.clone();
        *self.details() = serde_json::from_str(&printed).expect("the details are JSON");
        let command = sample.split('.').next().unwrap_or(sample);
        self.lab.run(command, &self.document(sample, changes)).succeeds_silently();
        if ["shutdown-network", "destroy-network"].contains(&command) {
            *self.details() = json!({});
        }
    }

    fn details(&self) -> MutexGuard<'_, Value> {
        self.details.lock().expect("no panic while held")
    }

    fn document(&self, sample: &str, changes: &Value) -> Value {
        let sample =
            Sample::named(&format!("readme/{sample}")).unwrap_or_else(|| panic!("no sample {sample}"));
        // The lab's public addresses.
        let text = sample.text().replace("203.0.113.", "198.51.100.");
        let mut document: Value = serde_json::from_str(&text).expect("a sample is JSON");
        let registered = self.network.document(&json!({}));
        document["physical-network-extension-details"] =
            registered["physical-network-extension-details"].clone();
        document["network-extension-details"] = self.details().clone();
        let payload = document["payload"].as_object_mut().expect("a payload");
        for (name, value) in &self.own {
            if let Some(field) = payload.get_mut(name) {
                *field = value.clone();
            }
        }
        for (name, value) in changes.as_object().into_iter().flatten() {
            let field = payload.get_mut(name).unwrap_or_else(|| panic!("no {name} in {}", sample.name()));
            *field = value.clone();
        }
        document
    }

    /// Deploys an instance, in the server's order.
    fn deploys(&self, nic: &Value) {
        let of = |sample: &str| {
            let known = self.document(sample, &json!({}));
            let fields = nic.as_object().into_iter().flatten();
            let fields = fields.filter(|(name, _)| known["payload"].get(name).is_some());
            Value::Object(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
        };
        for sample in [
            "prepare-nic",
            "config-dhcp-subnet",
            "add-dhcp-entry",
            "config-dns-subnet",
            "add-dns-entry",
            "save-vm-data",
            "save-hypervisor-hostname",
            "save-userdata",
            "save-sshkey",
            "save-password",
        ] {
            self.sends(sample, &of(sample));
        }
    }

    /// Asserts that a guest gets its lease, names, metadata and password.
    #[track_caller]
    fn serves(&self, mac: &str, address: &str, server: &str, user_data: &str) -> (Node, Lease) {
        let name = if mac == MAC { "vm-1" } else { "vm-2" };
        let guest = self.network.bare_guest(mac);
        let lease = guest.takes_lease(address);
        lease.with("dns", &format!("{server} 8.8.8.8 8.8.4.4")).with("search", "cs1cloud.internal");
        for name in [name.to_owned(), format!("{name}.cs1cloud.internal")] {
            assert_eq!(guest.digs(server, &name), address);
        }
        assert_eq!(guest.digs(server, "data-server.cs1cloud.internal"), server);
        assert_eq!(guest.curls(server, "user-data"), user_data);
        assert_eq!(guest.curls(server, "meta-data/instance-id"), "i");
        assert_eq!(guest.asks_password_server(server, "send_my_password"), "p");
        (guest, lease)
    }
}

#[test]
fn an_isolated_network() {
    let lab = lab!();
    let sender = Sender::new(&lab, &json!({}));
    let rules = |sender: &Sender<'_>| {
        for sample in
            ["implement-network", "assign-ip", "add-port-forward", "apply-fw-rules", "apply-lb-rules"]
        {
            sender.sends(sample, &json!({}));
        }
    };
    rules(&sender);
    sender.deploys(&json!({}));
    // Only this command has the id of the NIC, so its options wait.
    sender.sends("set-dhcp-options", &json!({}));
    let (guest, lease) = sender.serves(MAC, "10.0.0.10", "10.0.0.1", "u");
    lease.with("router", "10.0.0.1").with("domain", "cs1cloud.internal").with("hostname", "vm-1");
    let web = lab.client("203.0.113.9");
    let (ssh, _web) = (guest.listen_tcp(22), web.listen_tcp(80));
    web.connects_to(&format!("{PUBLIC}:22"));
    guest.connects_to("203.0.113.9:80").seen_as(PUBLIC);

    sender.sends("shutdown-network", &json!({}));
    rules(&sender);
    sender.sends("restore-network", &json!({}));
    drop((ssh, guest));
    let (guest, _) = sender.serves(MAC, "10.0.0.10", "10.0.0.1", "x");

    sender.sends("remove-dns-entry", &json!({}));
    assert_eq!(guest.digs("10.0.0.1", "vm-1"), "");
    sender.sends("remove-dhcp-entry", &json!({}));
    guest.gets_no_lease();
    sender.sends("remove-dns-subnet", &json!({}));
    sender.sends("remove-dhcp-subnet", &json!({}));
    sender.sends("release-nic", &json!({}));
    assert_eq!(guest.curls("10.0.0.1", "user-data"), "");
    assert_ne!(guest.asks_password_server("10.0.0.1", "send_my_password"), "p");
    for sample in ["delete-port-forward", "release-ip", "shutdown-network", "destroy-network"] {
        sender.sends(sample, &json!({}));
    }
    assert!(!lab.has_namespace("cs-net-42"));
}

#[test]
fn a_vpc_with_two_tiers() {
    let lab = lab!();
    let vpc = Sender::new(&lab, &json!({}));
    let registered = |sample: &str| vpc.document(sample, &json!({}));
    lab.run("implement-vpc", &registered("implement-vpc")).succeeds_silently();
    let second = json!({"network_id": "43", "vlan": "102", "gateway": "10.0.1.1", "cidr": "10.0.1.0/24",
        "extension_ip": "10.0.1.1"});
    let tiers = [Sender::new(&lab, &json!({})), Sender::new(&lab, &second)];
    let nics = [
        json!({}),
        json!({"mac": OTHER_MAC, "ip": "10.0.1.10", "hostname": "vm-2",
            "nic_uuid": "5c1e6e5a-3c58-4a0a-9a75-0a1b2c3d4e60"}),
    ];
    for (tier, nic) in tiers.iter().zip(&nics) {
        tier.sends("implement-network.tier", &json!({}));
        tier.deploys(nic);
    }
    let (first, _) = tiers[0].serves(MAC, "10.0.0.10", "10.0.0.1", "u");
    let (second, _) = tiers[1].serves(OTHER_MAC, "10.0.1.10", "10.0.1.1", "u");
    first.pings("10.0.1.10");
    second.pings("10.0.0.10");
    assert!(!lab.has_namespace("cs-net-42") && !lab.has_namespace("cs-net-43"));
    for (tier, nic) in tiers.iter().zip(&nics) {
        tier.sends("apply-network-acl", &json!({}));
        let address = nic["ip"].as_str().unwrap_or("10.0.0.10");
        tier.sends("remove-dns-entry", &json!({"ip": address}));
    }
    first.cannot_ping("10.0.1.10");
    assert_eq!(second.digs("10.0.1.1", "vm-2"), "");

    tiers[0].sends("destroy-network", &json!({}));
    assert!(lab.has_namespace("cs-vpc-7"));
    assert_eq!(second.curls("10.0.1.1", "user-data"), "u");
    tiers[1].sends("shutdown-network", &json!({}));
    tiers[1].sends("destroy-network", &json!({}));
    lab.run("shutdown-vpc", &registered("shutdown-vpc")).succeeds_silently();
    assert!(!lab.has_namespace("cs-vpc-7"));
}

#[test]
fn a_shared_network_with_two_ranges() {
    let lab = lab!();
    let sender = Sender::new(&lab, &json!({"extension_ip": "10.0.0.200"}));
    let gateway = lab.plug("brnone-100", &["10.0.0.1/24", "10.9.0.1/24"]);
    gateway.sandbox().run(|| std::fs::write("/proc/sys/net/ipv4/ip_forward", "1")).expect("a router");

    // Without implement-network, and the first NIC is in the second range. Commands without a NIC have its gateway.
    let second = json!({"mac": OTHER_MAC, "ip": "10.9.0.20", "gateway": "10.9.0.1",
        "nic_uuid": "5c1e6e5a-3c58-4a0a-9a75-0a1b2c3d4e60", "default_nic": "true", "hostname": "vm-2"});
    sender.sends("config-dhcp-subnet", &json!({"gateway": "10.9.0.1"}));
    for sample in ["prepare-nic", "add-dhcp-entry"] {
        sender.sends(sample, &second);
    }
    sender.sends("config-dns-subnet", &json!({"gateway": "10.9.0.1"}));
    sender.network.bare_guest(OTHER_MAC).takes_lease("10.9.0.20").with("router", "10.9.0.1");
    sender.sends(
        "remove-dhcp-entry",
        &json!({"mac": OTHER_MAC, "ip": "10.9.0.20",
        "nic_uuid": "5c1e6e5a-3c58-4a0a-9a75-0a1b2c3d4e60"}),
    );

    sender.deploys(&json!({}));
    let (_, lease) = sender.serves(MAC, "10.0.0.10", "10.0.0.200", "u");
    lease.with("router", "10.0.0.1");
    sender.deploys(&second);
    let (_, lease) = sender.serves(OTHER_MAC, "10.9.0.20", "10.0.0.200", "u");
    lease.with("router", "10.9.0.1");
    for sample in ["release-nic", "shutdown-network", "destroy-network"] {
        sender.sends(sample, &json!({}));
    }
    assert!(!lab.has_namespace("cs-net-42"));
}
