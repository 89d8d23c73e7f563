//! Links, addresses and routes, as `ip` sees them.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::throwaway::{
    addresses, apply, changes_during, host, inside, machine, name, peers, rehearse, remove, router,
    router_name, sh, try_sh,
};
use netext_namespace::plan::LinkPlan;

#[test]
fn a_router_is_created_as_planned() {
    host();
    apply(&router()).unwrap();

    assert_eq!(addresses("vn-100-42"), ["10.1.1.1/24".to_owned(), "fd00:1::1/64".to_owned()].into());
    assert_eq!(addresses("vpn-50-42"), ["203.0.113.10/24".to_owned()].into());
    let guest = sh("ip -n cs-net-42 -d link show vn-100-42");
    assert!(guest.contains("02:00:00:00:00:01") && guest.contains(",UP"), "{guest}");
    assert!(sh("ip link show vh-100-42").contains("master breth1-100"));
    assert!(sh("ip -d link show breth1-100").contains("stp_state 0"));
    assert!(sh("ip -n cs-net-42 route show default").contains("via 203.0.113.1 dev vpn-50-42"));
    assert!(sh("ip -n cs-net-42 link show lo").contains(",UP"));
    assert!(
        !sh("ip -n cs-net-42 -6 address show dev vn-100-42").contains("fd00:1::1/64 scope global tentative")
    );
    assert_eq!(sh("ip netns list").split_whitespace().next(), Some("cs-net-42"));
}

#[test]
fn the_host_has_no_address_on_a_tenants_segment() {
    host();
    apply(&router()).unwrap();
    for interface in ["breth1-100", "vh-100-42"] {
        assert_eq!(sh(&format!("ip address show dev {interface} | grep -c inet || true")).trim(), "0");
    }
    assert_eq!(fs::read_to_string("/proc/sys/net/ipv6/conf/breth1-100/disable_ipv6").unwrap().trim(), "1");
}

#[test]
fn a_second_run_touches_nothing() {
    host();
    apply(&router()).unwrap();
    let changes = changes_during(|| {
        assert_eq!(apply(&router()).unwrap(), []);
    });
    assert_eq!(changes, "");
}

#[test]
fn the_kernels_parameters_suit_a_router() {
    host();
    sh("sysctl -w net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1");
    apply(&router()).unwrap();
    let read = |parameter: &str| {
        sh(&format!("ip netns exec cs-net-42 cat /proc/sys/net/{parameter}")).trim().to_owned()
    };
    assert_eq!(read("ipv4/ip_forward"), "1");
    assert_eq!(read("ipv6/conf/all/forwarding"), "1");
    assert_eq!(read("ipv4/conf/vn-100-42/rp_filter"), "0");
    assert_eq!(read("ipv4/conf/all/arp_ignore"), "1");
    assert_eq!(read("ipv4/conf/vn-100-42/send_redirects"), "0");
    assert_eq!(read("ipv6/conf/vn-100-42/accept_ra"), "0");

    let mut plan = router();
    inside(&mut plan).forwarding = false;
    apply(&plan).unwrap();
    assert_eq!(read("ipv4/ip_forward"), "0");
    assert_eq!(read("ipv4/conf/all/accept_redirects"), "0");
}

#[test]
fn damage_of_every_kind_is_reported_and_repaired() {
    host();
    apply(&router()).unwrap();
    let healthy = |what: &str| {
        let told = rehearse(&router()).unwrap_or_else(|error| panic!("after {what}: {error}"));
        assert_eq!(rehearse(&router()).unwrap(), told, "telling changed something after {what}");
        let healed = apply(&router()).unwrap_or_else(|error| panic!("after {what}: {error}"));
        assert_eq!(healed, told, "after {what}");
        assert!(!told.is_empty(), "after {what}");
        assert_eq!(rehearse(&router()).unwrap(), [], "left over of {what}");
        assert!(sh("ip link show vh-100-42").contains("master breth1-100"), "{what}");
        assert!(sh("ip link show vh-100-42").contains(",UP"), "{what}");
        let inner = sh("ip -n cs-net-42 link show vn-100-42");
        assert!(inner.contains("02:00:00:00:00:01") && inner.contains(",LOWER_UP"), "{what}: {inner}");
        assert_eq!(addresses("vn-100-42").len(), 2, "{what}");
        assert!(sh("ip -n cs-net-42 route show default").contains("203.0.113.1"), "{what}");
    };
    // The kernel deletes the links of a namespace a while after the namespace.
    let until_gone = "for try in $(seq 500); do \
         ip link show vh-100-42 || ip link show vph-50-42 || break; sleep 0.01; done";
    for damage in [
        "ip link del vh-100-42",
        "ip -n cs-net-42 link del vpn-50-42",
        "ip -n cs-net-42 link set vn-100-42 down",
        "ip link set vh-100-42 down",
        "ip link set vh-100-42 nomaster",
        "ip link set vh-100-42 master breth1-50",
        "ip link set breth1-100 down",
        "ip link del breth1-100",
        "ip -n cs-net-42 link set vn-100-42 address 02:00:00:00:00:99",
        "ip -n cs-net-42 address flush dev vn-100-42",
        "ip -n cs-net-42 route del default",
        "ip -n cs-net-42 link set lo down",
        &format!("ip netns del cs-net-42; {until_gone}"),
        // Ends that have lost each other.
        "ip link del vh-100-42; ip link add vh-100-42 type veth peer name elsewhere",
        "ip -n cs-net-42 link del vn-100-42; ip -n cs-net-42 link add vn-100-42 type veth peer name lost",
        // Cut off after the pair was created.
        "ip link del vh-100-42; ip link add vh-100-42 type veth peer name vn-100-42 netns cs-net-42",
        &format!("ip netns del cs-net-42; : > /run/netns/cs-net-42; {until_gone}"),
    ] {
        sh(damage);
        healthy(damage);
    }
}

