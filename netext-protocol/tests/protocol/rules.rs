//! Firewall rules, access lists and load balancers are understood, or refused as a whole.

use netext_protocol::{AclAction, Command, Direction, FirewallSubject, PortRange, Traffic};
use serde_json::{Value, json};

use crate::wire::{changed, parsed, refusal, without};

const RULE: &str = "payload.fw_rules.rules[2]";

/// The traffic of a firewall rule with these fields.
fn traffic(fields: &Value) -> Traffic {
    parsed!(ApplyFwRules, with_rule(fields)).fw_rules.rules[2].traffic
}

fn with_rule(fields: &Value) -> Value {
    let mut rule =
        json!({"id": 1, "type": "ingress", "publicIp": "198.51.100.10", "sourceCidrs": ["0.0.0.0/0"]});
    rule.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    rule.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    changed("apply-fw-rules", "/payload/fw_rules/rules/2", rule)
}

/// The path and the problem of a firewall rule with these fields.
fn refused(fields: &Value) -> (String, String) {
    let error = refusal(Command::ApplyFwRules, &with_rule(fields));
    (error.path().to_owned(), error.problem().to_owned())
}

#[test]
fn protocols_are_names_in_any_case_or_numbers() {
    let all = PortRange::ALL;
    for (protocol, expected) in [
        (json!("ALL"), Traffic::All),
        (json!("Tcp"), Traffic::Tcp(all)),
        (json!("6"), Traffic::Tcp(all)),
        (json!("UDP"), Traffic::Udp(all)),
        (json!(17), Traffic::Udp(all)),
        (json!("Icmp"), Traffic::Icmp { icmp_type: None, icmp_code: None }),
        (json!("1"), Traffic::Icmp { icmp_type: None, icmp_code: None }),
        (json!("47"), Traffic::Protocol(47)),
        (json!(0), Traffic::Protocol(0)),
    ] {
        assert_eq!(traffic(&json!({ "protocol": protocol })), expected, "{protocol}");
    }
}

#[test]
fn numbered_protocols_accept_the_fields_of_their_names() {
    let fields = json!({"protocol": "6", "portStart": "22", "portEnd": 23});
    assert_eq!(traffic(&fields), Traffic::Tcp(PortRange::new(22, 23).unwrap()));
    assert_eq!(traffic(&json!({"protocol": 17, "portStart": 53})), Traffic::Udp(53.into()));
    let ping = Traffic::Icmp { icmp_type: Some(8), icmp_code: Some(0) };
    assert_eq!(traffic(&json!({"protocol": "1", "icmpType": "8", "icmpCode": 0})), ping);
}

#[test]
fn minus_one_means_any_icmp() {
    let fields = |kind: Value, code: Value| json!({"protocol": "icmp", "icmpType": kind, "icmpCode": code});
    let any = Traffic::Icmp { icmp_type: None, icmp_code: None };
    assert_eq!(traffic(&fields(json!(-1), json!(-1))), any);
    assert_eq!(traffic(&fields(json!("-1"), json!(null))), any);
    let unreachable = Traffic::Icmp { icmp_type: Some(3), icmp_code: None };
    assert_eq!(traffic(&fields(json!(3), json!(-1))), unreachable);
    // Absent, so it matches any.
    assert_eq!(traffic(&json!({"protocol": "all", "icmpType": -1, "icmpCode": -1})), Traffic::All);
}

#[test]
fn an_unknown_protocol_is_refused() {
    for (protocol, shown) in
        [(json!("sctp"), "\"sctp\""), (json!("256"), "\"256\""), (json!("tcp,udp"), "\"tcp,udp\"")]
    {
        let (path, problem) = refused(&json!({ "protocol": protocol }));
        assert_eq!(path, format!("{RULE}.protocol"));
        assert_eq!(
            problem,
            format!("{shown} is not a protocol (tcp, udp, icmp, all, or a number from 0 to 255)")
        );
    }
    assert_eq!(refused(&json!({})), (RULE.into(), "missing field `protocol`".into()));
    assert_eq!(refused(&json!({"protocol": true})).0, format!("{RULE}.protocol"));
}

