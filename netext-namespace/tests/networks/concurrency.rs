//! Commands that run at the same time, for one network and for several, all take effect.

use netext_lab::{Firewall, Forward, SourceNat, as_gson_writes, lab};

#[test]
fn twenty_forwards_added_at_once_are_all_in_effect() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    let forwards: Vec<_> = (0..20)
        .map(|number| {
            Forward::tcp(&format!("198.51.100.10:{}", 3000 + number), &format!("10.1.1.10:{}", 4000 + number))
        })
        .collect();
    std::thread::scope(|scope| {
        for forward in &forwards {
            scope.spawn(|| network.add_port_forward(forward));
        }
    });
    let guest = network.guest("10.1.1.10");
    let listeners: Vec<_> = (0..20).map(|number| guest.listen_tcp(4000 + number)).collect();
    let client = lab.client("203.0.113.5");
    for number in 0..20 {
        client.connects_to(&format!("198.51.100.10:{}", 3000 + number));
    }
    assert!(listeners.iter().all(|listener| listener.seen().len() == 1));

    std::thread::scope(|scope| {
        for forward in &forwards[..10] {
            scope.spawn(|| network.delete_port_forward(forward));
        }
    });
    client.cannot_connect_to("198.51.100.10:3004");
    for number in 10..20 {
        client.connects_to(&format!("198.51.100.10:{}", 3000 + number));
    }
}

#[test]
fn different_commands_on_one_network_at_once_all_take_effect() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    std::thread::scope(|scope| {
        scope.spawn(|| network.assign_ip("198.51.100.10", SourceNat::Yes));
        scope.spawn(|| network.assign_ip("198.51.100.11", SourceNat::No));
        scope.spawn(|| network.add_static_nat("198.51.100.11", "10.1.1.11"));
        scope.spawn(|| network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22")));
        scope.spawn(|| {
            network.apply_firewall(&Firewall::egress_allowed().open("198.51.100.10").open("198.51.100.11"))
        });
        scope.spawn(|| network.prepare_nic("10.1.1.10"));
        scope.spawn(|| network.implement());
    });
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22));
    let client = lab.client("203.0.113.5");
    let _web = client.listen_tcp(80);
    client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
    client.connects_to("198.51.100.11:22").answered_by("10.1.1.11");
    one.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
    other.connects_to("203.0.113.5:80").seen_as("198.51.100.11");
}

#[test]
fn one_network_implemented_many_times_at_once_is_one_network() {
    let lab = lab!();
    let network = lab.network(209);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| network.implement().assign_ip("198.51.100.10", SourceNat::Yes));
        }
    });
    assert_eq!(network.router().interfaces(), ["vn-1910-209", "vpn-101-209"]);
    let guest = network.guest("10.1.1.10");
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
}

#[test]
fn many_networks_implemented_at_once_on_one_new_host_all_work() {
    let lab = lab!();
    let networks: Vec<_> =
        (0..6).map(|number| lab.network(300 + number).on_vlan(&(2000 + number).to_string())).collect();
    std::thread::scope(|scope| {
        for (number, network) in networks.iter().enumerate() {
            let address = format!("198.51.100.{}", 30 + number);
            scope.spawn(move || network.implement().assign_ip(&address, SourceNat::Yes));
        }
    });
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    for (number, network) in networks.iter().enumerate() {
        let guest = network.guest("10.1.1.10");
        guest.connects_to("203.0.113.5:80").seen_as(&format!("198.51.100.{}", 30 + number));
    }
    std::thread::scope(|scope| {
        for network in &networks {
            scope.spawn(|| network.shutdown().destroy());
        }
    });
    assert!(networks.iter().all(|network| !lab.has_namespace(&network.namespace())));
}

#[test]
fn networks_that_share_a_new_bridge_at_once_both_get_it() {
    let lab = lab!();
    let networks = [209, 210, 211, 212].map(|id| lab.network(id).on_public_vlan("vlan://102"));
    let vlans = ["1910", "1911", "1912", "1913"];
    let networks: Vec<_> =
        networks.into_iter().zip(vlans).map(|(network, vlan)| network.on_vlan(vlan)).collect();
    std::thread::scope(|scope| {
        for (number, network) in networks.iter().enumerate() {
            let address = format!("198.51.100.{}", 30 + number);
            scope.spawn(move || network.implement().assign_ip(&address, SourceNat::Yes));
        }
    });
    let upstream = lab.plug("brnone-102", &["198.51.100.1/24"]);
    let _web = upstream.listen_tcp(80);
    for (number, network) in networks.iter().enumerate() {
        let guest = network.guest("10.1.1.10");
        guest.connects_to("198.51.100.1:80").seen_as(&format!("198.51.100.{}", 30 + number));
    }
}

#[test]
fn a_locked_network_does_not_delay_another() {
    let lab = lab!();
    let (one, other) = (lab.network(209), lab.network(210).on_vlan("1911"));
    one.implement();
    let lock = one.hold_lock();
    other.implement().assign_ip("198.51.100.20", SourceNat::Yes);
    other.guest("10.1.1.10").pings("10.1.1.1");
    drop(lock);
    one.implement();
}

#[test]
fn a_command_that_waits_in_vain_names_the_lock() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    let _held = network.hold_lock();
    let payload = network.document(&network.nic_fields("10.1.1.10"));
    let outcome = lab.start_with("prepare-nic", &as_gson_writes(&payload), 1).finish();
    outcome.fails_with(4);
    let words = format!("network-209 is busy: another command holds {}/lock-network-209", lab.state_folder());
    for words in ["timed out after 1 s", &words] {
        assert!(outcome.output.contains(words), "{words} in {outcome:?}");
    }
}
