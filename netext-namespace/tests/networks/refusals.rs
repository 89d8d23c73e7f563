//! Malformed commands are refused as a whole, and the rules in force stay in force.

use netext_lab::{Conversation, Firewall, Forward, Lab, Network, Node, Rule, SourceNat, joined, lab};
use serde_json::{Value, json};

use crate::setup::network_with_forward;

/// A network in use that a refused command must not disturb.
struct AtWork<'lab> {
    network: Network<'lab>,
    client: Node,
    guest: Node,
    flow: Conversation,
    _servers: Vec<netext_lab::Listener>,
}

impl<'lab> AtWork<'lab> {
    fn new(lab: &'lab Lab) -> Self {
        let network = network_with_forward(lab);
        network.apply_firewall(
            &Firewall::egress_denied()
                .with(Rule::ingress("198.51.100.10").tcp(2222).from("203.0.113.0/28"))
                .with(Rule::egress().tcp(80)),
        );
        let (client, guest) = (lab.client("203.0.113.5"), network.guest("10.1.1.10"));
        let servers = vec![guest.listen_tcp(22), client.listen_tcp(80), client.listen_tcp(81)];
        let flow = client.talks_to("198.51.100.10:2222");
        Self { network, client, guest, flow, _servers: servers }
    }

    #[track_caller]
    fn refuses(&self, command: &str, fields: &Value, names: &[&str]) {
        self.network.command(command, fields).is_refused_naming(names);
    }

    #[track_caller]
    fn refuses_rule(&self, rule: Rule, names: &[&str]) {
        // With a good rule before and after it: the set is refused as a whole.
        let good = || Rule::ingress("198.51.100.10").protocol("tcp").ports(1, 65535);
        let firewall = Firewall::egress_allowed().with(good()).with(rule).with(good());
        self.refuses("apply-fw-rules", &self.network.firewall_fields(&firewall), names);
    }

    /// Asserts with packets that nothing has changed.
    #[track_caller]
    fn goes_on(mut self, lab: &Lab) {
        self.flow.goes_on();
        self.client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
        lab.client("203.0.113.77").cannot_connect_to("198.51.100.10:2222");
        self.guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
        self.guest.cannot_connect_to("203.0.113.5:81");
        // The next command applies nothing of the refused one.
        self.network.implement();
        self.client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
        lab.client("203.0.113.77").cannot_connect_to("198.51.100.10:2222");
        self.guest.cannot_connect_to("203.0.113.5:81");
    }
}

#[test]
fn malformed_firewall_rules_are_refused() {
    let lab = lab!();
    let at_work = AtWork::new(&lab);
    let ingress = || Rule::ingress("198.51.100.10");
    at_work.refuses_rule(ingress().tcp(22).field("type", "sideways"), &["type", "sideways"]);
    at_work.refuses_rule(ingress().protocol("quic"), &["protocol", "quic"]);
    at_work.refuses_rule(ingress().tcp(22).from("203.0.113.0/33"), &["sourceCidrs", "203.0.113.0/33"]);
    at_work.refuses_rule(ingress().tcp(22).from("everyone"), &["sourceCidrs", "everyone"]);
    at_work.refuses_rule(ingress().tcp(22).from("203.0.113.0/24").from(""), &["sourceCidrs"]);
    at_work.refuses_rule(ingress().tcp(22).from("} ; flush ruleset"), &["sourceCidrs", "flush ruleset"]);
    at_work.refuses_rule(ingress().tcp(70000), &["port", "70000"]);
    at_work.refuses_rule(ingress().protocol("tcp").ports(100, 90), &["port", "100", "90"]);
    at_work.refuses_rule(ingress().icmp(300, 0), &["icmpType", "300"]);
    at_work.refuses_rule(ingress().icmp(8, 300), &["icmpCode", "300"]);
    at_work.refuses_rule(Rule::ingress("198.51.100").tcp(22), &["publicIp", "198.51.100"]);
    at_work.refuses_rule(Rule::egress().tcp(22).to("10.0.0.0/-1"), &["destCidrs", "10.0.0.0/-1"]);
    at_work.refuses_rule(Rule::egress().tcp(22).from("10.1.1.1.1/32"), &["sourceCidrs", "10.1.1.1.1/32"]);
    at_work.goes_on(&lab);
}

#[test]
fn malformed_firewall_documents_are_refused() {
    let lab = lab!();
    let at_work = AtWork::new(&lab);
    let whole = |rules: Value| json!({"fw_rules": rules});
    at_work.refuses("apply-fw-rules", &json!({}), &["fw_rules"]);
    at_work.refuses("apply-fw-rules", &whole(json!("everything")), &["fw_rules"]);
    at_work.refuses(
        "apply-fw-rules",
        &whole(json!({"default_egress_allow": "perhaps", "rules": []})),
        &["default_egress_allow", "perhaps"],
    );
    at_work.refuses(
        "apply-fw-rules",
        &whole(
            json!({"default_egress_allow": true, "rules": [{"id": 1, "type": "egress", "sourceCidrs": []}]}),
        ),
        &["protocol"],
    );
    at_work.goes_on(&lab);
}

