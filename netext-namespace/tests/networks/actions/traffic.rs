//! Actions that show a router's traffic: counters, connections, captures.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use netext_lab::{Firewall, Forward, Network, Node, SourceNat, lab};
use serde_json::{Value, json};

fn number(row: &Value, column: &str) -> u64 {
    row[column].as_u64().unwrap_or_else(|| panic!("no {column} in {row}"))
}

/// Packets and bytes of an address in a direction.
fn counted(network: &Network<'_>, address: &str, direction: &str) -> (u64, u64) {
    let table = network.acts("traffic-stats", &json!({}));
    let rows = table.as_array().expect("a table");
    let row = rows.iter().find(|row| row["address"] == address && row["direction"] == direction);
    let row = row.unwrap_or_else(|| panic!("no {address} {direction} in {table}"));
    (number(row, "packets"), number(row, "bytes"))
}

#[test]
fn traffic_is_counted_by_public_address_and_direction() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network.add_static_nat("198.51.100.11", "10.1.1.11");
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let client = lab.client("203.0.113.5");
    let _servers = (client.listen_tcp(80), client.listen_udp(53), other.listen_tcp(22));
    for address in ["198.51.100.10", "198.51.100.11"] {
        for direction in ["in", "out"] {
            assert_eq!(counted(&network, address, direction), (0, 0), "{address} {direction}");
        }
    }

    one.exchanges_udp_with("203.0.113.5:53");
    let (sent, received) =
        (counted(&network, "198.51.100.10", "out"), counted(&network, "198.51.100.10", "in"));
    // The guest repeats the datagram until it is answered.
    let question = 20 + 8 + "anyone there?".len() as u64;
    assert!(sent.0 > 0 && sent.1 == sent.0 * question, "{sent:?}");
    assert!(received.0 > 0 && received.0 <= sent.0 && received.1 > received.0 * 28, "{received:?}");

    client.connects_to("198.51.100.11:22").answered_by("10.1.1.11");
    assert!(
        counted(&network, "198.51.100.11", "in").0 >= 4 && counted(&network, "198.51.100.11", "out").0 >= 3
    );
    assert_eq!(counted(&network, "198.51.100.10", "out"), sent, "the other address's count is its own");
}

#[test]
fn counts_outlive_changes_of_rules_and_end_with_the_address() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    let guest = network.guest("10.1.1.10");
    let _dns = lab.client("203.0.113.5").listen_udp(53);
    guest.exchanges_udp_with("203.0.113.5:53");
    let before = counted(&network, "198.51.100.10", "out");
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network.apply_firewall(&Firewall::egress_allowed().open("198.51.100.10"));
    network.assign_ip("198.51.100.12", SourceNat::No).implement();
    assert_eq!(counted(&network, "198.51.100.10", "out"), before);
    network.release_ip("198.51.100.10").assign_ip("198.51.100.10", SourceNat::Yes);
    assert_eq!(counted(&network, "198.51.100.10", "out"), (0, 0));
}

#[test]
fn connections_are_listed_with_both_of_their_ends() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    let (guest, client) = (network.guest("10.1.1.10"), lab.client("203.0.113.5"));
    let _servers = (guest.listen_tcp(22), client.listen_udp(53));
    let mut flow = client.talks_to("198.51.100.10:2222");
    guest.exchanges_udp_with("203.0.113.5:53");

    let listed =
        |filter: Value| network.acts("list-connections", &filter).as_array().expect("a table").clone();
    let tcp = listed(json!({"protocol": "tcp"}));
    assert_eq!(tcp.len(), 1, "{tcp:?}");
    for (column, value) in [
        ("protocol", json!("tcp")),
        ("state", json!("established")),
        ("answered", json!(true)),
        ("source", json!("203.0.113.5")),
        ("destination", json!("198.51.100.10")),
        ("destination-port", json!(2222)),
        ("reply-source", json!("10.1.1.10")),
        ("reply-source-port", json!(22)),
        ("reply-destination", json!("203.0.113.5")),
    ] {
        assert_eq!(tcp[0][column], value, "{column} of {}", tcp[0]);
    }
    assert!(number(&tcp[0], "timeout") > 0);
    let udp = listed(json!({"address": "203.0.113.5", "port": "53"}));
    assert!(udp.len() == 1 && udp[0]["reply-destination"] == "198.51.100.10", "{udp:?}");
    assert!(listed(json!({"address": "192.0.2.1"})).is_empty());
    let cut_off = listed(json!({"limit": "1"}));
    assert!(
        cut_off.len() == 2 && cut_off[1]["note"].as_str().is_some_and(|note| note.contains("1 of")),
        "{cut_off:?}"
    );
    flow.goes_on();
}

