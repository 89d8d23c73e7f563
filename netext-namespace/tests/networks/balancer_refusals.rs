//! Load balancer rules that are refused or that fail, while the rules in force continue to serve.

use netext_lab::{Balancer, Forward, lab};
use serde_json::json;

use crate::balancer_life::rule;
use crate::setup::{haproxies, network};

#[test]
fn malformed_rules_are_refused_and_change_nothing() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _server = guest.listen_tcp(8080);
    let good = rule(9, 80).member("10.1.1.10:8080");
    network.apply_balancers(&[&good]);
    let client = lab.client("203.0.113.5");
    let mut flow = client.talks_to("198.51.100.10:80");
    let before = (haproxies(&lab), lab.files());

    let refuses = |hostile: Balancer, words: &[&str]| {
        // With a good rule before it: the command is refused as a whole.
        let fields = network.balancer_fields(&[&rule(11, 83).member("10.1.1.10:8080"), &hostile]);
        network.command("apply-lb-rules", &fields).is_refused_naming(words);
    };
    let base = || rule(10, 81);
    refuses(base().by("roundrobin\n    bind *:22"), &["algorithm"]);
    refuses(base().by("random"), &["algorithm", "random"]);
    refuses(base().field("protocol", "http"), &["protocol", "http"]);
    refuses(base().field("publicIp", "0.0.0.0/0"), &["publicIp"]);
    refuses(base().field("publicIp", "::1"), &["publicIp", "::1"]);
    refuses(base().field("publicPort", 70000), &["publicPort", "70000"]);
    refuses(base().field("publicPort", 0), &["publicPort", "0"]);
    refuses(base().field("privatePort", 0), &["privatePort", "0"]);
    refuses(base().field("id", "9; x"), &["id"]);
    refuses(base().any_member(&json!({"ip": "10.1.1.10 ssl", "port": 80})), &["ip", "10.1.1.10 ssl"]);
    refuses(base().member("10.1.1.10:0"), &["port", "0"]);
    // The router itself, the loopback, strangers, broadcasts: none is a guest.
    for stranger in ["10.1.1.1", "127.0.0.1", "203.0.113.5", "10.1.1.255", "10.1.1.0", "224.0.0.1", "0.0.0.0"]
    {
        refuses(base().member(&format!("{stranger}:80")), &["rule 10", stranger, "10.1.1.0/24"]);
    }
    flow.goes_on();
    client.connects_to("198.51.100.10:80");
    client.cannot_connect_to_any_of(&["198.51.100.10:81", "198.51.100.10:83"].map(str::to_owned));
    let after = (haproxies(&lab), lab.files());
    assert_eq!(before.0, after.0);
    let states = |files: &[(std::path::PathBuf, u32, String)]| {
        files.iter().filter(|(path, ..)| !path.ends_with("lab-router.log")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(states(&before.1), states(&after.1));
}

#[test]
fn a_rules_name_does_not_reach_the_configuration() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _server = guest.listen_tcp(8080);
    let name = "web\n    bind 198.51.100.10:22\nlisten x # ' \" { } $HOME";
    network.apply_balancers(&[&rule(9, 80).member("10.1.1.10:8080").field("name", name)]);
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.10:80");
    client.cannot_connect_to("198.51.100.10:22");
    let leaking = lab.files().into_iter().filter(|(path, _, content)| {
        !path.ends_with("lab-router.log")
            && (content.contains("HOME") || content.contains("bind 198.51.100.10:22"))
    });
    assert_eq!(leaking.count(), 0, "untrusted text is stored nowhere");
}

#[test]
fn without_haproxy_a_command_fails_and_the_rules_in_force_still_serve() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _server = guest.listen_tcp(8080);
    let (good, more) = (rule(9, 80).member("10.1.1.10:8080"), rule(10, 81).member("10.1.1.10:8080"));
    let client = lab.client("203.0.113.5");

    lab.breaks("haproxy");
    let fields = network.balancer_fields(&[&good]);
    let outcome = network.command("apply-lb-rules", &fields);
    assert!(outcome.fails_with(3).output.contains("haproxy of network-209"), "{outcome:?}");
    assert!(!outcome.output.contains("putting back"), "{outcome:?}");
    client.cannot_connect_to("198.51.100.10:80");
    lab.mends("haproxy");
    network.apply_balancers(&[&good]);
    let mut flow = client.talks_to("198.51.100.10:80");

    lab.breaks("haproxy");
    let fields = network.balancer_fields(&[&more]);
    let outcome = network.command("apply-lb-rules", &fields);
    assert!(outcome.fails_with(3).output.contains("haproxy of network-209"), "{outcome:?}");
    assert!(!outcome.output.contains("putting back"), "{outcome:?}");
    flow.goes_on();
    client.connects_to("198.51.100.10:80");
    client.cannot_connect_to("198.51.100.10:81");
    // Other commands do not need haproxy.
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:8080"));
    lab.mends("haproxy");
    network.apply_balancers(&[&more]);
    client.connects_to("198.51.100.10:81");
    flow.goes_on();
}

#[test]
fn a_port_that_is_already_in_use_fails_the_command_by_name() {
    let lab = lab!();
    let network = network(&lab);
    let good = rule(9, 80).member("10.1.1.10:8080");
    network.apply_balancers(&[&good]);
    let before = haproxies(&lab);
    let squatter = network.router().node().listen_tcp_on("198.51.100.10:81");
    let fields = network.balancer_fields(&[&rule(10, 81).member("10.1.1.10:8080")]);
    let outcome = network.command("apply-lb-rules", &fields);
    assert!(outcome.fails_with(3).output.contains("198.51.100.10:81"), "{outcome:?}");
    assert_eq!(haproxies(&lab), before);
    drop(squatter);
    network.apply_balancers(&[&rule(10, 81).member("10.1.1.10:8080")]);
}

#[test]
fn a_revoke_may_be_malformed() {
    let lab = lab!();
    let network = network(&lab);
    network.apply_balancers(&[&rule(9, 80).member("10.1.1.10:8080")]);
    let malformed = rule(9, 80).field("publicPort", 0).member("203.0.113.5:1").revoked();
    network.apply_balancers(&[&malformed]);
    assert!(haproxies(&lab).is_empty());
}
