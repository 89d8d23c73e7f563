//! `reconcile`: rebooted hosts and damaged routers.

use std::thread;
use std::time::{Duration, Instant};

use netext_lab::{
    AccessList, Balancer, Expectation, Firewall, Forward, Lab, Network, Node, Rule, Signal, SourceNat, lab,
};
use serde_json::{Value, json};

use crate::setup::operator;

/// Waits for a member of the load balancer, which uses it again a few seconds after it was plugged in.
fn wait_for_member(client: &Node) -> Result<(), String> {
    let patience = Instant::now() + Duration::from_secs(15);
    loop {
        match client.tries_tcp("198.51.100.10:8080", Expectation::Answered) {
            Ok(answer) if answer.server() == "10.1.1.10" => return Ok(()),
            Ok(answer) => return Err(format!("{} answered", answer.server())),
            Err(error) if Instant::now() > patience => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// A network with every kind of object.
fn whole(lab: &Lab) -> Network<'_> {
    let network = lab.network(209).with_ip6("2001:db8:1::1", "2001:db8:1::/64");
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes).assign_ip("198.51.100.11", SourceNat::No);
    network.add_static_nat("198.51.100.11", "10.1.1.11");
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network.apply_firewall(
        &Firewall::egress_allowed()
            .with(Rule::ingress("198.51.100.10").tcp(2222))
            .with(Rule::ingress("198.51.100.11").tcp(22))
            .with(Rule::ingress("198.51.100.10").tcp(8080))
            .with(Rule::ingress("198.51.100.10").udp(5353))
            .with(Rule::egress().tcp(25)),
    );
    let balancers = (
        Balancer::tcp(5, "198.51.100.10:8080").member("10.1.1.10:22"),
        Balancer::udp(6, "198.51.100.10:5353").member("10.1.1.11:5353"),
    );
    network.apply_balancers(&[&balancers.0, &balancers.1]);
    network.acts("pbr-create-table", &json!({"id": "100", "name": "isp2"}));
    network.acts("pbr-add-route", &json!({"table": "isp2", "route": "blackhole 203.0.113.80"}));
    network.acts("pbr-add-rule", &json!({"table": "isp2", "rule": "to 203.0.113.80"}));
    network.deploy("10.1.1.10");
    network.deploy("10.1.1.11");
    network
}

#[test]
fn a_rebooted_host_gets_everything_back() {
    let lab = lab!();
    let network = whole(&lab);
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.20");
    let (tier, other) = (vpc.tier(1), vpc.tier(2));
    for tier in [&tier, &other] {
        tier.implement();
    }
    tier.apply_access_list(&AccessList::new().with(Rule::allow_in(10).tcp(22)).with(Rule::allow_out(20)));
    tier.assign_ip("198.51.100.21", SourceNat::No).add_static_nat("198.51.100.21", "10.2.1.10");
    let shared =
        lab.network(300).on_vlan("300").with_subnet("172.31.5.1", "172.31.5.0/24").shared("172.31.5.2");
    shared.implement();
    shared.deploy("172.31.5.10");
    let l2 = lab.network(301).on_vlan("301").l2();
    l2.implement();

    let (one, two) = (network.dual_stack_guest("10.1.1.10", "2001:db8:1::10"), network.guest("10.1.1.11"));
    let (in_tier, in_other) = (tier.guest("10.2.1.10"), other.guest("10.2.2.10"));
    let on_shared = lab.plug("brnone-300", &["172.31.5.10/24"]);
    let (l2_one, _l2_two) =
        (lab.plug("brnone-301", &["192.0.2.1/24"]), lab.plug("brnone-301", &["192.0.2.2/24"]));
    let _servers = (
        one.listen_tcp(22),
        two.listen_tcp(22),
        in_tier.listen_tcp(22),
        in_tier.listen_tcp(23),
        two.listen_udp(5353),
    );
    let client = lab.client("203.0.113.5");
    let _internet = (client.listen_tcp(80), client.listen_tcp(25), lab.client("203.0.113.80").listen_tcp(80));

    let everything_works = || {
        client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10").seen_as("203.0.113.5");
        client.connects_to("198.51.100.11:22").answered_by("10.1.1.11");
        client.connects_to("198.51.100.21:22").answered_by("10.2.1.10");
        one.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
        two.connects_to("203.0.113.5:80").seen_as("198.51.100.11");
        in_tier.connects_to("203.0.113.5:80").seen_as("198.51.100.21");
        in_other.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
        in_other.connects_to("10.2.1.10:22");
        in_other.cannot_connect_to("10.2.1.10:23");
        let member = wait_for_member(&client);
        assert!(member.is_ok(), "the balancer's member: {member:?}");
        client.exchanges_udp_with("198.51.100.10:5353").answered_by("10.1.1.11");
        one.cannot_connect_to("203.0.113.80:80");
        one.pings("2001:db8:1::1");
        l2_one.pings("192.0.2.2");
        one.cannot_connect_to("203.0.113.5:25");
        client.cannot_connect_to("198.51.100.11:23");
        assert_eq!(one.digs("10.1.1.1", "web-11.cs1.internal"), "10.1.1.11");
        assert_eq!(two.curls("10.1.1.1", "user-data"), "10.1.1.11");
        assert_eq!(on_shared.curls("172.31.5.2", "user-data"), "172.31.5.10");
        let advertised = one.sandbox().output("rdisc6", &["-1", "-q", "eth0"]).stdout;
        let advertised = String::from_utf8_lossy(&advertised);
        assert!(advertised.contains("2001:db8:1::/64"), "{advertised}");
    };
    everything_works();
    let before = lab.interfaces();

    let unplugged = lab.reboot();
    assert!(!lab.has_namespace("cs-net-209") && !lab.has_interface("brnone-101"));
    let plan = operator(&lab, "reconcile --all --dry-run", 3);
    for line in ["+ create namespace cs-net-209", "+ create namespace cs-vpc-7", "+ create bridge brnone-301"]
    {
        assert!(plan.contains(line), "{plan}");
    }
    assert!(!lab.has_namespace("cs-net-209") && !lab.has_interface("brnone-101"), "a dry run acted");

    let told = operator(&lab, "reconcile --all", 0);
    assert!(told.contains("4 routers: 4 reconciled"), "{told}");
    assert_eq!(lab.interfaces(), before);
    unplugged.plug_in();
    everything_works();
    assert!(operator(&lab, "status", 0).contains("4 routers, all healthy"));
    assert!(operator(&lab, "reconcile --all", 0).contains("4 routers: 4 in order"));
}

/// A damage: its name, how it is done, and the line that reports it.
type Damage<'a> = (&'a str, Box<dyn Fn() + 'a>, &'a str);

