//! The choice of a network's host.

use std::time::Duration;

use netext_lab::{FIRST_HOST, Network, SourceNat, fleet, joined};
use serde_json::{Value, json};

use super::{SECOND_HOST, THIRD_HOST, ensure, host_of, network_on};

/// The document of a server that has no details stored.
fn without_details(network: &Network<'_>, fields: &Value) -> Value {
    joined(&network.document(fields), &json!({"network-extension-details": {}}))
}

fn epoch_of(network: &Network<'_>) -> u64 {
    network.details()["epoch"].as_u64().unwrap_or_default()
}

#[test]
fn networks_spread_over_the_hosts_and_stay_where_they_are() {
    let lab = fleet!();
    let _second = lab.join(SECOND_HOST);
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    let networks: Vec<_> = (300..312).map(|id| lab.network(id)).collect();
    let mut hosts: Vec<_> = networks
        .iter()
        .map(|network| {
            network.ensure_device(&json!({})).succeeds();
            host_of(network)
        })
        .collect();
    let again: Vec<_> = networks
        .iter()
        .map(|network| {
            network.ensure_device(&json!({})).succeeds();
            host_of(network)
        })
        .collect();
    assert_eq!(hosts, again);
    hosts.sort();
    hosts.dedup();
    assert_eq!(hosts, [FIRST_HOST, SECOND_HOST]);
}

#[test]
fn a_host_that_can_be_reached_keeps_its_networks() {
    let lab = fleet!();
    lab.register("hosts", FIRST_HOST);
    let networks: Vec<_> = (300..306).map(|id| lab.network(id)).collect();
    for network in &networks {
        network.ensure_device(&json!({})).succeeds();
    }
    let _second = lab.join(SECOND_HOST);
    lab.register("hosts", &format!("{SECOND_HOST},{FIRST_HOST}"));
    for network in &networks {
        network.ensure_device(&json!({})).succeeds();
        assert_eq!(host_of(network), FIRST_HOST);
    }
}

#[test]
fn a_network_leaves_a_host_that_is_lost() {
    let lab = fleet!();
    let _second = lab.join(SECOND_HOST);
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    let network = network_on(&lab, FIRST_HOST, 300);
    lab.first_host().loses_sshd();
    network.ensure_device(&json!({})).succeeds();
    assert_eq!(host_of(&network), SECOND_HOST);
    // It stays there, as the details say.
    lab.first_host().gets_sshd();
    network.ensure_device(&json!({})).succeeds();
    assert_eq!(host_of(&network), SECOND_HOST);
}

#[test]
fn a_network_returns_to_a_host_that_does_not_know_it_was_superseded() {
    let lab = fleet!();
    let second = lab.join(SECOND_HOST);
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    let network = network_on(&lab, SECOND_HOST, 300);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    second.is_cut_off();
    let moved = ensure(&lab, &network, 20);
    network.keep_details(&moved);
    assert_eq!((host_of(&network).as_str(), epoch_of(&network)), (FIRST_HOST, 2));

    // Another management server does not know that the second host must step down.
    lab.forget_everything();
    lab.first_host().is_cut_off();
    second.is_reached_again();
    let returned = ensure(&lab, &network, 20);
    network.keep_details(&returned);
    assert_eq!((host_of(&network).as_str(), epoch_of(&network)), (SECOND_HOST, 3));
    network.assign_ip("198.51.100.11", SourceNat::No);
}

#[test]
fn a_host_goes_on_in_the_epoch_in_which_the_server_knows_it() {
    let lab = fleet!();
    lab.register("hosts", FIRST_HOST);
    let network = lab.network(209);
    network.implement();
    let later = joined(&network.details(), &json!({"epoch": 3}));
    lab.forget_everything();
    let fields = json!({"current_details": later.to_string()});
    network.keep_details(&lab.run("ensure-network-device", &network.document(&fields)));
    assert_eq!((host_of(&network).as_str(), epoch_of(&network)), (FIRST_HOST, 3));
    network.assign_ip("198.51.100.10", SourceNat::Yes);
}

#[test]
fn a_network_stays_on_a_host_that_answers_but_refuses_the_login() {
    let lab = fleet!();
    let _second = lab.join(SECOND_HOST);
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    let network = network_on(&lab, FIRST_HOST, 300);
    lab.first_host().changes_its_host_key();
    let outcome = ensure(&lab, &network, 60);
    outcome.fails_with(2);
    assert!(outcome.output.contains(FIRST_HOST), "{outcome:?}");
}

#[test]
fn if_no_host_can_be_used_the_error_has_every_reason() {
    let lab = fleet!();
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    lab.first_host().loses_sshd();
    let network = lab.network(209);
    let outcome = ensure(&lab, &network, 9);
    outcome.fails_with(2);
    for word in ["network-209", FIRST_HOST, "Connection refused", SECOND_HOST] {
        assert!(outcome.output.contains(word), "{word} in {outcome:?}");
    }
}

