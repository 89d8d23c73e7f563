//! VPCs: several tiers behind one router.

use std::path::Path;

use netext_lab::{AccessList, Balancer, Firewall, Forward, Lab, Network, Rule, SourceNat, Vpc, joined, lab};
use serde_json::{Value, json};

/// What leads in from outside: a forward to the first tier, a balancer to the second, and an address of the first
/// tier's instance.
fn ways_in(web: &Network<'_>, database: &Network<'_>) {
    web.assign_ip("198.51.100.21", SourceNat::No);
    web.add_port_forward(&Forward::tcp("198.51.100.21:2222", "10.2.1.10:22"));
    database.assign_ip("198.51.100.22", SourceNat::No);
    database.apply_balancers(&[&Balancer::tcp(3, "198.51.100.22:2222").member("10.2.2.10:22")]);
    web.assign_ip("198.51.100.23", SourceNat::No).add_static_nat("198.51.100.23", "10.2.1.10");
}

/// A VPC that leaves by 198.51.100.20, with two tiers in force.
fn two_tiers(lab: &Lab) -> (Vpc<'_>, Network<'_>, Network<'_>) {
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.20");
    let (web, database) = (vpc.tier(1), vpc.tier(2));
    web.implement();
    database.implement();
    (vpc, web, database)
}

/// Serves an instance of a tier with all that there is.
fn serve(tier: &Network<'_>, address: &str) {
    let nic = joined(&tier.nic_fields(address), &json!({"dns": "198.51.100.53", "domain": "cs1.internal"}));
    for command in ["config-dhcp-subnet", "add-dhcp-entry", "config-dns-subnet", "add-dns-entry"] {
        tier.command(command, &nic).succeeds_silently();
    }
    let vm_data = json!({"vm_data": [{"dir": "userdata", "file": "user_data", "content": address}]});
    tier.command("save-vm-data", &joined(&tier.nic_fields(address), &vm_data)).succeeds_silently();
}

fn exists(lab: &Lab, path: &str) -> bool {
    lab.host().run(|| Path::new(path).exists())
}

#[test]
fn two_tiers_are_reached_restarted_and_one_of_them_outlives_the_other() {
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
fn a_tier_that_is_destroyed_leaves_the_others_connections_and_services_alone() {
    let lab = lab!();
    let (vpc, web, database) = two_tiers(&lab);
    ways_in(&web, &database);
    let guest = database.guest("10.2.2.10");
    let client = lab.client("203.0.113.5");
    let _servers = (guest.listen_tcp(22), client.listen_tcp(80));
    for (tier, address) in [(&web, "10.2.1.10"), (&database, "10.2.2.10")] {
        serve(tier, address);
    }
    let asks = |words: &[&str]| {
        let answer = guest.sandbox().output(words[0], &words[1..]);
        String::from_utf8_lossy(&answer.stdout).trim().to_owned()
    };
    let is_served = || {
        assert_eq!(asks(&["curl", "-sf", "-m", "3", "http://10.2.2.1/latest/user-data"]), "10.2.2.10");
        assert_eq!(asks(&["dig", "+short", "+time=2", "@10.2.2.1", "web-10"]), "10.2.2.10");
    };
    is_served();
    let dnsmasq =
        || lab.processes().into_iter().filter(|(_, line)| line.contains("dnsmasq")).collect::<Vec<_>>();
    let of_both = dnsmasq();
    let (mut incoming, mut outgoing) =
        (client.talks_to("198.51.100.22:2222"), guest.talks_to("203.0.113.5:80"));

    // Rules and addresses are still there: nothing but the destroy takes them.
    web.destroy();
    client.cannot_connect_to("198.51.100.21:2222");
    client.cannot_connect_to("198.51.100.23:22");
    incoming.goes_on();
    outgoing.goes_on();
    client.connects_to("198.51.100.22:2222").answered_by("10.2.2.10");
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
    is_served();
    let left: Vec<_> = of_both.into_iter().filter(|(_, line)| line.contains("network-702")).collect();
    assert_eq!(dnsmasq(), left, "the other tier's server of leases is the one that it was");
    let addresses = vpc.router().addresses();
    for gone in ["198.51.100.21/24", "198.51.100.23/24", "10.2.1.1/24"] {
        assert!(!addresses.contains(&gone.to_owned()), "{gone} is gone: {addresses:?}");
    }
}

#[test]
fn the_vpcs_source_nat_address_is_no_tiers() {
    let lab = lab!();
    let (vpc, web, database) = two_tiers(&lab);
    // The server names the address in a tier's commands as well.
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
    assert_eq!(at_one.seen().len(), before, "a forward to a tier that is gone leads nowhere");
    client.connects_to("198.51.100.20:2223").answered_by("10.2.2.10");
    other.connects_to("203.0.113.5:80").seen_as("198.51.100.20");

    database.shutdown();
    assert!(vpc.router().addresses().contains(&"198.51.100.20/24".to_owned()));
    database.implement();
    other.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
}

#[test]
fn a_vpc_may_begin_without_an_address_and_get_it_later() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.implement();
    assert!(lab.has_namespace("cs-vpc-7"), "a VPC has its router before it has a tier");
    let tier = vpc.tier(1);
    tier.implement();
    let guest = tier.guest("10.2.1.10");
    let web = lab.client("203.0.113.5").listen_tcp(80);
    guest.pings("10.2.1.1");
    guest.cannot_connect_to("203.0.113.5:80");
    web.saw_nobody();

    vpc.leave_by("198.51.100.20");
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
}

