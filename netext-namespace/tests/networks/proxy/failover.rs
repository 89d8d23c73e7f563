//! Failover: hosts that are lost, hosts that take over, and hosts that return.

use std::thread;
use std::time::{Duration, Instant};

use netext_lab::{
    AccessList, FIRST_HOST, Firewall, Forward, KvmHost, Lab, Network, Node, Rule, SourceNat, fleet, joined,
    resolvers,
};
use serde_json::json;

use super::{SECOND_HOST, THIRD_HOST, ensure, host_of, network_on};

/// Two hosts. Tests remove the second one, because the first one connects the segments.
fn two_hosts(lab: &Lab) -> KvmHost {
    let second = lab.join(SECOND_HOST);
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    second
}

/// Deploys an instance with every service.
fn deploy(network: &Network<'_>) {
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes).assign_ip("198.51.100.11", SourceNat::No);
    network.apply_firewall(&Firewall::egress_allowed().open("198.51.100.10").open("198.51.100.11"));
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network.add_static_nat("198.51.100.11", "10.1.1.10");
    network.prepare_nic("10.1.1.10");
    let nic = network.nic_fields("10.1.1.10");
    let served = joined(&nic, &resolvers());
    for command in ["config-dhcp-subnet", "add-dhcp-entry", "config-dns-subnet", "add-dns-entry"] {
        network.command(command, &served).succeeds_silently();
    }
    let vm_data = json!({"vm_data": [{"dir": "userdata", "file": "user_data", "content": "#cloud-config"}]});
    network.command("save-vm-data", &joined(&nic, &vm_data)).succeeds_silently();
    network.command("save-password", &joined(&nic, &json!({"password": "pa55"}))).succeeds_silently();
}

/// Asserts that everything that was deployed works, and that the password still exists.
#[track_caller]
fn works(lab: &Lab, guest: &Node) {
    let client = lab.client("203.0.113.5");
    let (_ssh, _web) = (guest.listen_tcp(22), client.listen_tcp(80));
    client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
    client.connects_to("198.51.100.11:22").answered_by("10.1.1.10");
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.11");
    assert_eq!(guest.digs("10.1.1.1", "web-10"), "10.1.1.10");
    assert_eq!(guest.curls("10.1.1.1", "user-data"), "#cloud-config");
    assert_eq!(guest.asks_password_server("10.1.1.1", "send_my_password"), "pa55");
}

/// Two hosts, a network on the second one with every service, and a guest.
fn deployed(lab: &Lab) -> (KvmHost, Network<'_>, Node) {
    let second = two_hosts(lab);
    let network = network_on(lab, SECOND_HOST, 300);
    deploy(&network);
    let guest = network.guest("10.1.1.10");
    (second, network, guest)
}

/// The same after the second host was lost: the first one serves the network, with a port forward that the second one
/// does not know in place of one that it knows.
fn moved_and_changed(lab: &Lab) -> (KvmHost, Network<'_>, Node) {
    let (second, network, guest) = deployed(lab);
    second.loses_power();
    moves_to(lab, &network, FIRST_HOST);
    network.delete_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network.add_port_forward(&Forward::tcp("198.51.100.10:2223", "10.1.1.10:22"));
    (second, network, guest)
}

/// Asserts that the network is served with that change.
#[track_caller]
fn works_as_changed(lab: &Lab, guest: &Node) {
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.10:2223");
    client.cannot_connect_to("198.51.100.10:2222");
}

/// Sends the server's next `ensure-network-device`, with the time that it has there.
#[track_caller]
fn moves_to(lab: &Lab, network: &Network<'_>, host: &str) {
    let outcome = ensure(lab, network, 20);
    outcome.succeeds();
    network.keep_details(&outcome);
    assert_eq!(host_of(network), host);
}