#[test]
fn a_host_that_just_failed_does_not_delay_other_networks() {
    let lab = fleet!();
    let second = lab.join(SECOND_HOST);
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    second.is_cut_off();
    ensure(&lab, &lab.network(209), 9).succeeds();
    for id in 300..308 {
        let outcome = ensure(&lab, &lab.network(id), 9);
        outcome.succeeds();
        assert!(outcome.output.contains(FIRST_HOST), "{outcome:?}");
        assert!(outcome.duration < Duration::from_secs(2), "{outcome:?}");
    }
}

#[test]
fn the_tiers_of_a_vpc_are_on_its_host() {
    let lab = fleet!();
    let _second = lab.join(SECOND_HOST);
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    for vpc in 1..6 {
        let physical = lab.network(1).document(&json!({}))["physical-network-extension-details"].clone();
        let payload = json!({"vpc_id": vpc.to_string(), "zone_id": "1", "vpc_cidr": "10.1.0.0/16"});
        let document = json!({"physical-network-extension-details": physical, "payload": payload});
        let details: Value =
            serde_json::from_str(&lab.run("ensure-network-device", &document).succeeds().output)
                .expect("details");
        assert_eq!(details["namespace"], format!("cs-vpc-{vpc}"));
        assert_eq!(details["vpc_id"], vpc.to_string());
        for tier in 0..4 {
            let tier = lab.network(300 + 10 * vpc + tier);
            tier.ensure_device(&json!({"vpc_id": vpc.to_string()})).succeeds();
            assert_eq!(tier.details(), details);
        }
    }
}

#[test]
fn a_command_that_does_not_name_the_vpc_of_its_tier_goes_to_the_vpcs_host() {
    let lab = fleet!();
    let second = lab.join(SECOND_HOST);
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.20");
    // Networks of these numbers would spread over both hosts.
    for number in 1..5 {
        let tier = vpc.tier(number);
        tier.implement();
        let nic = joined(&tier.nic_fields(&format!("10.2.{number}.10")), &json!({"vpc_id": null}));
        lab.run("prepare-nic", &without_details(&tier, &nic)).succeeds_silently();
        tier.command("add-dns-entry", &nic).succeeds_silently();
        assert_eq!(tier.details()["vpc_id"], "7");
        let own = format!("cs-net-{}", tier.id());
        assert!(!lab.has_namespace(&own) && !second.has_namespace(&own));
    }
    assert_ne!(lab.has_namespace("cs-vpc-7"), second.has_namespace("cs-vpc-7"));
}

#[test]
fn a_network_is_found_on_its_host_if_the_server_has_no_details() {
    let lab = fleet!();
    let network = lab.network(209);
    network.implement();
    let second = lab.join(SECOND_HOST);
    let third = lab.join(THIRD_HOST);
    lab.register("hosts", &format!("{SECOND_HOST},{THIRD_HOST},{FIRST_HOST}"));
    // Commands that add go to its host.
    lab.run("implement-network", &without_details(&network, &network.extension_field())).succeeds_silently();
    assert!(!second.has_namespace("cs-net-209") && !third.has_namespace("cs-net-209"));
    // So does ensuring.
    network.forget_details();
    network.ensure_device(&json!({})).succeeds();
    assert_eq!(host_of(&network), FIRST_HOST);
    // Commands that remove go to no other host.
    lab.run("shutdown-network", &without_details(&network, &json!({}))).succeeds_silently();
    assert!(!lab.has_namespace("cs-net-209"));
    lab.run("destroy-network", &without_details(&network, &json!({}))).succeeds_silently();
    lab.run("destroy-network", &without_details(&network, &json!({}))).succeeds_silently();
}

#[test]
fn a_host_that_is_no_longer_registered_still_gets_deletes() {
    let lab = fleet!();
    let network = lab.network(209);
    network.implement();
    let _second = lab.join(SECOND_HOST);
    lab.register("hosts", SECOND_HOST);
    lab.run("shutdown-network", &network.document(&json!({}))).succeeds_silently();
    assert!(!lab.has_namespace("cs-net-209"));

    let network = lab.network(210).on_vlan("1911");
    lab.register("hosts", FIRST_HOST);
    network.implement();
    lab.register("hosts", SECOND_HOST);
    lab.run("destroy-network", &without_details(&network, &json!({}))).succeeds_silently();
    assert!(!lab.has_namespace("cs-net-210"));
}

#[test]
fn a_delete_does_not_fail_for_a_host_that_never_had_the_network() {
    let lab = fleet!();
    let network = lab.network(209);
    network.implement();
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    lab.run("shutdown-network", &without_details(&network, &json!({}))).succeeds_silently();
    lab.run("destroy-network", &without_details(&network, &json!({}))).succeeds_silently();
}

#[test]
fn a_delete_fails_if_an_unreachable_host_may_have_the_network() {
    let lab = fleet!();
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    let network = lab.network(209);
    let outcome = lab.run("destroy-network", &without_details(&network, &json!({})));
    outcome.fails_with(2);
    for word in ["network-209", SECOND_HOST, "may be on", "bring that host back"] {
        assert!(outcome.output.contains(word), "{word} in {outcome:?}");
    }
    lab.register("hosts", FIRST_HOST);
    lab.run("destroy-network", &without_details(&network, &json!({}))).succeeds_silently();
}
