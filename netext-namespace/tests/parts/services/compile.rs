//! The configuration of guests' services: golden files, and names and values that look like something else.

use std::path::Path;

use super::served::{accounts_of_debian, admit, network, reservation};
use netext_namespace::compile::services::{GuestServices, Reservation, services};
use netext_namespace::model::{OptionValue, ServedRange};

/// Every file of every daemon, one after the other.
fn compiled(guest: &GuestServices) -> String {
    let plans = services(guest, Path::new("/var/lib/cloudstack/acme/network-42"), &accounts_of_debian());
    let files = plans.iter().flat_map(|plan| {
        let line = format!("$ {} {}\n", plan.start.program, plan.start.arguments.join(" "));
        let files = plan.files.iter().map(|f| format!("== {} ({:?})\n{}", f.name, f.on_change, f.content));
        std::iter::once(line).chain(files)
    });
    files.collect()
}

fn content(guest: &GuestServices, name: &str) -> String {
    let plans = services(guest, Path::new("/x"), &accounts_of_debian());
    let mut files = plans.into_iter().flat_map(|plan| plan.files);
    files.find(|file| file.name == name).unwrap().content
}

#[test]
fn a_network_with_everything_on() {
    let mut network = network();
    admit(&mut network, "02:01:00:d1:00:0a", "10.1.1.10", "web");
    admit(&mut network, "02:01:00:d1:00:0b", "10.1.1.11", "db");
    network.records.insert("fd00:1::10".parse().unwrap(), "web".parse().unwrap());
    let second = network.reservations.get_mut(&"02:01:00:d1:00:0b".parse().unwrap()).unwrap();
    second.default_nic = false;
    second.options.insert(26, OptionValue::parse(26, "1400").unwrap());
    insta::assert_snapshot!(compiled(&network));
}

#[test]
fn dhcp_alone_opens_no_port_for_names() {
    let mut network = network();
    (network.dns, network.ipv6, network.domain) = (false, None, None);
    insta::assert_snapshot!(compiled(&network));
}

#[test]
fn dns_alone_gives_no_leases() {
    let mut network = network();
    (network.dhcp, network.ipv6) = (false, None);
    admit(&mut network, "02:01:00:d1:00:0a", "10.1.1.10", "web");
    insta::assert_snapshot!(compiled(&network));
}

#[test]
fn a_network_without_services_has_no_daemons() {
    let mut network = network();
    (network.dhcp, network.dns, network.ipv6) = (false, false, None);
    assert_eq!(compiled(&network), "");
}

#[test]
fn a_router_option_of_its_own_replaces_the_empty_one() {
    let mut network = network();
    let mut nic = reservation("10.1.1.10", "web");
    nic.default_nic = false;
    nic.options.insert(3, OptionValue::parse(3, "10.1.1.254").unwrap());
    network.reservations.insert("02:01:00:d1:00:0a".parse().unwrap(), nic);
    let options = content(&network, "dhcp-opts");
    assert!(options.ends_with("tag:nic-020100d1000a,3,10.1.1.254\n"), "{options}");
}

#[test]
fn a_name_that_looks_like_something_else_is_written_as_an_option() {
    for hostname in ["10.1.1.99", "2m", "45", "ignore", "Infinite", "a.b", "_x", "7"] {
        let mut network = network();
        admit(&mut network, "02:01:00:d1:00:0a", "10.1.1.10", hostname);
        let configuration = content(&network, "dnsmasq.conf");
        let line = "dhcp-host=02:01:00:d1:00:0a,set:nic-020100d1000a,10.1.1.10\n";
        assert!(configuration.ends_with(line), "{hostname}: {configuration}");
        assert_eq!(content(&network, "dhcp-hosts"), "");
        let option = format!("tag:nic-020100d1000a,12,{hostname}\n");
        assert!(content(&network, "dhcp-opts").ends_with(&option), "{hostname}");
    }
    for hostname in ["web", "1web", "x", "2d-web", "i-2-34-VM"] {
        let mut network = network();
        admit(&mut network, "02:01:00:d1:00:0a", "10.1.1.10", hostname);
        let line = format!("02:01:00:d1:00:0a,10.1.1.10,{hostname}\n");
        assert_eq!(content(&network, "dhcp-hosts"), line);
    }
}

