//! The source NAT address of a VPC, which all tiers share.

use netext_lab::{Balancer, Forward, SourceNat, lab};

use crate::setup::{two_tiers, vpc};

#[test]
fn the_source_nat_address_belongs_to_no_tier() {
    let lab = lab!();
    let (vpc, web, database) = two_tiers(&lab);
    // The server also names the address in a tier's commands.
    web.assign_ip("198.51.100.20", SourceNat::Yes);
    web.add_port_forward(&Forward::tcp("198.51.100.20:2222", "10.2.1.10:22"));
    database.add_port_forward(&Forward::tcp("198.51.100.20:2223", "10.2.2.10:22"));
    let (one, other) = (web.guest("10.2.1.10"), database.guest("10.2.2.10"));
    let client = lab.client("203.0.113.5");
    let (at_one, _servers) = (one.listen_tcp(22), (other.listen_tcp(22), client.listen_tcp(80)));
    client.connects_to("198.51.100.20:2222").answered_by("10.2.1.10");

    web.destroy();
    let before = at_one.seen().len();
    client.cannot_connect_to("198.51.100.20:2222");
    assert_eq!(at_one.seen().len(), before, "a forward to a destroyed tier does not work");
    client.connects_to("198.51.100.20:2223").answered_by("10.2.2.10");
    other.connects_to("203.0.113.5:80").seen_as("198.51.100.20");

    database.shutdown();
    assert!(vpc.router().addresses().contains(&"198.51.100.20/24".to_owned()));
    database.implement();
    other.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
}

#[test]
fn a_vpc_may_start_without_an_address_and_get_it_later() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.implement();
    assert!(lab.has_namespace("cs-vpc-7"), "a VPC has its router before its first tier");
    let tier = vpc.tier(1);
    tier.implement();
    let guest = tier.guest("10.2.1.10");
    let web = lab.client("203.0.113.5").listen_tcp(80);
    guest.pings("10.2.1.1");
    guest.cannot_connect_to("203.0.113.5:80");
    web.saw_no_client();

    vpc.leave_by("198.51.100.20");
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
}

#[test]
fn a_new_source_nat_address_affects_only_new_flows() {
    let lab = lab!();
    let vpc = vpc(&lab);
    let tier = vpc.tier(1);
    tier.implement();
    tier.assign_ip("198.51.100.21", SourceNat::No).add_static_nat("198.51.100.21", "10.2.1.10");
    tier.assign_ip("198.51.100.22", SourceNat::No);
    tier.add_port_forward(&Forward::tcp("198.51.100.22:2222", "10.2.1.11:22"));
    tier.add_port_forward(&Forward::tcp("198.51.100.20:2224", "10.2.1.11:22"));
    let (one, other) = (tier.guest("10.2.1.10"), tier.guest("10.2.1.11"));
    let client = lab.client("203.0.113.5");
    let _servers = (one.listen_tcp(22), other.listen_tcp(22), client.listen_tcp(80));
    tier.apply_balancers(&[&Balancer::tcp(4, "198.51.100.22:2223").member("10.2.1.11:22")]);
    let all_work = || {
        client.connects_to("198.51.100.21:22").answered_by("10.2.1.10");
        client.connects_to("198.51.100.22:2222").answered_by("10.2.1.11");
        client.connects_to("198.51.100.22:2223").answered_by("10.2.1.11");
        client.connects_to("198.51.100.20:2224").answered_by("10.2.1.11");
        one.connects_to("203.0.113.5:80").seen_as("198.51.100.21");
    };
    all_work();
    let mut earlier = other.talks_to("203.0.113.5:80");
    earlier.reply().seen_as("198.51.100.20");

    // The address may be in use already, or be new.
    for address in ["198.51.100.22", "198.51.100.23"] {
        vpc.leave_by(address);
        for _ in 0..4 {
            other.connects_to("203.0.113.5:80").seen_as(address);
        }
        all_work();
        earlier.goes_on();
    }

    tier.delete_port_forward(&Forward::tcp("198.51.100.20:2224", "10.2.1.11:22"));
    tier.release_ip("198.51.100.20");
    earlier.is_cut();
    lab.upstream().cannot_connect_to("198.51.100.20:2224");
    assert!(!vpc.router().addresses().contains(&"198.51.100.20/24".to_owned()));
    other.connects_to("203.0.113.5:80").seen_as("198.51.100.23");
}

#[test]
fn a_late_command_of_a_tier_does_not_change_the_source_nat_address() {
    let lab = lab!();
    let (vpc, web, _) = two_tiers(&lab);
    vpc.leave_by("198.51.100.29");
    web.assign_ip("198.51.100.20", SourceNat::Yes);
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    web.guest("10.2.1.10").connects_to("203.0.113.5:80").seen_as("198.51.100.29");
}

#[test]
fn a_tier_cannot_release_an_address_of_the_vpc_or_of_another_tier() {
    let lab = lab!();
    let (vpc, web, database) = two_tiers(&lab);
    let (one, other) = (web.guest("10.2.1.10"), database.guest("10.2.2.10"));
    let (_ssh, client) = (other.listen_tcp(22), lab.client("203.0.113.5"));
    let _web = client.listen_tcp(80);

    web.command("release-ip", &web.public_fields("198.51.100.20", SourceNat::Yes)).succeeds_silently();
    one.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
    other.connects_to("203.0.113.5:80").seen_as("198.51.100.20");

    web.assign_ip("198.51.100.21", SourceNat::No);
    database.add_static_nat("198.51.100.21", "10.2.2.10");
    let mut connection = client.talks_to("198.51.100.21:22");
    web.release_ip("198.51.100.21");
    connection.goes_on();
    client.connects_to("198.51.100.21:22").answered_by("10.2.2.10");

    database.delete_static_nat("198.51.100.21", "10.2.2.10").release_ip("198.51.100.21");
    assert!(!vpc.router().addresses().contains(&"198.51.100.21/24".to_owned()));
}
