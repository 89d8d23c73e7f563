//! The replies of DHCP, DNS and router advertisements to the clients that guests use.

use std::collections::BTreeMap;
use std::fs;
use std::net::UdpSocket;
use std::thread;

use super::served::{self, Served, admit, ask, guest, lease, network, pid};
use crate::throwaway::{name, sh, try_sh};
use netext_namespace::compile::services::GuestServices;
use netext_namespace::daemons::{self, DaemonSearch};
use netext_namespace::drift::Pass;
use netext_namespace::kernel::namespace::Namespace;
use netext_namespace::model::{OptionValue, ServedRange};

const WEB: &str = "02:01:00:d1:00:0a";
const DB: &str = "02:01:00:d1:00:0b";

/// The network with `web` and `db` on it.
fn inhabited() -> GuestServices {
    let mut network = network();
    admit(&mut network, WEB, "10.1.1.10", "web");
    admit(&mut network, DB, "10.1.1.11", "db");
    network.records.insert("fd00:1::10".parse().unwrap(), "web".parse().unwrap());
    network
}

/// A resolver on the public side: it answers every question with 203.0.113.99.
fn upstream(address: &str) {
    sh(&format!("ip address add {address}/24 dev breth1-50; ip link set breth1-50 up"));
    let socket = UdpSocket::bind((address, 53)).unwrap();
    thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut question) {
            let mut answer = question[..length].to_vec();
            answer[2] = 0x81;
            answer[3] = 0x80;
            // The reply is the question, without the rest of the query, and one answer.
            let end = 12 + answer[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
            answer.truncate(end);
            answer[6..12].copy_from_slice(&[0, 1, 0, 0, 0, 0]);
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 203, 0, 113, 99]);
            let _ = socket.send_to(&answer, from);
        }
    });
}

/// A guest with an address of its own choice, for DNS queries.
fn asker() {
    guest("asker", "02:00:00:00:00:99");
    sh(
        "ip -n asker address add 10.1.1.99/24 dev eth0; ip -n asker -6 address add fd00:1::99/64 dev eth0 nodad",
    );
}

#[test]
fn udhcpc_gets_every_promised_option() {
    let router = Served::boot();
    router.serve(&inhabited());
    guest("web", WEB);
    let lease = lease("web", "");
    let get = |key: &str| lease.get(key).map(String::as_str);
    assert_eq!(get("ip"), Some("10.1.1.10"), "{lease:?}");
    assert_eq!(get("subnet"), Some("255.255.255.0"));
    assert_eq!(get("router"), Some("10.1.1.1"));
    assert_eq!(get("dns"), Some("10.1.1.1 192.0.2.53 192.0.2.54"));
    assert_eq!(get("domain"), Some("cs42.example"));
    assert_eq!(get("search"), Some("cs42.example"));
    assert_eq!(get("hostname"), Some("web"));
    assert_eq!(get("serverid"), Some("10.1.1.1"));
    assert_eq!(get("mtu"), None);
}

#[test]
fn an_unknown_guest_gets_no_lease() {
    let router = Served::boot();
    let mut network = inhabited();
    router.serve(&network);
    guest("stranger", "02:01:00:d1:00:0c");
    assert_eq!(lease("stranger", ""), BTreeMap::new());
    assert_eq!(lease("stranger", "-r 10.1.1.10"), BTreeMap::new());

    admit(&mut network, "02:01:00:d1:00:0c", "10.1.1.12", "newcomer");
    router.serve(&network);
    assert_eq!(lease("stranger", "")["ip"], "10.1.1.12");
}