#[test]
fn malformed_port_forwards_are_refused() {
    let lab = lab!();
    let at_work = AtWork::new(&lab);
    let refuses = |protocol: &str, public: &str, private: &str, names: &[&str]| {
        let fields = at_work.network.forward_fields(&Forward::of(protocol, public, private));
        at_work.refuses("add-port-forward", &fields, names);
        at_work.refuses("delete-port-forward", &fields, names);
    };
    refuses("tcp", "198.51.100.10:70000", "10.1.1.10:22", &["public_port", "70000"]);
    refuses("tcp", "198.51.100.10:2222", "10.1.1.10:-22", &["private_port", "-22"]);
    refuses("tcp", "198.51.100.10:2222", "10.1.1.10:ssh", &["private_port", "ssh"]);
    refuses("tcp", "198.51.100.10:0", "10.1.1.10:22", &["public_port", "0"]);
    refuses("tcp", "198.51.100.10:90-80", "10.1.1.10:80-90", &["public_port", "90-80"]);
    refuses("carrier-pigeon", "198.51.100.10:2222", "10.1.1.10:22", &["protocol", "carrier-pigeon"]);
    refuses("tcp", "198.51.100.300:2222", "10.1.1.10:22", &["public_", "198.51.100.300"]);
    refuses("tcp", "198.51.100.10:2222", "10.1.1:22", &["private_ip", "10.1.1"]);
    at_work.goes_on(&lab);
}

#[test]
fn malformed_addresses_are_refused() {
    let lab = lab!();
    let at_work = AtWork::new(&lab);
    let refuses = |fields: Value, names: &[&str]| {
        let good = at_work.network.public_fields("198.51.100.11", SourceNat::No);
        at_work.refuses("assign-ip", &joined(&good, &fields), names);
    };
    refuses(json!({"public_ip": "198.51.100.256"}), &["public_ip", "198.51.100.256"]);
    refuses(json!({"public_ip": "198.51.100.11; reboot"}), &["public_ip", "198.51.100.11; reboot"]);
    refuses(json!({"public_cidr": "198.51.100.11/40"}), &["public_cidr", "198.51.100.11/40"]);
    refuses(json!({"public_gateway": "nowhere"}), &["public_gateway", "nowhere"]);
    refuses(json!({"source_nat": "perhaps"}), &["source_nat", "perhaps"]);
    for vlan in
        ["vlan://101;reboot", "vlan://../x", "vlan://4095", "vlan://-1", "vlan://70000", "pigeon://101"]
    {
        refuses(json!({"public_vlan": vlan}), &["public_vlan", vlan]);
    }
    let static_nat = at_work.network.static_nat_fields("198.51.100.11", "10.1.1.10/8");
    at_work.refuses("add-static-nat", &static_nat, &["private_ip", "10.1.1.10/8"]);
    at_work.goes_on(&lab);
}

#[test]
fn malformed_networks_are_refused() {
    let lab = lab!();
    let at_work = AtWork::new(&lab);
    let refuses = |fields: Value, names: &[&str]| {
        let whole = joined(&at_work.network.extension_field(), &fields);
        at_work.refuses("implement-network", &whole, names);
    };
    for vlan in ["1910; rm", "../x", "1910/../../x", "-1", "99999999", "1910\nlink delete lo"] {
        let shown = vlan.lines().next().unwrap_or_default();
        refuses(json!({"vlan": vlan}), &["vlan", shown]);
    }
    for cidr in ["10.1.1.0/33", "10.1.1.0/-1", "10.1.1.0", "10.1.1.0/24 up", "nonsense"] {
        refuses(json!({"cidr": cidr}), &["cidr", cidr]);
    }
    refuses(json!({"gateway": "10.1.1.1.1"}), &["gateway", "10.1.1.1.1"]);
    refuses(json!({"guest_type": "imaginary"}), &["guest_type", "imaginary"]);
    refuses(json!({"extension_ip": "everywhere"}), &["extension_ip", "everywhere"]);
    for id in ["", "209; rm", "../209", "-1"] {
        refuses(json!({"network_id": id}), &["network_id", id]);
    }
    at_work.goes_on(&lab);
}

#[test]
fn malformed_interface_names_are_refused() {
    let lab = lab!();
    let at_work = AtWork::new(&lab);
    for key in ["guest.network.device", "public.network.device"] {
        for device in ["eth1; reboot", "../eth1", "eth1/x", "a-name-much-too-long-for-it", "eth 1", ".", ".."]
        {
            lab.register(key, device);
            let command = if key.starts_with("guest") { "implement-network" } else { "assign-ip" };
            let fields = joined(
                &at_work.network.extension_field(),
                &at_work.network.public_fields("198.51.100.11", SourceNat::No),
            );
            at_work.refuses(command, &fields, &[key, device]);
        }
        lab.register(key, "none");
    }
    at_work.goes_on(&lab);
}

#[test]
fn a_refused_command_creates_nothing() {
    let lab = lab!();
    let network = lab.network(209);
    for fields in [json!({"cidr": "10.1.1.0/99"}), json!({"vlan": "../x"}), json!({"gateway": "x"})] {
        network.command("implement-network", &fields).fails_with(1);
    }
    assert!(!lab.has_namespace("cs-net-209"));
    assert_eq!(lab.interfaces(), ["brnone-101", "lo"]);
}