#[test]
fn no_instance_takes_the_name_of_the_data_server_or_of_another_domain() {
    let mut network = network();
    for (ip, name) in [
        ("10.1.1.10", "Data-Server"),
        ("10.1.1.11", "data-server.cs42.example"),
        ("10.1.1.12", "www.example.com"),
        ("10.1.1.13", "web.cs42.example"),
        ("10.1.1.14", "localhost"),
        ("10.1.1.1", "me"),
    ] {
        network.records.insert(ip.parse().unwrap(), name.parse().unwrap());
    }
    let hosts = "10.1.1.1 data-server.cs42.example data-server\n\
                 10.1.1.12 www.example.com.cs42.example\n\
                 10.1.1.13 web.cs42.example web\n";
    assert_eq!(content(&network, "hosts"), hosts);
}

#[test]
fn queries_are_never_forwarded_to_the_router_itself() {
    let mut network = network();
    network.resolvers = ["10.1.1.1", "fd00:1::1", "127.0.0.1", "9.9.9.9"].map(|a| a.parse().unwrap()).into();
    let configuration = content(&network, "dnsmasq.conf");
    let servers: Vec<_> = configuration.lines().filter(|line| line.starts_with("server=")).collect();
    assert_eq!(servers, ["server=9.9.9.9"]);
}

#[test]
fn every_range_has_its_own_router_and_resolver() {
    let mut network = network();
    network.ipv6 = None;
    let range = |subnet: &str, gateway: &str, address: &str| ServedRange {
        subnet: subnet.parse().unwrap(),
        gateway: gateway.parse().ok(),
        address: address.parse().unwrap(),
    };
    network.ranges.push(range("10.2.0.0/25", "10.2.0.1", "10.1.1.1"));
    network.ranges.push(range("10.3.0.0/24", "", "10.3.0.200"));
    let options = content(&network, "dhcp-opts");
    for line in [
        "option:router,10.1.1.1",
        "tag:range-1,option:router,10.2.0.1",
        "tag:range-1,option:dns-server,10.1.1.1,192.0.2.53,192.0.2.54",
        "tag:range-2,option:router",
        "tag:range-2,option:dns-server,10.3.0.200,192.0.2.53,192.0.2.54",
    ] {
        assert!(options.lines().any(|it| it == line), "{line}: {options}");
    }
    let configuration = content(&network, "dnsmasq.conf");
    for line in [
        "dhcp-range=10.1.1.0,static,255.255.255.0,infinite",
        "dhcp-range=set:range-1,10.2.0.0,static,255.255.255.128,infinite",
        "shared-network=vn-100-42,10.2.0.0",
        "dhcp-range=set:range-2,10.3.0.0,static,255.255.255.0,infinite",
        "dhcp-broadcast",
        "localise-queries",
    ] {
        assert!(configuration.lines().any(|it| it == line), "{line}: {configuration}");
    }
    assert!(!configuration.contains("shared-network=vn-100-42,10.3.0.0"), "{configuration}");
    let data_servers = "10.1.1.1 data-server.cs42.example data-server\n\
                        10.3.0.200 data-server.cs42.example data-server\n";
    assert_eq!(content(&network, "hosts"), data_servers);
}

#[test]
fn only_its_own_instance_gets_a_removed_name() {
    let mut network = network();
    let nic = Reservation { is_unnamed: true, ..reservation("10.1.1.10", "web") };
    network.reservations.insert("02:01:00:d1:00:0a".parse().unwrap(), nic);
    assert_eq!(content(&network, "dhcp-hosts"), "");
    assert!(content(&network, "dhcp-opts").ends_with("tag:nic-020100d1000a,12,web\n"));
}

#[test]
fn an_address_is_reserved_once() {
    let mut network = network();
    admit(&mut network, "02:01:00:d1:00:0a", "10.1.1.10", "old");
    admit(&mut network, "02:01:00:d1:00:0b", "10.1.1.10", "new");
    assert_eq!(content(&network, "dhcp-hosts"), "02:01:00:d1:00:0b,10.1.1.10,new\n");
}