#[test]
fn a_run_that_is_cut_off_anywhere_is_completed_by_the_next() {
    const VICTIM: &str = "NETEXT_TEST_VICTIM";
    if std::env::var_os(VICTIM).is_some() {
        // This is the process that will be killed. It runs on the host of the test.
        loop {
            apply(&router()).unwrap();
            remove(&router_name(), &peers()).unwrap();
        }
    }
    host();
    for round in 0..60 {
        let this_test = ["--exact", "kernel::links::a_run_that_is_cut_off_anywhere_is_completed_by_the_next"];
        let mut victim = Command::new(std::env::current_exe().unwrap());
        let mut victim = victim.args(this_test).env(VICTIM, "1").stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_micros(15_000 + 1_700 * round));
        victim.kill().unwrap();
        victim.wait().unwrap();
        if round % 2 == 0 {
            apply(&router()).unwrap();
            assert_eq!(addresses("vn-100-42").len(), 2);
            assert!(sh("ip -n cs-net-42 route show default").contains("203.0.113.1"));
            assert!(sh("ip link show vh-100-42").contains("master breth1-100"));
        } else {
            remove(&router_name(), &peers()).unwrap();
            assert_eq!(sh("ip -o link show type veth; ls /run/netns"), "");
        }
        sh("ip link del breth1-100 2>/dev/null || true");
    }
}

#[test]
fn only_the_addresses_that_differ_change() {
    host();
    apply(&router()).unwrap();
    sh("ip -n cs-net-42 address add 10.1.1.77/24 dev vn-100-42");
    let mut plan = router();
    let router = inside(&mut plan);
    router.interfaces[1].addresses = ["203.0.113.10/24", "203.0.113.11/24", "198.51.100.7/32"]
        .iter()
        .map(|a| a.parse().unwrap())
        .collect();
    apply(&plan).unwrap();
    assert_eq!(addresses("vn-100-42").len(), 2);
    assert_eq!(addresses("vpn-50-42").len(), 3);

    // The first address of a subnet is removed, and the others of the subnet stay.
    inside(&mut plan).interfaces[1].addresses = ["203.0.113.11/24".parse().unwrap()].into();
    inside(&mut plan).interfaces[0].addresses =
        ["10.1.1.1/16".parse().unwrap(), "fd00:1::1/48".parse().unwrap()].into();
    apply(&plan).unwrap();
    assert_eq!(addresses("vpn-50-42"), ["203.0.113.11/24".to_owned()].into());
    assert_eq!(addresses("vn-100-42"), ["10.1.1.1/16".to_owned(), "fd00:1::1/48".to_owned()].into());
    assert!(sh("ip -n cs-net-42 route show default").contains("203.0.113.1"));
    assert!(
        sh("ip -n cs-net-42 -6 address show dev vn-100-42").contains("fe80"),
        "link-local addresses stay"
    );
}

#[test]
fn the_default_route_follows_the_plan() {
    host();
    let mut plan = router();
    apply(&plan).unwrap();
    sh("ip -n cs-net-42 route add default via 203.0.113.9 dev vpn-50-42 metric 100");
    let ours = || {
        sh("ip -n cs-net-42 route show default")
            .lines()
            .find(|line| !line.contains("metric"))
            .map(str::to_owned)
    };

    inside(&mut plan).default_route.as_mut().unwrap().gateway = "203.0.113.254".parse().unwrap();
    apply(&plan).unwrap();
    assert!(ours().unwrap().contains("via 203.0.113.254"));
    inside(&mut plan).default_route = None;
    apply(&plan).unwrap();
    assert_eq!(ours(), None);
    assert!(
        sh("ip -n cs-net-42 route show default").contains("metric 100"),
        "a route of another owner stays"
    );
}