#[test]
fn a_second_nic_gets_no_router_and_its_own_options_come_first() {
    let router = Served::boot();
    let mut network = inhabited();
    let nic = network.reservations.get_mut(&DB.parse().unwrap()).unwrap();
    nic.default_nic = false;
    for (number, value) in
        [(26, "1400"), (42, "10.1.1.3"), (15, "other.example"), (121, "10.9.0.0/16,10.1.1.9")]
    {
        nic.options.insert(number, OptionValue::parse(number, value).unwrap());
    }
    router.serve(&network);
    guest("db", DB);
    guest("web", WEB);
    let (second, first) = (lease("db", ""), lease("web", ""));
    let get = |key: &str| second.get(key).map(String::as_str);
    assert_eq!(get("ip"), Some("10.1.1.11"));
    assert_eq!(get("router"), None, "{second:?}");
    assert_eq!(get("mtu"), Some("1400"));
    assert_eq!(get("ntpsrv"), Some("10.1.1.3"));
    assert_eq!(get("domain"), Some("other.example"));
    assert_eq!(get("staticroutes"), Some("10.9.0.0/16 10.1.1.9"));
    assert_eq!(get("hostname"), Some("db"));
    assert_eq!((first["router"].as_str(), first["domain"].as_str()), ("10.1.1.1", "cs42.example"));
    assert_eq!(first.get("ntpsrv"), None);
}

#[test]
fn every_option_arrives_as_the_right_bytes() {
    let router = Served::boot();
    let mut network = inhabited();
    let nic = network.reservations.get_mut(&WEB.parse().unwrap()).unwrap();
    for (number, value) in
        [(23, "64"), (62, "a, \"b\"#"), (114, "https://x/?a,b"), (224, "ff"), (225, "00:10")]
    {
        nic.options.insert(number, OptionValue::parse(number, value).unwrap());
    }
    router.serve(&network);
    guest("web", WEB);
    let lease = lease("web", "-O 23 -O 62 -O 114 -O 224 -O 225");
    let hexadecimal =
        |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(lease["ipttl"], "64", "{lease:?}");
    assert_eq!(lease["opt62"], hexadecimal("a, \"b\"#"));
    assert_eq!(lease["opt114"], hexadecimal("https://x/?a,b"));
    assert_eq!((lease["opt224"].as_str(), lease["opt225"].as_str()), ("ff", "0010"));
}

#[test]
fn dhclient_and_dhcpcd_get_their_addresses() {
    let router = Served::boot();
    router.serve(&inhabited());
    guest("web", WEB);
    guest("db", DB);
    // A background process of a client must not hold the pipe that `sh` reads.
    sh(
        "ip netns exec web timeout 15 dhclient -1 -d -sf /bin/true -lf /mnt/web.leases -pf /mnt/web.pid eth0 \
        >/mnt/dhclient 2>&1 & \
        until grep -q '^}' /mnt/web.leases 2>/dev/null; do sleep 0.05; done; kill $(cat /mnt/web.pid)",
    );
    let leases = fs::read_to_string("/mnt/web.leases").unwrap();
    for line in [
        "fixed-address 10.1.1.10;",
        "option routers 10.1.1.1;",
        "option domain-name-servers 10.1.1.1,192.0.2.53,192.0.2.54;",
        "option host-name \"web\";",
        "option domain-name \"cs42.example\";",
    ] {
        assert!(leases.contains(line), "{line} is not in {leases}");
    }
    fs::write("/mnt/hook", "#!/bin/sh\nenv >/mnt/db.$reason\n").unwrap();
    // Without the leases of other tests.
    sh("chmod 755 /mnt/hook; mkdir -p /var/lib/dhcpcd /run/dhcpcd; \
        mount -t tmpfs dhcpcd /var/lib/dhcpcd && mount -t tmpfs dhcpcd /run/dhcpcd; \
        ip netns exec db timeout 15 dhcpcd -4 -1 -B -t 10 --noarp -f /dev/null -c /mnt/hook eth0 >/mnt/dhcpcd 2>&1");
    let bound = fs::read_to_string("/mnt/db.BOUND").unwrap();
    for line in ["new_ip_address=10.1.1.11", "new_routers=10.1.1.1", "new_dhcp_lease_time=4294967295"] {
        assert!(bound.lines().any(|bound| bound == line), "{line} is not in {bound}");
    }
}