#[test]
fn a_rule_that_contradicts_itself_is_refused() {
    for (fields, problem) in [
        (
            json!({"protocol": "icmp", "portStart": 22}),
            "ports 22 are given for the protocol icmp, which has none",
        ),
        (
            json!({"protocol": "all", "portStart": 1, "portEnd": 9}),
            "ports 1-9 are given for the protocol all, which has none",
        ),
        (
            json!({"protocol": "47", "portStart": 22}),
            "ports 22 are given for the protocol 47, which has none",
        ),
        (json!({"protocol": "tcp", "portStart": 22, "portEnd": 21}), "portEnd 21 is lower than portStart 22"),
        (json!({"protocol": "tcp", "portEnd": 21}), "portEnd 21 is given without portStart"),
        (
            json!({"protocol": "tcp", "icmpType": 8}),
            "icmpType or icmpCode is given for the protocol tcp, which is not icmp",
        ),
        (json!({"protocol": "icmp", "icmpCode": 0}), "icmpCode 0 is given without an icmpType"),
        (json!({"protocol": "tcp", "publicIp": null}), "an ingress rule needs a publicIp"),
        (
            json!({"protocol": "tcp", "type": "egress"}),
            "an egress rule has no publicIp, 198.51.100.10 is given",
        ),
    ] {
        assert_eq!(refused(&fields), (RULE.into(), problem.into()));
    }
}

#[test]
fn a_number_out_of_range_is_refused_by_its_path() {
    for (field, value, fields) in [
        ("icmpType", json!(300), json!({"protocol": "icmp", "icmpType": 300})),
        ("icmpType", json!(-2), json!({"protocol": "icmp", "icmpType": -2})),
        ("icmpCode", json!(256), json!({"protocol": "icmp", "icmpType": 3, "icmpCode": 256})),
        ("portStart", json!(70000), json!({"protocol": "tcp", "portStart": 70000})),
        ("portEnd", json!(-1), json!({"protocol": "tcp", "portStart": 1, "portEnd": -1})),
        ("portStart", json!(2.5), json!({"protocol": "tcp", "portStart": 2.5})),
        ("id", json!("x"), json!({"protocol": "tcp", "id": "x"})),
    ] {
        let (path, problem) = refused(&fields);
        assert_eq!(path, format!("{RULE}.{field}"));
        let shown = value.as_str().map_or(value.to_string(), str::to_owned);
        assert!(problem.starts_with(&format!("\"{shown}\" is not a")), "{problem}");
    }
}

#[test]
fn source_networks_are_never_lost() {
    let entry = |cidrs: Value| json!({"protocol": "tcp", "sourceCidrs": cidrs});
    for absent in [json!(null), json!("")] {
        assert_eq!(refused(&entry(absent)), (RULE.into(), "missing field `sourceCidrs`".into()));
    }
    for (cidrs, path) in [
        (json!("0.0.0.0/0"), "sourceCidrs"),
        (json!({"0": "0.0.0.0/0"}), "sourceCidrs"),
        (json!(["192.0.2.0/24", ""]), "sourceCidrs[1]"),
        (json!([null]), "sourceCidrs[0]"),
        (json!(["192.0.2.0/33"]), "sourceCidrs[0]"),
        (json!(["192.0.2.0/24,198.51.100.0/24"]), "sourceCidrs[0]"),
        (json!([["192.0.2.0/24"]]), "sourceCidrs[0]"),
    ] {
        assert_eq!(refused(&entry(cidrs)).0, format!("{RULE}.{path}"));
    }
    let fields =
        json!({"protocol": "tcp", "type": "egress", "publicIp": null, "destCidrs": ["192.0.2.0/24", "x"]});
    assert_eq!(refused(&fields).0, format!("{RULE}.destCidrs[1]"));
    assert_eq!(
        refusal(Command::ApplyNetworkAcl, &without("apply-network-acl", "/payload/acl_rules/1/sourceCidrs"))
            .to_string(),
        "apply-network-acl: payload.acl_rules[1]: missing field `sourceCidrs`",
    );
}