#[test]
fn a_source_nat_address_that_changes_moves_new_flows_and_nothing_else() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.20");
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

    // The address may be in use already, or come with the change.
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
fn a_late_word_of_a_tier_does_not_change_the_vpcs_source_nat_address() {
    let lab = lab!();
    let (vpc, web, _) = two_tiers(&lab);
    vpc.leave_by("198.51.100.29");
    web.assign_ip("198.51.100.20", SourceNat::Yes);
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    web.guest("10.2.1.10").connects_to("203.0.113.5:80").seen_as("198.51.100.29");
}

#[test]
fn a_tier_does_not_release_what_is_the_vpcs_or_another_tiers() {
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

#[test]
fn tiers_reach_each_other_and_not_the_outside_by_each_others_names() {
    let lab = lab!();
    let (_vpc, web, database) = two_tiers(&lab);
    ways_in(&web, &database);
    let (one, other) = (web.guest("10.2.1.10"), database.guest("10.2.2.10"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22), other.listen_udp(53));
    one.connects_to("10.2.2.10:22").seen_as("10.2.1.10");
    one.exchanges_udp_with("10.2.2.10:53").seen_as("10.2.1.10");
    other.connects_to("10.2.1.10:22").seen_as("10.2.2.10");
    one.pings("10.2.2.10");
    // Through a public address, too: the other tier's, and its own.
    other.connects_to("198.51.100.21:2222").answered_by("10.2.1.10").seen_as("10.2.2.10");
    one.connects_to("198.51.100.21:2222").answered_by("10.2.1.10").seen_as("10.2.1.1");
}

#[test]
fn a_guest_of_one_tier_cannot_pass_for_one_of_another() {
    let lab = lab!();
    let (_vpc, web, database) = two_tiers(&lab);
    let liar = lab.plug(&web.bridge(), &["10.2.2.66/24"]);
    liar.sandbox().ip("route replace 0.0.0.0/0 via 10.2.1.1 dev eth0 onlink\n");
    let guest = database.guest("10.2.2.10");
    let (ssh, web_server) = (guest.listen_tcp(22), lab.client("203.0.113.5").listen_udp(53));
    liar.sandbox().ip("route replace 10.2.2.10/32 via 10.2.1.1 dev eth0 onlink\n");
    liar.cannot_connect_to("10.2.2.10:22");
    liar.gets_no_udp_from("203.0.113.5:53");
    ssh.saw_nobody();
    web_server.saw_nobody();
}

#[test]
fn a_guest_is_served_on_its_own_tiers_address_only() {
    let lab = lab!();
    let (vpc, web, _) = two_tiers(&lab);
    let router = vpc.router();
    let own = [53, 80, 8080].map(|port| router.node().listen_tcp_on(&format!("10.2.1.1:{port}")));
    let others = [53, 80, 8080].map(|port| router.node().listen_tcp_on(&format!("10.2.2.1:{port}")));
    let (names, public) =
        (router.node().listen_udp_on("10.2.2.1:53"), router.node().listen_tcp_on("198.51.100.20:80"));
    let guest = web.guest("10.2.1.10");
    for port in [53, 80, 8080] {
        guest.connects_to(&format!("10.2.1.1:{port}"));
    }
    guest.cannot_connect_to_any_of(&[53, 80, 8080].map(|port| format!("10.2.2.1:{port}")));
    guest.gets_no_udp_from("10.2.2.1:53");
    guest.cannot_connect_to("198.51.100.20:80");
    assert!(own.iter().all(|server| !server.seen().is_empty()));
    others.iter().chain([&names, &public]).for_each(netext_lab::Listener::saw_nobody);
}

#[test]
fn what_is_addressed_to_no_tier_stays_inside() {
    let lab = lab!();
    let (_vpc, web, _) = two_tiers(&lab);
    lab.upstream().sandbox().ip("address add 10.2.9.9/32 dev lo\n");
    let elsewhere = lab.upstream().listen_udp_on("10.2.9.9:53");
    web.guest("10.2.1.10").gets_no_udp_from("10.2.9.9:53");
    elsewhere.saw_nobody();
}

#[test]
fn a_stranger_on_the_public_segment_reaches_no_tier() {
    let lab = lab!();
    let (_vpc, web, database) = two_tiers(&lab);
    ways_in(&web, &database);
    let (one, other) = (web.guest("10.2.1.10"), database.guest("10.2.2.10"));
    let servers = [one.listen_tcp(22), other.listen_tcp(22)];
    let neighbour = lab.neighbour("198.51.100.66");
    neighbour.routes("10.2.0.0/16", "198.51.100.20");
    neighbour.cannot_connect_to_any_of(&["10.2.1.10:22", "10.2.2.10:22"].map(str::to_owned));
    servers.iter().for_each(netext_lab::Listener::saw_nobody);
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
    assert!(lab.has_namespace("cs-vpc-7"), "the VPC is still in force");
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
fn a_vpc_that_is_destroyed_takes_its_tiers_along() {
    let lab = lab!();
    let (vpc, web, database) = two_tiers(&lab);
    ways_in(&web, &database);
    web.command("config-dhcp-subnet", &web.nic_fields("10.2.1.2")).succeeds_silently();
    vpc.destroy().destroy();
    assert!(!lab.has_namespace("cs-vpc-7"));
    for folder in [web.folder(), database.folder(), vpc.folder()] {
        assert!(!exists(&lab, &folder), "{folder} is gone");
    }
    // Late commands of what is gone.
    web.destroy().release_ip("198.51.100.21");
    assert!(!lab.has_namespace("cs-vpc-7"));
}

#[test]
fn a_tier_without_a_vpc_that_was_heard_of_works_by_itself() {
    let lab = lab!();
    let tier = lab.vpc(7).tier(1);
    tier.implement().assign_ip("198.51.100.20", SourceNat::Yes);
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    tier.guest("10.2.1.10").connects_to("203.0.113.5:80").seen_as("198.51.100.20");
    tier.destroy();
    assert!(!lab.has_namespace("cs-vpc-7"));
}

#[test]
fn vpcs_with_the_same_subnets_do_not_meet() {
    let lab = lab!();
    let (one, other) = (lab.vpc(7), lab.vpc(8));
    one.implement_with("198.51.100.20");
    other.implement_with("198.51.100.30");
    let (tier_of_one, tier_of_other) = (one.tier(1), other.tier(1).on_vlan("2101"));
    tier_of_one.implement();
    tier_of_other.implement();
    let (guest, namesake) = (tier_of_one.guest("10.2.1.10"), tier_of_other.guest("10.2.1.10"));
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
    namesake.connects_to("203.0.113.5:80").seen_as("198.51.100.30");
    tier_of_one.destroy();
    one.destroy();
    namesake.connects_to("203.0.113.5:80").seen_as("198.51.100.30");
}

#[test]
fn a_vpc_whose_namespace_vanished_is_healed_by_any_tiers_command() {
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
fn a_tier_keeps_what_came_before_its_vpc_was_named() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.20");
    let (one, other) = (vpc.tier(1), vpc.tier(2));
    // By the README no command but implement-network has to name the VPC, and the details may be empty.
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
    // It is taken over once: a later list is not replaced by the early one.
    one.apply_access_list(&AccessList::new().with(Rule::allow_in(10)));
    one.implement();
    neighbour.connects_to("10.2.1.10:80");
}
