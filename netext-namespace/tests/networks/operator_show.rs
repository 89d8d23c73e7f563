//! `show`, `graph` and `doctor`, and the actions with the same content.

use netext_lab::{
    Firewall, Forward, Lab, Network, Rule, SECRET_KEY, SECRET_PASSWORD, SourceNat, joined, lab, resolvers,
};
use serde_json::{Value, json};

use crate::setup::operator;

fn router(lab: &Lab) -> Network<'_> {
    let network = lab.network(209).with_ip6("2001:db8:1::1", "2001:db8:1::/64");
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes).assign_ip("198.51.100.11", SourceNat::No);
    network.add_static_nat("198.51.100.11", "10.1.1.11");
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network.apply_firewall(&Firewall::egress_allowed().with(Rule::ingress("198.51.100.10").tcp(2222)));
    let nic = joined(&network.nic_fields("10.1.1.10"), &resolvers());
    network.command("add-dhcp-entry", &nic).succeeds_silently();
    let password = joined(&network.nic_fields("10.1.1.10"), &json!({"password": "s3cret-of-a-guest"}));
    network.command("save-password", &password).succeeds_silently();
    network.acts("pbr-create-table", &json!({"id": "100", "name": "isp2"}));
    network.acts("pbr-add-route", &json!({"table": "isp2", "route": "blackhole 203.0.113.80"}));
    network
}

#[test]
fn show_has_everything_about_a_router_but_no_secrets() {
    let lab = lab!();
    router(&lab);
    let shown = operator(&lab, "show cs-net-209", 0);
    for words in [
        "network-209 (namespace cs-net-209)",
        "10.1.1.0/24",
        "198.51.100.53",
        "cs1.internal",
        "tcp/2222 to 10.1.1.10:22",
        "10.1.1.11",
        "web-10",
        "02:01:00:d1:00:0a",
        "isp2",
        "blackhole 203.0.113.80",
        "dhcp, user-data",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let text = operator(&lab, "show network-209 --json", 0);
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["tiers"][0]["subnet"], "10.1.1.0/24");
    assert_eq!(json["addresses"][0]["source-nat"], "yes");
    assert_eq!(json["addresses"][1]["static-nat"], "10.1.1.11");
    assert_eq!(json["instances"][0]["name"], "web-10");
    assert_eq!(json["routing_tables"][0]["routes"], json!(["blackhole 203.0.113.80"]));
    assert!(json["rules"].as_array().unwrap().iter().any(|rule| rule["ports"] == "2222"));
    for secret in ["s3cret-of-a-guest", SECRET_PASSWORD, SECRET_KEY] {
        assert!(!shown.contains(secret) && !text.contains(secret));
    }
    assert!(operator(&lab, "show network-210", 1).contains("it has network-209"));
}

#[test]
fn show_and_graph_work_while_a_command_hangs() {
    let lab = lab!();
    let network = router(&lab);
    let _held = network.hold_lock();
    operator(&lab, "show network-209", 0);
    operator(&lab, "graph network-209", 0);
}

#[test]
fn a_picture_has_the_same_content_in_every_format() {
    let lab = lab!();
    router(&lab);
    for (format, opening, ending) in
        [("mermaid", "flowchart TD", "instance0"), ("dot", "graph router {", "}"), ("svg", "<svg ", "</svg>")]
    {
        let picture = operator(&lab, &format!("graph network-209 --format {format}"), 0);
        assert!(picture.starts_with(opening) && picture.trim_end().ends_with(ending), "{picture}");
        for words in ["public segment 101", "198.51.100.11 static NAT to 10.1.1.11", "web-10", "10.1.1.0/24"]
        {
            assert!(picture.contains(words), "{format}: {words}: {picture}");
        }
    }
    assert!(operator(&lab, "graph network-209 --format png", 1).contains("possible values"));
}

#[test]
fn the_doctor_finds_no_problem_on_a_suitable_host() {
    let lab = lab!();
    router(&lab);
    let before = lab.interfaces();
    let told = operator(&lab, "doctor", 0);
    for subject in [
        "namespaces",
        "links",
        "packet rules",
        "connection tracking",
        "IPv6",
        "nft",
        "dnsmasq",
        "radvd",
        "haproxy",
        "tracked connections",
        "state",
    ] {
        assert!(
            told.lines().any(|line| line.starts_with(&format!("ok       {subject} "))),
            "{subject}: {told}"
        );
    }
    assert_eq!(lab.interfaces(), before, "the attempt left something on the host");
    let json: Value = serde_json::from_str(&operator(&lab, "doctor --json", 0)).unwrap();
    let findings = json["findings"].as_array().unwrap();
    assert!(findings.iter().any(|it| it["subject"] == "packet rules" && it["level"] == "ok"), "{json}");
    assert!(findings.iter().all(|it| it["level"] == "ok" || it["remedy"].is_string()), "{json}");
}

#[test]
fn the_doctor_lists_problems_and_remedies() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    let state = format!("{}/network-209/state.json", lab.state_folder());
    lab.host().run(|| {
        let text = std::fs::read_to_string(&state).unwrap();
        std::fs::write(&state, text.replace(r#""guest":"none""#, r#""guest":"eth7""#)).unwrap();
    });
    lab.host().output("chmod", &["0700", &lab.state_folder()]);
    lab.host().ip("netns add cs-vpc-99\n");
    let broken = ["nft", "dnsmasq", "radvd", "haproxy"];
    for program in broken {
        lab.breaks(program);
    }
    let told = operator(&lab, "doctor", 3);
    for program in broken {
        lab.mends(program);
    }
    for program in &broken[1..] {
        let line = told.lines().find(|line| line.starts_with(&format!("warning  {program} ")));
        assert!(line.is_some_and(|line| line.contains("rejects its configuration")), "{told}");
    }
    for words in [
        "problem  packet rules",
        "problem  NIC eth7",
        "register a NIC of this host as guest.network.device",
        "cannot enter",
        "chmod o+x",
        "not routers of this extension: cs-vpc-99",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn actions_check_and_repair_a_router() {
    let lab = lab!();
    let network = router(&lab);
    let none = json!({});
    let states = |rows: &Value| {
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row["state"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(states(&network.acts("status", &none)), ["ok"; 4]);
    network
        .router()
        .node()
        .sandbox()
        .output("ip", &["address", "del", "198.51.100.11/24", "dev", "vpn-101-209"]);
    let missing = json!({
        "part": "addresses", "state": "differs", "change": "add", "what": "add address 198.51.100.11/24 to vpn-101-209",
    });
    let told = network.acts("status", &none);
    assert_eq!(states(&told), ["ok", "differs", "ok", "ok"]);
    assert_eq!(told[1], missing);
    assert_eq!(network.acts("repair", &none), json!([missing]));
    assert_eq!(network.acts("repair", &none), "network-209 matches its desired state");
    assert_eq!(states(&network.acts("status", &none)), ["ok"; 4]);

    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.20");
    lab.host().ip("netns del cs-vpc-7\n");
    assert!(states(&vpc.acts("status", &none)).contains(&"differs".to_owned()));
    vpc.acts("repair", &none);
    assert_eq!(states(&vpc.acts("status", &none)), ["ok"; 4]);
    lab.network(300).action("repair", &none).fails_with(3);
}