#[test]
fn the_egress_policy_is_never_guessed() {
    let error =
        refusal(Command::ApplyFwRules, &without("apply-fw-rules", "/payload/fw_rules/default_egress_allow"));
    assert_eq!(error.problem(), "missing field `default_egress_allow`");
    for value in [json!("yes"), json!(1), json!("1")] {
        let file = changed("apply-fw-rules", "/payload/fw_rules/default_egress_allow", value);
        let error = refusal(Command::ApplyFwRules, &file);
        assert_eq!(error.path(), "payload.fw_rules.default_egress_allow");
    }
    let file = changed("apply-fw-rules", "/payload/fw_rules/default_egress_allow", "TRUE");
    assert!(parsed!(ApplyFwRules, file).fw_rules.default_egress_allow);
}

#[test]
fn an_unknown_direction_or_action_is_refused() {
    for (pointer, value) in [
        ("/payload/acl_rules/0/action", "reject"),
        ("/payload/acl_rules/0/action", "1"),
        ("/payload/acl_rules/0/trafficType", "both"),
        ("/payload/acl_rules/0/number", "first"),
    ] {
        let error = refusal(Command::ApplyNetworkAcl, &changed("apply-network-acl", pointer, value));
        assert_eq!(error.path(), format!("payload.acl_rules[0].{}", pointer.rsplit('/').next().unwrap()));
        assert!(error.problem().starts_with(&format!("{value:?} is not a")), "{error}");
    }
    assert_eq!(refused(&json!({"protocol": "tcp", "type": "forward"})).0, format!("{RULE}.type"));
}

#[test]
fn capitalised_values_are_read() {
    let item = json!({"number": "7", "id": 3, "action": "Deny", "trafficType": "Egress", "protocol": "TCP",
        "portStart": 1, "sourceCidrs": [], "destCidrs": ["10.2.1.5"]});
    let item =
        &parsed!(ApplyNetworkAcl, changed("apply-network-acl", "/payload/acl_rules/0", item)).acl_rules[0];
    assert_eq!((item.number, item.id), (7, Some(3)));
    assert_eq!((item.action, item.direction), (AclAction::Deny, Direction::Egress));
    assert_eq!(item.traffic, Traffic::Tcp(1.into()));
    assert_eq!(item.dest_cidrs, ["10.2.1.5/32".parse().unwrap()]);

    let rule =
        parsed!(ApplyFwRules, with_rule(&json!({"type": "Egress", "publicIp": "", "protocol": "ALL"})));
    assert_eq!(rule.fw_rules.rules[2].subject, FirewallSubject::Egress);
}

#[test]
fn an_unknown_way_to_balance_is_refused() {
    for (field, value) in [
        ("algorithm", "random"),
        ("protocol", "http"),
        ("revoke", "maybe"),
        ("publicPort", "80-90"),
        ("id", "a"),
    ] {
        let file = changed("apply-lb-rules", &format!("/payload/lb_rules/1/{field}"), value);
        let error = refusal(Command::ApplyLbRules, &file);
        assert_eq!(error.path(), format!("payload.lb_rules[1].{field}"));
        assert!(error.problem().starts_with(&format!("{value:?} is not")), "{error}");
    }
    let file = changed("apply-lb-rules", "/payload/lb_rules/0/backends/1/ip", "web-1");
    assert_eq!(refusal(Command::ApplyLbRules, &file).path(), "payload.lb_rules[0].backends[1].ip");
    let file = changed("apply-lb-rules", "/payload/lb_rules/0/protocol", "TCP-Proxy");
    assert_eq!(parsed!(ApplyLbRules, file).lb_rules[0].protocol.to_string(), "tcp-proxy");
}
