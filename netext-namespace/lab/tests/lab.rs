//! Tests of the lab itself.

use std::process::Command;
use std::time::{Duration, Instant};

use netext_lab::Lab;
use serde_json::json;

#[test]
fn guests_reach_each_other_over_their_bridge() {
    let lab = Lab::without_extension();
    let one = lab.plug("brnone-1910", &["10.1.1.10/24"]);
    let other = lab.plug("brnone-1910", &["10.1.1.11/24"]);
    let web = other.listen_tcp(80);
    let _names = other.listen_udp(53);

    one.pings("10.1.1.11");
    one.asks_the_time_of("10.1.1.11");
    one.connects_to("10.1.1.11:80").seen_as("10.1.1.10").answered_by("10.1.1.11");
    one.exchanges_udp_with("10.1.1.11:53").seen_as("10.1.1.10");
    assert_eq!(web.seen(), ["10.1.1.10"]);
}

#[test]
fn guests_reach_each_other_by_ipv6() {
    let lab = Lab::without_extension();
    let one = lab.plug("brnone-1910", &["10.1.1.10/24", "2001:db8:1::10/64"]);
    let other = lab.plug("brnone-1910", &["2001:db8:1::11/64"]);
    let _web = other.listen_tcp(80);
    one.pings("2001:db8:1::11");
    one.connects_to("[2001:db8:1::11]:80").seen_as("2001:db8:1::10");
}

#[test]
fn bridges_are_separate() {
    let lab = Lab::without_extension();
    let one = lab.plug("brnone-1910", &["10.1.1.10/24"]);
    let _other = lab.plug("brnone-1911", &["10.1.1.11/24"]);
    one.cannot_ping("10.1.1.11");
}

#[test]
fn the_public_segment_has_an_upstream_with_the_internet_behind_it() {
    let lab = Lab::without_extension();
    let neighbour = lab.neighbour("198.51.100.66");
    neighbour.routes("default", "198.51.100.1");
    let client = lab.client("203.0.113.5");
    let _web = client.listen_tcp(80);
    let _names = client.listen_udp(53);
    let _ssh = neighbour.listen_tcp(22);

    neighbour.pings("198.51.100.1");
    neighbour.connects_to("203.0.113.5:80").seen_as("198.51.100.66").answered_by("203.0.113.5");
    neighbour.exchanges_udp_with("203.0.113.5:53").seen_as("198.51.100.66");
    lab.client("203.0.113.77").connects_to("198.51.100.66:22").seen_as("203.0.113.77");
    lab.upstream().connects_to("198.51.100.66:22").seen_as("198.51.100.1");
}

#[test]
fn a_missing_reply_is_noticed_soon() {
    let lab = Lab::without_extension();
    let guest = lab.plug("brnone-1910", &["10.1.1.10/24"]);
    let silent = lab.plug("brnone-1910", &["10.1.1.11/24"]);
    silent.sandbox().ip("link set eth0 down\n");
    let begun = Instant::now();
    guest.cannot_connect_to("10.1.1.11:80");
    guest.gets_no_udp_from("10.1.1.11:53");
    guest.cannot_ping("10.1.1.11");
    assert!(begun.elapsed() < Duration::from_secs(2), "three failures took {:?}", begun.elapsed());
}

#[test]
fn a_conversation_notices_a_cut() {
    let lab = Lab::without_extension();
    let guest = lab.plug("brnone-1910", &["10.1.1.10/24"]);
    let server = lab.plug("brnone-1910", &["10.1.1.11/24"]);
    let (_web, _names) = (server.listen_tcp(80), server.listen_udp(53));
    let (mut tcp, mut udp) = (guest.talks_to("10.1.1.11:80"), guest.talks_udp_with("10.1.1.11:53"));
    tcp.goes_on();
    udp.goes_on();
    server.sandbox().ip("link set eth0 down\n");
    tcp.is_cut();
    udp.is_cut();
    server.sandbox().ip("link set eth0 up\n");
    tcp.goes_on();
    udp.goes_on();
}

#[test]
fn a_dropped_listener_stops_listening() {
    let lab = Lab::without_extension();
    let guest = lab.plug("brnone-1910", &["10.1.1.10/24"]);
    let server = lab.plug("brnone-1910", &["10.1.1.11/24"]);
    drop(server.listen_tcp(80));
    guest.cannot_connect_to("10.1.1.11:80");
    let again = server.listen_tcp(80);
    guest.connects_to("10.1.1.11:80");
    assert_eq!(again.seen().len(), 1);
}