#[track_caller]
fn await_step_down(host: &KvmHost, namespace: &str) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while host.has_namespace(namespace) {
        assert!(Instant::now() < deadline, "{} still serves {namespace}", host.address());
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_network_moves_to_another_host_with_everything_in_force() {
    let lab = fleet!();
    let (second, network, guest) = deployed(&lab);
    assert!(second.has_namespace(&network.namespace()) && !lab.has_namespace(&network.namespace()));
    works(&lab, &guest);

    second.loses_power();
    moves_to(&lab, &network, FIRST_HOST);
    works(&lab, &guest);
    // And it can be changed.
    network.delete_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    let _ssh = guest.listen_tcp(22);
    lab.client("203.0.113.5").cannot_connect_to("198.51.100.10:2222");
}

#[test]
fn a_host_that_was_cut_off_steps_down_when_it_is_reached_again() {
    let lab = fleet!();
    let second = two_hosts(&lab);
    let network = network_on(&lab, SECOND_HOST, 300);
    let other = network_on(&lab, SECOND_HOST, 400).on_vlan("1911");
    deploy(&network);
    other.implement();
    let guest = network.guest("10.1.1.10");

    second.is_cut_off();
    moves_to(&lab, &network, FIRST_HOST);
    second.is_reached_again();
    // Any command for that host makes it step down, even one for another network.
    ensure(&lab, &other, 60).succeeds();
    await_step_down(&second, &network.namespace());
    works(&lab, &guest);
    let status = second.runs("status");
    assert!(status.contains("another host serves it since epoch 2"), "{status}");
    assert!(second.has_namespace(&other.namespace()), "it still serves its own network");
    // The systemd unit does not bring it back.
    second.boots();
    assert!(!second.has_namespace(&network.namespace()));
    works(&lab, &guest);
}

#[test]
fn a_rebooted_host_does_not_use_addresses_that_another_host_answers_for() {
    let lab = fleet!();
    let (second, network, guest) = deployed(&lab);
    second.loses_power();
    moves_to(&lab, &network, FIRST_HOST);

    // No command has reached it yet.
    let told = second.boots();
    assert!(told.contains("another host serves it"), "{told}");
    assert!(!second.has_namespace(&network.namespace()));
    works(&lab, &guest);
    let status = second.runs("status");
    assert!(status.contains("has fenced it"), "{status}");
}

#[test]
fn of_two_hosts_that_boot_at_the_same_time_the_last_one_that_served_serves() {
    let lab = fleet!();
    let (second, network, guest) = moved_and_changed(&lab);

    // Both hosts are off. The second one does not know that it was superseded.
    let first = lab.first_host();
    first.loses_power();
    lab.client("203.0.113.5").cannot_connect_to("198.51.100.10:2223");
    thread::scope(|scope| {
        scope.spawn(|| second.boots());
        scope.spawn(|| first.boots());
    });
    assert!(first.has_namespace(&network.namespace()), "{}", first.runs("status"));
    assert!(!second.has_namespace(&network.namespace()));
    works_as_changed(&lab, &guest);
}

#[test]
fn a_superseded_host_that_boots_first_steps_down_at_the_next_command() {
    let lab = fleet!();
    let (second, network, guest) = moved_and_changed(&lab);

    let first = lab.first_host();
    first.loses_power();
    lab.client("203.0.113.5").cannot_connect_to("198.51.100.10:2223");
    second.boots();
    assert!(second.has_namespace(&network.namespace()), "{}", second.runs("status"));
    // A host that answers for the addresses may have superseded it.
    assert!(first.boots().contains("another host serves it"));
    for host in [&second, first] {
        host.is_reached_again();
        host.gets_sshd();
    }
    lab.forget_failures();
    moves_to(&lab, &network, FIRST_HOST);
    await_step_down(&second, &network.namespace());
    works_as_changed(&lab, &guest);
}

#[test]
fn a_rebooted_host_that_was_not_superseded_serves_again() {
    let lab = fleet!();
    let (second, network, guest) = deployed(&lab);
    second.loses_power();
    second.boots();
    assert!(second.has_namespace(&network.namespace()));
    works(&lab, &guest);
}

#[test]
fn a_network_moves_to_another_host_and_back() {
    let lab = fleet!();
    let (second, network, guest) = deployed(&lab);
    second.is_cut_off();
    moves_to(&lab, &network, FIRST_HOST);
    second.is_reached_again();
    lab.forget_failures();
    // The host that returned is the standby from now on.
    network.add_port_forward(&Forward::tcp("198.51.100.10:2223", "10.1.1.10:22"));
    await_step_down(&second, &network.namespace());
    lab.first_host().loses_power();
    moves_to(&lab, &network, SECOND_HOST);
    assert_eq!(network.details()["epoch"], 3);
    works(&lab, &guest);
    let _ssh = guest.listen_tcp(22);
    lab.client("203.0.113.5").connects_to("198.51.100.10:2223").answered_by("10.1.1.10");
}

#[test]
fn a_host_that_is_no_longer_registered_hands_its_networks_over() {
    let lab = fleet!();
    let second = two_hosts(&lab);
    lab.register("standby", "none");
    let network = network_on(&lab, SECOND_HOST, 300);
    deploy(&network);
    let guest = network.guest("10.1.1.10");
    lab.register("hosts", FIRST_HOST);
    moves_to(&lab, &network, FIRST_HOST);
    await_step_down(&second, &network.namespace());
    works(&lab, &guest);
}

#[test]
fn a_late_command_changes_nothing_on_the_former_host() {
    let lab = fleet!();
    let second = two_hosts(&lab);
    let network = network_on(&lab, SECOND_HOST, 300);
    deploy(&network);
    let fields = network.forward_fields(&Forward::tcp("198.51.100.10:2223", "10.1.1.10:22"));
    let document = network.document(&fields);
    lab.register("hosts", FIRST_HOST);
    moves_to(&lab, &network, FIRST_HOST);
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    // A server that does not know of the move, such as a second one, sends it to the former host.
    lab.forget_everything();
    let outcome = lab.run("add-port-forward", &document);
    outcome.fails_with(3);
    assert!(outcome.output.contains("served by another host since epoch 2"), "{outcome:?}");
    assert!(!second.has_namespace(&network.namespace()));
    // Its next ensure finds the network.
    let current = json!({"current_details": document["network-extension-details"].to_string()});
    let ensured = lab.run("ensure-network-device", &network.document(&current));
    assert!(ensured.succeeds().output.contains(FIRST_HOST), "{ensured:?}");
}

#[test]
fn a_server_that_missed_a_move_learns_of_it_with_its_first_command() {
    let lab = fleet!();
    let (second, network, guest) = deployed(&lab);
    let fields = network.forward_fields(&Forward::tcp("198.51.100.10:2223", "10.1.1.10:22"));
    let document = network.document(&fields);
    second.is_cut_off();
    moves_to(&lab, &network, FIRST_HOST);
    second.is_reached_again();
    // Another server has the old details, and no memory of the move. The host does not know of it, either.
    lab.forget_everything();
    let outcome = lab.run("add-port-forward", &document);
    outcome.fails_with(3);
    assert!(outcome.output.contains("by another host since epoch 2; repeat"), "{outcome:?}");
    await_step_down(&second, &network.namespace());
    // The server ensures and repeats.
    let current = json!({"current_details": document["network-extension-details"].to_string()});
    network.keep_details(&lab.run("ensure-network-device", &network.document(&current)));
    assert_eq!(host_of(&network), FIRST_HOST);
    network.command("add-port-forward", &fields).succeeds_silently();
    works(&lab, &guest);
}

#[test]
fn a_vpc_moves_to_another_host_with_all_of_its_tiers() {
    let lab = fleet!();
    let second = two_hosts(&lab);
    let (vpc, tier) = (1..50)
        .map(|id| (lab.vpc(id), lab.vpc(id).tier(1)))
        .find(|(_, tier)| {
            tier.ensure_device(&json!({})).succeeds();
            host_of(tier) == SECOND_HOST
        })
        .expect("one in fifty prefers the host");
    let other = vpc.tier(2);
    lab.trunk(&second, &tier.bridge());
    lab.trunk(&second, &other.bridge());
    vpc.implement_with("198.51.100.10");
    let access = AccessList::new().with(Rule::allow_in(10).tcp(22)).with(Rule::allow_out(20));
    for (tier, from, to) in
        [(&tier, "198.51.100.10:2221", "10.2.1.10:22"), (&other, "198.51.100.10:2222", "10.2.2.10:22")]
    {
        tier.implement().apply_access_list(&access).add_port_forward(&Forward::tcp(from, to));
    }
    assert!(second.has_namespace(&vpc.namespace()));
    let guests = [tier.guest("10.2.1.10"), other.guest("10.2.2.10")];
    let _servers = guests.each_ref().map(|guest| guest.listen_tcp(22));
    second.loses_power();
    moves_to(&lab, &tier, FIRST_HOST);
    other.ensure_device(&json!({})).succeeds();
    assert_eq!(other.details(), tier.details());
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.10:2221").answered_by("10.2.1.10");
    client.connects_to("198.51.100.10:2222").answered_by("10.2.2.10");
    guests[0].connects_to("10.2.2.10:22");
    client.cannot_connect_to("198.51.100.10:2223");
}

#[test]
fn a_standby_that_cannot_be_reached_fails_no_command_and_catches_up_later() {
    let lab = fleet!();
    let second = two_hosts(&lab);
    let network = network_on(&lab, SECOND_HOST, 300);
    network.implement();
    lab.first_host().loses_sshd();
    deploy(&network);
    assert!(lab.server_log().contains("lags behind"), "{}", lab.server_log());
    lab.first_host().gets_sshd();
    lab.forget_failures();
    // With the next command the standby knows everything.
    network.add_port_forward(&Forward::tcp("198.51.100.10:2223", "10.1.1.10:22"));
    let guest = network.guest("10.1.1.10");
    second.loses_power();
    moves_to(&lab, &network, FIRST_HOST);
    works(&lab, &guest);
}

#[test]
fn a_standby_that_lost_its_replica_gets_a_complete_one() {
    let lab = fleet!();
    let (second, network, guest) = deployed(&lab);
    let copies = format!("{}/copies", lab.state_folder());
    lab.host().run(|| std::fs::remove_dir_all(&copies)).expect("replicas to lose");
    network.add_port_forward(&Forward::tcp("198.51.100.10:2223", "10.1.1.10:22"));
    second.loses_power();
    moves_to(&lab, &network, FIRST_HOST);
    works(&lab, &guest);
}

#[test]
fn a_network_moves_again_when_the_second_host_is_lost_too() {
    let lab = fleet!();
    let (second, third) = (lab.join(SECOND_HOST), lab.join(THIRD_HOST));
    lab.register("hosts", &format!("{SECOND_HOST},{THIRD_HOST}"));
    let network = network_on(&lab, SECOND_HOST, 300);
    deploy(&network);
    let guest = network.guest("10.1.1.10");
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST},{THIRD_HOST}"));
    second.loses_power();
    moves_to(&lab, &network, THIRD_HOST);
    network.prepare_nic("10.1.1.10");
    third.loses_power();
    moves_to(&lab, &network, FIRST_HOST);
    works(&lab, &guest);
}

#[test]
fn without_a_standby_nothing_is_copied() {
    let lab = fleet!();
    let _second = two_hosts(&lab);
    lab.register("standby", "none");
    let network = network_on(&lab, SECOND_HOST, 300);
    deploy(&network);
    assert!(!lab.first_host().has_file(&format!("{}/copies", lab.state_folder())));
    lab.register("standby", "some");
    network.command("implement-network", &json!({})).is_refused_naming(&["details.standby"]);
}

#[test]
fn replicas_are_private_and_removed_with_the_network() {
    let lab = fleet!();
    let _second = two_hosts(&lab);
    let network = network_on(&lab, SECOND_HOST, 300);
    deploy(&network);
    let copy = format!("{}/copies/network-{}", lab.state_folder(), network.id());
    let files: Vec<_> = lab.files().into_iter().filter(|(path, ..)| path.starts_with(&copy)).collect();
    assert!(files.iter().any(|(path, ..)| path.ends_with("10.1.1.10.json")), "{files:?}");
    for (path, mode, _) in files {
        assert!([0o600, 0o700].contains(&mode), "{} has mode {mode:o}", path.display());
    }
    network.shutdown().destroy();
    assert!(!lab.first_host().has_file(&copy));
}
