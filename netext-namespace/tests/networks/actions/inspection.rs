//! Actions that show a router to operators.

use netext_lab::{
    AccessList, Balancer, Firewall, Forward, Rule, SECRET_KEY, SECRET_PASSWORD, SourceNat, joined, lab,
};
use serde_json::{Value, json};

fn rows(table: &Value) -> &Vec<Value> {
    table.as_array().expect("a table")
}

#[test]
fn every_firewall_rule_and_translation_is_a_row() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network.add_static_nat("198.51.100.11", "10.1.1.11");
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network.apply_firewall(
        &Firewall::egress_denied()
            .with(Rule::ingress("198.51.100.10").tcp(2222).from("203.0.113.0/24"))
            .with(Rule::ingress("198.51.100.11").icmp(8, 0))
            .with(Rule::egress().tcp(80).to("203.0.113.0/24")),
    );
    network.apply_balancers(&[&Balancer::tcp(9, "198.51.100.10:80").member("10.1.1.11:8080")]);
    let table = network.acts("list-firewall-rules", &json!({}));
    for row in rows(&table) {
        assert!(row.as_object().unwrap().values().all(|cell| !cell.is_object() && !cell.is_array()), "{row}");
    }
    let has = |fields: Value| {
        let fields = fields.as_object().unwrap();
        let found = rows(&table).iter().any(|row| fields.iter().all(|(name, value)| row[name] == *value));
        assert!(found, "{fields:?} in {table:#}");
    };
    has(
        json!({"kind": "firewall", "network": "209", "direction": "ingress", "action": "allow", "protocol": "tcp", "ports": "2222", "source": "203.0.113.0/24", "destination": "198.51.100.10"}),
    );
    has(json!({"kind": "firewall", "direction": "ingress", "protocol": "icmp", "icmp": "type 8 code 0"}));
    has(
        json!({"kind": "firewall", "direction": "egress", "action": "allow", "ports": "80", "destination": "203.0.113.0/24"}),
    );
    has(json!({"kind": "firewall", "direction": "egress", "action": "deny", "protocol": "all"}));
    has(
        json!({"kind": "balancer", "id": 9, "protocol": "tcp", "public": "198.51.100.10", "ports": "80", "members": "10.1.1.11:8080"}),
    );
    has(json!({"kind": "source-nat", "public": "198.51.100.10"}));
    has(json!({"kind": "static-nat", "public": "198.51.100.11", "guest": "10.1.1.11"}));
    has(
        json!({"kind": "port-forward", "public": "198.51.100.10", "ports": "2222", "guest": "10.1.1.10", "guest-ports": "22"}),
    );
}

#[test]
fn a_dump_has_the_configuration_and_no_metadata_or_credentials() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network.command("add-dhcp-entry", &network.nic_fields("10.1.1.10")).succeeds_silently();
    let password = joined(&network.nic_fields("10.1.1.10"), &json!({"password": "guests-own-pa55"}));
    network.command("save-password", &password).succeeds_silently();
    let user_data = joined(&network.nic_fields("10.1.1.10"), &json!({"userdata": "#user-data-of-the-guest"}));
    network.command("save-userdata", &user_data).succeeds_silently();

    let dump = network.acts("dump-config", &json!({}));
    let names: Vec<_> = rows(&dump).iter().map(|row| row["name"].as_str().unwrap()).collect();
    for name in ["state.json", "links.json", "rules.nft", "network-209/dnsmasq/dnsmasq.conf"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    let text = dump.to_string();
    for known in ["198.51.100.10", "vpn-101-209", "chain forward", "10.1.1.10"] {
        assert!(text.contains(known), "{known}");
    }
    for secret in [SECRET_PASSWORD, SECRET_KEY, "guests-own-pa55", "#user-data-of-the-guest"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let state = rows(&dump).iter().find(|row| row["name"] == "state.json").unwrap();
    let state: Value = serde_json::from_str(state["content"].as_str().unwrap()).unwrap();
    assert_eq!(state["source_nat"], "198.51.100.10");
}

#[test]
fn a_vpc_is_shown_with_all_of_its_tiers() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.20");
    let (web, database) = (vpc.tier(1), vpc.tier(2));
    web.implement();
    database.implement();
    web.add_port_forward(&Forward::tcp("198.51.100.21:2222", "10.2.1.10:22"));
    web.apply_access_list(
        &AccessList::new()
            .with(Rule::deny_in(5).tcp(22).from("203.0.113.0/24"))
            .with(Rule::allow_out(10).udp(53).from("203.0.113.53/32")),
    );
    let table = vpc.acts("list-firewall-rules", &json!({}));
    let items: Vec<_> = rows(&table).iter().filter(|row| row["kind"] == "access-list").collect();
    assert_eq!(items.len(), 2, "{table:#}");
    assert!(
        items[0]["number"] == 5 && items[0]["action"] == "deny" && items[0]["network"] == "701",
        "{table:#}"
    );
    assert!(items[0]["source"] == "203.0.113.0/24" && items[0]["destination"] == "any", "{table:#}");
    assert!(items[1]["source"] == "any" && items[1]["destination"] == "203.0.113.53/32", "{table:#}");
    assert!(
        rows(&table).iter().any(|row| row["kind"] == "port-forward" && row["network"] == "701"),
        "{table:#}"
    );
    assert!(rows(&table).iter().any(|row| row["kind"] == "source-nat"), "{table:#}");
    let dump = vpc.acts("dump-config", &json!({})).to_string();
    assert!(dump.contains("10.2.1.0/24") && dump.contains("10.2.2.0/24"));
}

#[test]
fn a_list_does_not_wait_for_a_command_that_hangs() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    let _lock = network.hold_lock();
    network.acts("list-firewall-rules", &json!({}));
    network.acts("pbr-list-tables", &json!({}));
    network.acts("dump-config", &json!({}));
}