#[test]
fn names_resolve_short_long_in_reverse_and_by_ipv6() {
    let router = Served::boot();
    router.serve(&inhabited());
    asker();
    for server in ["@10.1.1.1", "@fd00:1::1", "+tcp @10.1.1.1"] {
        assert_eq!(ask("asker", &format!("{server} web")), "10.1.1.10");
        assert_eq!(ask("asker", &format!("{server} web.cs42.example")), "10.1.1.10");
        assert_eq!(ask("asker", &format!("{server} -x 10.1.1.10")), "web.cs42.example.");
        assert_eq!(ask("asker", &format!("{server} AAAA web")), "fd00:1::10");
        assert_eq!(ask("asker", &format!("{server} AAAA web.cs42.example")), "fd00:1::10");
        assert_eq!(ask("asker", &format!("{server} -x fd00:1::10")), "web.cs42.example.");
        assert_eq!(ask("asker", &format!("{server} data-server")), "10.1.1.1");
        assert_eq!(ask("asker", &format!("{server} data-server.cs42.example")), "10.1.1.1");
    }
}

#[test]
fn queries_for_other_domains_are_forwarded_and_those_for_ours_are_not() {
    let router = Served::boot();
    upstream("203.0.113.1");
    let mut network = inhabited();
    network.resolvers = vec!["203.0.113.1".parse().unwrap()];
    router.serve(&network);
    asker();
    assert_eq!(ask("asker", "@10.1.1.1 www.example.com"), "203.0.113.99");
    for ours in ["nobody", "nobody.cs42.example", "-x 10.1.1.77"] {
        let answer = sh(&format!("ip netns exec asker dig +time=1 @10.1.1.1 {ours}"));
        assert!(answer.contains("NXDOMAIN"), "{answer}");
    }
}

#[test]
fn switching_names_on_and_off_takes_effect_at_once() {
    let router = Served::boot();
    let mut network = inhabited();
    network.dns = false;
    router.serve(&network);
    asker();
    let refused = |question: &str| !try_sh(&format!("ip netns exec asker dig +time=1 +tries=1 {question}")).0;
    assert!(refused("+tcp @10.1.1.1 web"));
    network.dns = true;
    router.serve(&network);
    assert_eq!(ask("asker", "@10.1.1.1 web"), "10.1.1.10");
    network.dns = false;
    router.serve(&network);
    assert!(refused("+tcp @10.1.1.1 web"));
    guest("web", WEB);
    assert_eq!(lease("web", "")["dns"], "192.0.2.53 192.0.2.54");
}

#[test]
fn one_more_entry_is_a_reload_and_no_query_is_lost() {
    let router = Served::boot();
    let mut network = inhabited();
    router.serve(&network);
    asker();
    guest("web", WEB);
    assert_eq!(lease("web", "")["ip"], "10.1.1.10");
    let (dnsmasq, radvd) = (pid("dnsmasq"), pid("radvd"));
    let script = (0..150).map(|_| "@10.1.1.1 web").collect::<Vec<_>>().join(" ");
    let in_asker = Namespace::open(&"asker".parse().unwrap()).unwrap().unwrap();
    let answers = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let ask = || {
                let arguments = script.split(' ');
                let mut dig = std::process::Command::new("dig");
                dig.args(["+short", "+time=2", "+tries=1"]).args(arguments).output().unwrap()
            };
            in_asker.enter(ask).unwrap()
        });
        for number in 20..60 {
            let mac = format!("02:01:00:d1:00:{number}");
            admit(&mut network, &mac, &format!("10.1.1.{number}"), &format!("vm-{number}"));
            router.serve(&network);
        }
        asking.join().unwrap()
    });
    let answers = String::from_utf8(answers.stdout).unwrap();
    assert_eq!(answers.lines().filter(|line| *line == "10.1.1.10").count(), 150, "{answers}");
    assert_eq!((pid("dnsmasq"), pid("radvd")), (dnsmasq, radvd));
    assert_eq!(ask("asker", "@10.1.1.1 vm-59"), "10.1.1.59");
    guest("late", "02:01:00:d1:00:59");
    assert_eq!(lease("late", "")["ip"], "10.1.1.59");
}