#[test]
fn labs_do_not_see_each_other() {
    let labs: Vec<_> = (0..4).map(|_| Lab::without_extension()).collect();
    std::thread::scope(|scope| {
        for lab in &labs {
            scope.spawn(|| {
                let one = lab.plug("brnone-1910", &["10.1.1.10/24"]);
                let other = lab.plug("brnone-1910", &["10.1.1.11/24"]);
                let web = other.listen_tcp(80);
                for _ in 0..10 {
                    one.connects_to("10.1.1.11:80");
                }
                assert_eq!(web.seen().len(), 10);
            });
        }
    });
}

#[test]
fn a_lab_leaves_nothing_behind() {
    let before = outside();
    let lab = Lab::without_extension();
    let guest = lab.plug("brnone-1910", &["10.1.1.10/24"]);
    lab.host().ip("netns add cs-net-209\n");
    assert!(lab.has_namespace("cs-net-209"));
    let spawned = [lab.host().clone(), guest.sandbox().clone(), lab.inside("cs-net-209").sandbox().clone()]
        .map(|place| place.run(|| Command::new("sleep").arg("600").spawn()).expect("sleep runs"));
    assert_eq!(lab.processes().len(), 3);
    assert_eq!(outside(), before, "nothing is visible outside while the lab is up");
    drop((guest, lab));
    for mut process in spawned {
        assert!(!process.wait().expect("a child").success(), "the processes were ended");
    }
    assert_eq!(outside(), before);
}

#[test]
fn a_lab_ends_with_a_test_that_panics() {
    let inside = std::sync::Mutex::new(None);
    let panicked = std::thread::scope(|scope| {
        let test = scope.spawn(|| {
            let lab = Lab::without_extension();
            let sleep = lab.host().run(|| Command::new("sleep").arg("600").spawn()).expect("sleep runs");
            inside.lock().expect("no panic while held").replace(sleep);
            lab.upstream().connects_to("198.51.100.99:80");
        });
        test.join().is_err()
    });
    assert!(panicked);
    let mut sleep = inside.lock().expect("no panic while held").take().expect("sleep ran");
    assert!(!sleep.wait().expect("a child").success(), "the process was ended");
}

/// A lab whose extension is a shell script.
fn with_script(script: &str) -> Lab {
    let number = script.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let path = std::env::temp_dir().join(format!("netext-lab-{}-{number}.sh", std::process::id()));
    // Another process writes it: a file that this process holds open while a thread forks cannot be executed.
    let write = Command::new("sh")
        .args(["-c", "printf '#!/bin/sh\n%s\n' \"$1\" > \"$0\" && chmod 755 \"$0\""])
        .args([path.as_os_str(), script.as_ref()])
        .status();
    assert!(write.expect("a shell").success());
    let lab = Lab::boot(path.to_str().expect("a plain path"));
    std::fs::remove_file(path).expect("the lab does not need the name of the script");
    lab
}

#[test]
fn the_extension_is_called_like_by_the_server() {
    let lab = with_script(r#"echo "$1 $3 $NETEXT_ROLE"; cat "$2"; echo oops >&2; exit 3"#);
    let outcome = lab.run("assign-ip", &json!({"payload": {"cidr": "a<b>&c='d'"}}));
    assert_eq!(outcome.code, Some(3));
    let expected = r#"assign-ip 60 host
{"payload":{"cidr":"a\u003cb\u003e\u0026c\u003d\u0027d\u0027"}}oops
"#;
    assert_eq!(outcome.output, expected);
}

#[test]
fn the_details_that_the_extension_prints_are_sent_back() {
    let lab = with_script(
        r#"case $1 in ensure-network-device) echo '{"host":"here","namespace":"cs-net-209"}';; *) cat "$2";; esac"#,
    );
    let network = lab.network(209);
    let outcome = network.command("custom-action", &json!({"public_ip": "198.51.100.10"}));
    let written: serde_json::Value = serde_json::from_str(&outcome.output).expect("the payload");
    assert_eq!(written["network-extension-details"], json!({"host": "here", "namespace": "cs-net-209"}));
    assert_eq!(written["payload"]["network_id"], "209");
    assert_eq!(written["payload"]["public_ip"], "198.51.100.10");
    assert_eq!(written["physical-network-extension-details"]["guest.network.device"], "none");
}

#[test]
fn a_process_that_holds_the_output_is_named() {
    let lab = with_script("sleep 300 & exit 0");
    let running = lab.start("implement-network", &json!({}));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| running.finish()));
    let panic = panic.expect_err("the server would hang");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("held by") && message.contains("sleep 300"), "{message}");
}

/// The interfaces and named namespaces of the machine, which a lab could leave behind.
fn outside() -> (Vec<String>, Vec<String>) {
    let names = |folder: &str| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    (names("/sys/class/net"), names("/run/netns"))
}
