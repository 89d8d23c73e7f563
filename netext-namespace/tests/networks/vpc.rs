//! The life of a VPC: several tiers behind one router.

use std::path::Path;

use netext_lab::{AccessList, Balancer, Firewall, Forward, Lab, Network, Rule, SourceNat, joined, lab};
use serde_json::{Value, json};

use crate::setup::{two_tiers, vpc};

/// Three ways in: a forward to the first tier, a balancer to the second, and a static NAT of the first tier's instance.
pub(crate) fn ways_in(web: &Network<'_>, database: &Network<'_>) {
    web.assign_ip("198.51.100.21", SourceNat::No);
    web.add_port_forward(&Forward::tcp("198.51.100.21:2222", "10.2.1.10:22"));
    database.assign_ip("198.51.100.22", SourceNat::No);
    database.apply_balancers(&[&Balancer::tcp(3, "198.51.100.22:2222").member("10.2.2.10:22")]);
    web.assign_ip("198.51.100.23", SourceNat::No).add_static_nat("198.51.100.23", "10.2.1.10");
}

fn exists(lab: &Lab, path: &str) -> bool {
    lab.host().run(|| Path::new(path).exists())
}

#[test]
fn two_tiers_work_and_restart_and_one_outlives_the_other() {
    let lab = lab!();
    let (vpc, web, database) = two_tiers(&lab);
    web.prepare_nic("10.2.1.10");
    database.prepare_nic("10.2.2.10");
    let (one, other) = (web.guest("10.2.1.10"), database.guest("10.2.2.10"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22));
    ways_in(&web, &database);
    let client = lab.client("203.0.113.5");
    let _internet = client.listen_tcp(80);
    let everything_works = || {
        client.connects_to("198.51.100.21:2222").answered_by("10.2.1.10").seen_as("203.0.113.5");
        client.connects_to("198.51.100.22:2222").answered_by("10.2.2.10").seen_as("10.2.2.1");
        client.connects_to("198.51.100.23:22").answered_by("10.2.1.10").seen_as("203.0.113.5");
        one.connects_to("203.0.113.5:80").seen_as("198.51.100.23");
        other.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
    };
    everything_works();

    web.shutdown();
    database.shutdown();
    vpc.shutdown();
    assert!(!lab.has_namespace("cs-vpc-7"), "a VPC that is shut down has no router");
    vpc.implement_with("198.51.100.20");
    web.implement();
    database.implement();
    client.cannot_connect_to("198.51.100.21:2222");
    ways_in(&web, &database);
    everything_works();

    web.delete_static_nat("198.51.100.23", "10.2.1.10");
    client.cannot_connect_to("198.51.100.23:22");
    web.release_ip("198.51.100.23");
    web.delete_port_forward(&Forward::tcp("198.51.100.21:2222", "10.2.1.10:22"));
    web.release_ip("198.51.100.21").release_nic("10.2.1.10").destroy();
    client.connects_to("198.51.100.22:2222").answered_by("10.2.2.10");
    other.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
}

#[test]
fn destroying_a_tier_does_not_disturb_the_connections_and_services_of_others() {
    let lab = lab!();
    let (vpc, web, database) = two_tiers(&lab);
    ways_in(&web, &database);
    let guest = database.guest("10.2.2.10");
    let client = lab.client("203.0.113.5");
    let _servers = (guest.listen_tcp(22), client.listen_tcp(80));
    for (tier, address) in [(&web, "10.2.1.10"), (&database, "10.2.2.10")] {
        tier.deploy(address);
    }
    let is_served = || {
        assert_eq!(guest.curls("10.2.2.1", "user-data"), "10.2.2.10");
        assert_eq!(guest.digs("10.2.2.1", "web-10"), "10.2.2.10");
    };
    is_served();
    let dnsmasq =
        || lab.processes().into_iter().filter(|(_, line)| line.contains("dnsmasq")).collect::<Vec<_>>();
    let of_both = dnsmasq();
    let (mut incoming, mut outgoing) =
        (client.talks_to("198.51.100.22:2222"), guest.talks_to("203.0.113.5:80"));

    // Rules and addresses still exist: only the destroy removes them.
    web.destroy();
    client.cannot_connect_to("198.51.100.21:2222");
    client.cannot_connect_to("198.51.100.23:22");
    incoming.goes_on();
    outgoing.goes_on();
    client.connects_to("198.51.100.22:2222").answered_by("10.2.2.10");
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
    is_served();
    let left: Vec<_> = of_both.into_iter().filter(|(_, line)| line.contains("network-702")).collect();
    assert_eq!(dnsmasq(), left, "the other tier keeps its DHCP server");
    let addresses = vpc.router().addresses();
    for gone in ["198.51.100.21/24", "198.51.100.23/24", "10.2.1.1/24"] {
        assert!(!addresses.contains(&gone.to_owned()), "{gone} is gone: {addresses:?}");
    }
}