#[test]
fn interfaces_that_are_no_longer_planned_go_and_others_stay() {
    host();
    let mut plan = router();
    apply(&plan).unwrap();
    sh("ip -n cs-net-42 link add operators type veth peer name operators-peer");
    inside(&mut plan).interfaces.pop();
    inside(&mut plan).default_route = None;
    apply(&plan).unwrap();
    assert!(!try_sh("ip link show vph-50-42").0);
    assert!(!try_sh("ip -n cs-net-42 link show vpn-50-42").0);
    sh("ip -n cs-net-42 link show operators");
    sh("ip link show breth1-50");
}

#[test]
fn removal_is_complete_and_may_be_repeated_and_followed_by_creation_at_once() {
    host();
    remove(&router_name(), &peers()).unwrap();
    for _ in 0..5 {
        apply(&router()).unwrap();
        remove(&router_name(), &peers()).unwrap();
        assert!(!try_sh("ip link show vh-100-42").0 && !try_sh("ip link show vph-50-42").0);
        assert_eq!(sh("ls /run/netns"), "");
        sh("ip link show breth1-100");
    }
    apply(&router()).unwrap();
    // Only the namespace's end can be found: the host's end has another name.
    sh("ip link set vh-100-42 down; ip link set vh-100-42 name renamed");
    remove(&router_name(), &peers()).unwrap();
    assert!(!try_sh("ip link show renamed").0);
    remove(&router_name(), &peers()).unwrap();
}

#[test]
fn routers_that_share_a_bridge_come_and_go_side_by_side() {
    host();
    let plans: Vec<LinkPlan> = (1..=8)
        .map(|id| {
            let mut plan = router();
            let router = inside(&mut plan);
            router.default_route = None;
            router.name = format!("cs-net-{id}").parse().unwrap();
            for interface in &mut router.interfaces {
                interface.name = name(&interface.name.as_ref().replace("-42", &format!("-{id}")));
                interface.peer = name(&interface.peer.as_ref().replace("-42", &format!("-{id}")));
            }
            plan
        })
        .collect();
    let side_by_side = |run: fn(&LinkPlan)| {
        thread::scope(|scope| plans.iter().for_each(|plan| drop(scope.spawn(move || run(plan)))));
    };
    for _ in 0..3 {
        side_by_side(|plan| drop(apply(plan).unwrap()));
        assert_eq!(sh("ip -o link show master breth1-50").lines().count(), 8);
        side_by_side(|plan| {
            let router = plan.namespace.as_ref().unwrap();
            let peers: Vec<_> = router.interfaces.iter().map(|interface| interface.peer.clone()).collect();
            remove(&router.name, &peers).unwrap();
        });
        assert_eq!(sh("ip -o link show type veth; ls /run/netns"), "");
    }
}

#[test]
fn neighbours_learn_a_new_owner_of_an_address_at_once() {
    host();
    sh("ip link add breth1-50 type bridge && ip link set breth1-50 up");
    machine("upstream", "breth1-50", "203.0.113.1", "203.0.113.10");
    let mistaken = |address: &str| {
        sh(&format!(
            "ip -n upstream neigh replace {address} lladdr 02:00:00:00:00:99 dev eth0 nud reachable"
        ));
    };
    let known = |address: &str| {
        (0..20).any(|_| {
            thread::sleep(Duration::from_millis(10));
            sh(&format!("ip -n upstream neigh show {address}")).contains("02:00:00:00:00:02")
        })
    };
    mistaken("203.0.113.10");
    assert!(!known("203.0.113.10"));
    apply(&router()).unwrap();
    assert!(known("203.0.113.10"), "of a new interface");

    let mut plan = router();
    mistaken("203.0.113.11");
    mistaken("203.0.113.12");
    inside(&mut plan).interfaces[1].addresses.insert("203.0.113.11/24".parse().unwrap());
    apply(&plan).unwrap();
    assert!(known("203.0.113.11"), "of a new address");
    inside(&mut plan).interfaces[1].announce = false;
    inside(&mut plan).interfaces[1].addresses.insert("203.0.113.12/24".parse().unwrap());
    apply(&plan).unwrap();
    assert!(!known("203.0.113.12"), "unless it is to be kept quiet");
}