#[test]
fn an_address_goes_to_its_next_owner_although_its_lease_never_ends() {
    let router = Served::boot();
    let mut network = inhabited();
    router.serve(&network);
    guest("old", WEB);
    assert_eq!(lease("old", "")["ip"], "10.1.1.10");

    network.reservations.remove(&WEB.parse().unwrap());
    network.records.remove(&"10.1.1.10".parse().unwrap());
    router.serve(&network);
    assert_eq!(lease("old", ""), BTreeMap::new());
    admit(&mut network, "02:01:00:d1:00:0d", "10.1.1.10", "next");
    router.serve(&network);
    guest("next", "02:01:00:d1:00:0d");
    assert_eq!(lease("next", "")["ip"], "10.1.1.10");
}

#[test]
fn advertisements_carry_the_prefix_and_the_resolvers() {
    let router = Served::boot();
    let mut network = inhabited();
    router.serve(&network);
    guest("web", WEB);
    let seen = sh("ip netns exec web rdisc6 -1 eth0");
    for line in ["Prefix                   : fd00:1::/64", "Autonomous address conf.:          Yes"] {
        assert!(seen.contains(line), "{seen}");
    }
    for line in [": fd00:1::1\n", ": 2001:db8::53", "cs42.example"] {
        assert!(seen.contains(line), "{seen}");
    }
    sh("until ip -n web -6 address show dev eth0 | grep -q 'fd00:1::1:ff:fed1:a/64'; do sleep 0.02; done");

    let before = pid("radvd");
    network.dns6 = vec!["2001:db8::54".parse().unwrap()];
    router.serve(&network);
    sh("until ip netns exec web rdisc6 -1 eth0 | grep -q 2001:db8::54; do :; done");
    assert_eq!(pid("radvd"), before);
}

#[test]
fn tiers_of_one_router_are_served_side_by_side() {
    let router = Served::boot();
    sh("ip link add br-tier2 type bridge; ip link set br-tier2 up; \
        ip link add vh-2 type veth peer name vn-101-42 netns cs-net-42; ip link set vh-2 master br-tier2 up; \
        ip -n cs-net-42 address add 10.1.2.1/24 dev vn-101-42; ip -n cs-net-42 link set vn-101-42 up");
    let mut second = network();
    second.network = netext_protocol::NetworkId::new(43);
    second.interface = name("vn-101-42");
    let address = "10.1.2.1".parse().unwrap();
    second.ranges =
        vec![ServedRange { subnet: "10.1.2.0/24".parse().unwrap(), gateway: Some(address), address }];
    second.ipv6 = None;
    admit(&mut second, WEB, "10.1.2.10", "web2");
    let first = inhabited();
    let mut plans = Served::plans(&first);
    let other = served::in_another_folder(&second, "/mnt/network-43");
    plans.extend(other.clone());
    router.try_apply(&plans).unwrap();

    guest("web", WEB);
    let first = lease("web", "");
    sh("ip link set tap-web master br-tier2");
    let second = lease("web", "");
    assert_eq!((first["ip"].as_str(), first["router"].as_str()), ("10.1.1.10", "10.1.1.1"));
    assert_eq!((second["ip"].as_str(), second["router"].as_str()), ("10.1.2.10", "10.1.2.1"));
    let stuck =
        daemons::stop([&other[0].daemon], DaemonSearch::default(), served::soon(), &mut Pass::command());
    assert!(stuck.is_empty(), "{stuck:?}");
    assert!(served::is_alive(pid("dnsmasq")));
}