#[test]
fn a_dry_run_lists_every_difference_and_a_repair_removes_it() {
    let lab = lab!();
    let network = whole(&lab);
    let client = lab.client("203.0.113.5");
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let inside = |program: &str, words: &str| {
        let words: Vec<_> = words.split(' ').collect();
        let output = network.router().node().sandbox().output(program, &words);
        assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let folder = format!("{}/network-209", lab.state_folder());
    let kill = |name: &str| {
        let (pid, _) = lab.processes().into_iter().find(|(_, line)| line.contains(name)).expect(name);
        lab.kills(pid);
    };
    let damages: [Damage<'_>; 13] = [
        (
            "an address",
            Box::new(|| inside("ip", "address del 198.51.100.11/24 dev vpn-101-209")),
            "+ add address 198.51.100.11/24 to vpn-101-209",
        ),
        (
            "a foreign address",
            Box::new(|| inside("ip", "address add 10.1.1.99/24 dev vn-1910-209")),
            "- remove address 10.1.1.99/24 from vn-1910-209",
        ),
        ("a link down", Box::new(|| inside("ip", "link set vn-1910-209 down")), "~ bring vn-1910-209 up"),
        ("a link", Box::new(|| lab.host().ip("link del vph-101-209\n")), "+ create interface vpn-101-209"),
        (
            "a port",
            Box::new(|| lab.host().ip("link set vh-1910-209 nomaster\n")),
            "~ put vh-1910-209 into bridge brnone-1910",
        ),
        (
            "the way out",
            Box::new(|| inside("ip", "route del default")),
            "~ set the default route to 198.51.100.1 through vpn-101-209",
        ),
        (
            "a parameter",
            Box::new(|| inside("sysctl", "-q -w net.ipv4.ip_forward=0")),
            "~ set net/ipv4/ip_forward from 0 to 1",
        ),
        ("all rules", Box::new(|| inside("nft", "flush ruleset")), "+ put the packet rules in force"),
        (
            "an element",
            Box::new(|| inside("nft", "delete element inet netext static_nat { 198.51.100.11 }")),
            "~ repair map static_nat of the packet rules: 1 element missing (198.51.100.11 : 10.1.1.11)",
        ),
        (
            "a rule",
            Box::new(|| inside("nft", "insert rule inet netext forward accept")),
            "~ repair chain forward of the packet rules: 1 rule not ours",
        ),
        ("dnsmasq", Box::new(|| kill("dnsmasq")), "+ start dnsmasq of network-209: it does not run"),
        (
            "the metadata server",
            Box::new(|| kill("serve-metadata")),
            "+ start metadata server of network-209: it does not run",
        ),
        (
            "a file",
            Box::new(|| {
                lab.host()
                    .run(|| std::fs::write(format!("{folder}/radvd/radvd.conf"), "# no more\n").unwrap());
            }),
            "~ reload radvd of network-209: its radvd.conf is out of date",
        ),
    ];
    for (what, damage, line) in damages {
        damage();
        let plan = operator(&lab, "reconcile network-209 --dry-run", 3);
        assert!(plan.contains(line), "{what}: {plan}");
        assert!(operator(&lab, "status", 3).contains(line), "{what}");
        assert!(
            operator(&lab, "reconcile cs-net-209 --dry-run", 3).contains(line),
            "{what}: a dry run acted"
        );
        let done = operator(&lab, "reconcile cs-net-209", 0);
        assert!(done.contains(line), "{what}: {done}");
        assert!(operator(&lab, "status network-209", 0).contains("1 router, all healthy"), "{what}");
        client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
    }
}

#[test]
fn rules_that_were_changed_and_restored_are_left_alone() {
    let lab = lab!();
    let network = whole(&lab);
    let foreign = |words: &str| {
        drop(network.router().node().sandbox().output("nft", &words.split(' ').collect::<Vec<_>>()));
    };
    foreign("add table ip somebodys");
    foreign("delete table ip somebodys");
    assert!(operator(&lab, "reconcile --all", 0).contains("1 router: 1 in order"));
    network.add_port_forward(&Forward::tcp("198.51.100.10:2223", "10.1.1.10:22"));
    assert!(operator(&lab, "status", 0).contains("all healthy"));
}

#[test]
fn one_router_that_fails_does_not_stop_the_others() {
    let lab = lab!();
    for id in [209, 210, 211] {
        lab.network(id).on_vlan(&id.to_string()).implement();
    }
    let state = format!("{}/network-210/state.json", lab.state_folder());
    lab.host().run(|| std::fs::write(&state, r#"{"format": 99}"#).unwrap());
    let _unplugged = lab.reboot();

    let told = operator(&lab, "reconcile --all", 3);
    assert!(told.contains("3 routers: 2 reconciled, 1 failed"), "{told}");
    assert!(told.contains("network-210/state.json was written by a newer version"), "{told}");
    assert!(lab.has_namespace("cs-net-209") && lab.has_namespace("cs-net-211"));

    lab.host().run(|| std::fs::write(&state, "{").unwrap());
    assert!(operator(&lab, "status", 3).contains("network-210/state.json is damaged"));
    assert!(operator(&lab, "reconcile network-210", 3).contains("is damaged"));
}

#[test]
fn the_error_for_a_missing_nic_names_it() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    let state = format!("{}/network-209/state.json", lab.state_folder());
    lab.host().run(|| {
        let text = std::fs::read_to_string(&state).unwrap();
        std::fs::write(&state, text.replace(r#""guest":"none""#, r#""guest":"eth7""#)).unwrap();
    });
    for words in ["status", "reconcile --all --dry-run", "reconcile --all"] {
        let told = operator(&lab, words, 3);
        assert!(told.contains("no network interface eth7"), "{words}: {told}");
    }
}

#[test]
fn reconcile_and_commands_wait_for_each_other() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    let held = network.hold_lock();
    let told = operator(&lab, "reconcile --all --timeout 1", 3);
    assert!(told.contains("network-209 is busy"), "{told}");
    assert!(operator(&lab, "status --timeout 1", 3).contains("network-209 is busy"));
    drop(held);

    let _unplugged = lab.reboot();
    let running = [lab.start_bare(&["reconcile", "--all"]), lab.start_bare(&["reconcile", "--all"])];
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    for running in running {
        running.finish().succeeds();
    }
    assert!(operator(&lab, "status", 0).contains("all healthy"));
}

#[test]
fn the_next_reconcile_completes_one_that_was_killed() {
    let lab = lab!();
    let network = whole(&lab);
    let client = lab.client("203.0.113.5");
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    for round in 0..8 {
        let unplugged = lab.reboot();
        let running = lab.start_bare(&["reconcile", "--all"]);
        std::thread::sleep(Duration::from_millis(8 * round));
        running.signal(Signal::SIGKILL);
        running.finish();
        operator(&lab, "reconcile --all", 0);
        unplugged.plug_in();
        client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
        assert!(operator(&lab, "status", 0).contains("all healthy"), "round {round}");
    }
}

#[test]
fn json_has_the_same_content_as_the_text() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    let read =
        |words: &str, code: i32| -> Value { serde_json::from_str(&operator(&lab, words, code)).unwrap() };
    network.router().node().sandbox().output("ip", &["link", "set", "vn-1910-209", "down"]);
    let plan = read("reconcile --all --dry-run --json", 3);
    assert_eq!(plan["dry_run"], true);
    assert_eq!(plan["routers"][0]["router"], "network-209");
    assert_eq!(plan["routers"][0]["outcome"], "differs");
    let differences = plan["routers"][0]["differences"].clone();
    assert_eq!(differences[0], json!({"part": "link", "change": "modify", "what": "bring vn-1910-209 up"}));
    let status = read("status --json", 3);
    assert_eq!(status["routers"][0]["differences"], differences);
    assert_eq!(
        (&status["routers"][0]["healthy"], &status["routers"][0]["tiers"]),
        (&json!(false), &json!(1))
    );
    let done = read("reconcile network-209 --json", 0);
    assert_eq!(
        (&done["routers"][0]["outcome"], &done["routers"][0]["differences"]),
        (&json!("reconciled"), &differences)
    );
    assert_eq!(read("reconcile network-209 --json", 0)["routers"][0]["outcome"], "unchanged");
    assert_eq!(read("status --json", 0)["routers"][0]["healthy"], true);
}