#[test]
fn the_end_of_a_vpc_leaves_nothing_behind() {
    let lab = lab!();
    let before = (lab.interfaces(), lab.processes().len());
    let (vpc, web, database) = two_tiers(&lab);
    ways_in(&web, &database);
    web.command("config-dhcp-subnet", &web.nic_fields("10.2.1.2")).succeeds_silently();
    web.prepare_nic("10.2.1.10");
    assert!(exists(&lab, &web.folder()) && exists(&lab, &vpc.folder()));
    web.destroy();
    assert!(!exists(&lab, &web.folder()), "a tier that is destroyed leaves no folder");
    assert!(exists(&lab, &database.folder()));
    database.destroy();
    assert!(lab.has_namespace("cs-vpc-7"), "the VPC still exists");
    for _ in 0..2 {
        vpc.shutdown();
        assert!(!lab.has_namespace("cs-vpc-7"));
        assert!(!exists(&lab, &vpc.folder()));
    }
    vpc.destroy();
    let bridges = ["brnone-2001", "brnone-2002"].map(str::to_owned);
    let left: Vec<_> = lab.interfaces().into_iter().filter(|name| !bridges.contains(name)).collect();
    assert_eq!((left, lab.processes().len()), before);
}

#[test]
fn destroying_a_vpc_destroys_its_tiers() {
    let lab = lab!();
    let (vpc, web, database) = two_tiers(&lab);
    ways_in(&web, &database);
    web.command("config-dhcp-subnet", &web.nic_fields("10.2.1.2")).succeeds_silently();
    vpc.destroy().destroy();
    assert!(!lab.has_namespace("cs-vpc-7"));
    for folder in [web.folder(), database.folder(), vpc.folder()] {
        assert!(!exists(&lab, &folder), "{folder} is gone");
    }
    // Late commands about tiers that are gone.
    web.destroy().release_ip("198.51.100.21");
    assert!(!lab.has_namespace("cs-vpc-7"));
}

#[test]
fn a_tier_of_a_vpc_that_was_never_implemented_works_by_itself() {
    let lab = lab!();
    let tier = lab.vpc(7).tier(1);
    tier.implement().assign_ip("198.51.100.20", SourceNat::Yes);
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    tier.guest("10.2.1.10").connects_to("203.0.113.5:80").seen_as("198.51.100.20");
    tier.destroy();
    assert!(!lab.has_namespace("cs-vpc-7"));
}

#[test]
fn any_tiers_command_repairs_a_vpc_whose_namespace_vanished() {
    let lab = lab!();
    let (_vpc, web, database) = two_tiers(&lab);
    ways_in(&web, &database);
    let other = database.guest("10.2.2.10");
    let client = lab.client("203.0.113.5");
    let _servers = (other.listen_tcp(22), client.listen_tcp(80));
    lab.host().ip("netns delete cs-vpc-7\n");
    web.prepare_nic("10.2.1.10");
    client.connects_to("198.51.100.22:2222").answered_by("10.2.2.10");
    other.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
}

#[test]
fn a_tier_keeps_rules_that_came_before_its_vpc_was_named() {
    let lab = lab!();
    let vpc = vpc(&lab);
    let (one, other) = (vpc.tier(1), vpc.tier(2));
    // By the README only implement-network must name the VPC, and the details may be empty.
    let early = |command: &str, fields: Value| {
        let nameless = json!({"vpc_id": null, "gateway": null, "cidr": null});
        let mut document = one.document(&joined(&fields, &nameless));
        document["network-extension-details"] = json!({});
        lab.run(command, &document).succeeds_silently();
    };
    let list = AccessList::new().with(Rule::allow_in(10).tcp(22));
    early("apply-network-acl", one.access_list_fields(&list));
    early("apply-fw-rules", one.firewall_fields(&Firewall::egress_allowed().open("198.51.100.21")));
    early("assign-ip", one.public_fields("198.51.100.21", SourceNat::No));
    early("add-port-forward", one.forward_fields(&Forward::tcp("198.51.100.21:2222", "10.2.1.10:22")));
    other.implement();
    one.implement();
    let (guest, neighbour) = (one.guest("10.2.1.10"), other.guest("10.2.2.10"));
    let _servers = (guest.listen_tcp(22), guest.listen_tcp(80));
    lab.client("203.0.113.5").connects_to("198.51.100.21:2222").answered_by("10.2.1.10");
    neighbour.connects_to("10.2.1.10:22");
    neighbour.cannot_connect_to("10.2.1.10:80");
    assert!(!exists(&lab, &format!("{}/network-701/state.json", lab.state_folder())));
    // The early list is used once: it does not replace a later one.
    one.apply_access_list(&AccessList::new().with(Rule::allow_in(10)));
    one.implement();
    neighbour.connects_to("10.2.1.10:80");
}