/// The frames of a capture: the captured part of each, and its full length.
fn frames(message: &Value) -> Vec<(Vec<u8>, usize)> {
    let file = STANDARD.decode(message.as_str().expect("a text")).expect("base64");
    let number = |at: usize| u32::from_ne_bytes(file[at..at + 4].try_into().expect("four bytes")) as usize;
    assert_eq!((number(0), number(20)), (0xa1b2_c3d4, 1), "a pcap file of Ethernet frames");
    let (mut frames, mut at) = (Vec::new(), 24);
    while at < file.len() {
        let (kept, length) = (number(at + 8), number(at + 12));
        frames.push((file[at + 16..at + 16 + kept].to_vec(), length));
        at += 16 + kept;
    }
    frames
}

/// Captures while the guest repeatedly sends a datagram to each of some ports.
fn captured(network: &Network<'_>, guest: &Node, ports: &[u16], parameters: &Value) -> Value {
    std::thread::scope(|scope| {
        let capturing = scope.spawn(|| network.acts("capture", parameters));
        while !capturing.is_finished() {
            for port in ports {
                guest.exchanges_udp_with(&format!("203.0.113.5:{port}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        capturing.join().expect("the capture")
    })
}

#[test]
fn a_capture_has_the_packets_of_either_side() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    let (guest, client) = (network.guest("10.1.1.10"), lab.client("203.0.113.5"));
    let _servers = (client.listen_udp(53), client.listen_udp(123));
    let contains = |frame: &[u8], octets: [u8; 4]| frame.windows(4).any(|window| window == octets);

    let parameters = json!({"interface": "guest", "packets": "4", "port": "53", "seconds": "20"});
    let inside = frames(&captured(&network, &guest, &[53, 123], &parameters));
    assert_eq!(inside.len(), 4, "it ends with the last packet");
    for (frame, length) in &inside {
        assert!(contains(frame, [10, 1, 1, 10]) && frame.len() == *length, "{frame:?}");
        assert!(frame.windows(2).any(|window| window == [0, 53]), "{frame:?}");
    }
    let parameters = json!({"interface": "public", "packets": "2", "host": "203.0.113.5", "protocol": "udp", "seconds": "20"});
    let outside = frames(&captured(&network, &guest, &[53], &parameters));
    assert!(outside.iter().all(|(frame, _)| contains(frame, [198, 51, 100, 10])), "translated already");
    assert!(!outside.iter().any(|(frame, _)| contains(frame, [10, 1, 1, 10])));
}

#[test]
fn a_capture_ends_in_time_and_delays_nothing() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    std::thread::scope(|scope| {
        let capturing = scope.spawn(|| {
            network
                .action("capture", &json!({"interface": "vn-1910-209", "seconds": "3", "host": "192.0.2.1"}))
        });
        std::thread::sleep(Duration::from_millis(500));
        let other = network.command("assign-ip", &network.public_fields("198.51.100.10", SourceNat::Yes));
        other.succeeds_silently();
        assert!(other.duration < Duration::from_secs(2), "it waited for the capture: {:?}", other.duration);
        let outcome = capturing.join().expect("the capture");
        assert!(frames(&outcome.message()).is_empty());
        assert!((3.0..5.0).contains(&outcome.duration.as_secs_f64()), "{:?}", outcome.duration);
    });
}

#[test]
fn invalid_captures_are_refused() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    for (parameters, name) in [
        (json!({}), "interface"),
        (json!({"interface": "../x"}), "interface"),
        (json!({"interface": "guest; reboot"}), "interface"),
        (json!({"interface": "public"}), "interface"),
        (json!({"interface": "guest", "seconds": "0"}), "seconds"),
        (json!({"interface": "guest", "seconds": "60"}), "seconds"),
        (json!({"interface": "guest", "packets": "1001"}), "packets"),
        (json!({"interface": "guest", "packets": "-1"}), "packets"),
        (json!({"interface": "guest", "host": "everyone"}), "host"),
        (json!({"interface": "guest", "port": "70000"}), "port"),
        (json!({"interface": "guest", "protocol": "pigeon"}), "protocol"),
    ] {
        network.action("capture", &parameters).is_refused_naming(&["capture", name]);
    }
    let absent = network.action("capture", &json!({"interface": "wg0"}));
    absent.fails_with(3);
    assert!(absent.output.contains("vn-1910-209"), "the error names the interfaces: {}", absent.output);
    network.action("list-connections", &json!({"limit": "0"})).is_refused_naming(&["limit"]);
}

#[test]
fn the_traffic_of_a_vpc_is_shown_by_tier() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.20");
    let (web, database) = (vpc.tier(1), vpc.tier(2));
    web.implement();
    database.implement();
    let guest = database.guest("10.2.2.10");
    let _dns = lab.client("203.0.113.5").listen_udp(53);
    guest.exchanges_udp_with("203.0.113.5:53");
    assert!(counted(&database, "198.51.100.20", "out").0 > 0);
    let listed = vpc.acts("list-connections", &json!({"address": "10.2.2.10"}));
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    vpc.action("capture", &json!({"interface": "guest"})).is_refused_naming(&[
        "interface",
        "vn-2001-7",
        "vn-2002-7",
    ]);
    let parameters = json!({"interface": "guest", "packets": "1", "protocol": "udp", "seconds": "20"});
    assert_eq!(frames(&captured(&database, &guest, &[53], &parameters)).len(), 1);
}
