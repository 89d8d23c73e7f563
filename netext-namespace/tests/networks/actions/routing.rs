//! Policy routing by actions: its effect on guests' packets, and its life.

use netext_lab::{AccessList, Forward, Lab, Network, Node, PUBLIC_BRIDGE, Rule, SourceNat, lab};
use serde_json::{Value, json};

/// A running network, and a second way out of its public segment: a machine that alone can reach 192.0.2.9.
pub(super) struct Scene<'lab> {
    lab: &'lab Lab,
    pub(super) network: Network<'lab>,
    guest: Node,
    second: Node,
}

impl<'lab> Scene<'lab> {
    pub(super) fn new(lab: &'lab Lab) -> Self {
        let network = lab.network(209);
        network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
        let guest = network.guest("10.1.1.10");
        let second = lab.plug(PUBLIC_BRIDGE, &["198.51.100.77/24", "192.0.2.9/32"]);
        Self { lab, network, guest, second }
    }

    pub(super) fn create(&self, id: &str, name: &str) {
        self.network.acts("pbr-create-table", &json!({"table-id": id, "table-name": name}));
    }

    fn route(&self, table: &str, route: &str) {
        self.network.acts("pbr-add-route", &json!({"table": table, "route": route}));
    }

    fn rule(&self, table: &str, rule: &str) {
        self.network.acts("pbr-add-rule", &json!({"table": table, "rule": rule}));
    }

    /// A table whose way out is the second one, for packets to 192.0.2.0/24.
    fn second_way(&self) {
        self.create("100", "isp2");
        self.route("isp2", "default via 198.51.100.77");
        self.rule("isp2", "from 10.1.1.0/24 to 192.0.2.0/24");
    }

    /// The output of `ip <words>` in the router, with the names of tables.
    pub(super) fn ip(&self, words: &str) -> String {
        let words: Vec<_> =
            ["netns", "exec", "cs-net-209", "ip"].into_iter().chain(words.split(' ')).collect();
        let output = self.lab.host().output("ip", &words);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

pub(super) fn column(rows: &Value, name: &str) -> Vec<String> {
    let rows = rows.as_array().expect("a table").iter();
    rows.map(|row| row[name].as_str().map_or_else(|| row[name].to_string(), str::to_owned)).collect()
}

/// The steps of the server's smoke test.
fn smoke_test(acts: impl Fn(&str, Value) -> Value) {
    let table = || json!({"table": "app-209"});

    acts("pbr-create-table", json!({"table-id": "100", "table-name": "app-209"}));
    assert_eq!(column(&acts("pbr-list-tables", json!({})), "name"), ["app-209"]);
    acts("pbr-add-route", json!({"table": "app-209", "route": "blackhole 172.30.9.0/24"}));
    assert_eq!(column(&acts("pbr-list-routes", table()), "route"), ["blackhole 172.30.9.0/24"]);
    acts("pbr-add-rule", json!({"table": "app-209", "rule": "to 172.30.9.0/24"}));
    let rules = acts("pbr-list-rules", table());
    assert_eq!(column(&rules, "table"), ["app-209"]);
    assert_eq!(column(&rules, "rule"), ["from all to 172.30.9.0/24"]);

    acts("pbr-delete-rule", json!({"table": "app-209", "rule": "to 172.30.9.0/24"}));
    acts("pbr-delete-route", json!({"table": "app-209", "route": "blackhole 172.30.9.0/24"}));
    assert_eq!(acts("pbr-list-rules", table()), json!([]));
    assert_eq!(acts("pbr-list-routes", table()), json!([]));
    acts("pbr-delete-table", table());
    assert_eq!(acts("pbr-list-tables", json!({})), json!([]));
}

#[test]
fn the_servers_smoke_test_on_a_network() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    smoke_test(|action, parameters| network.acts(action, &parameters));
}

#[test]
fn the_servers_smoke_test_on_a_vpc() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.implement();
    smoke_test(|action, parameters| vpc.acts(action, &parameters));
    vpc.shutdown();
}

#[test]
fn a_vpcs_tables_are_for_all_of_its_tiers() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.20");
    let (web, database) = (vpc.tier(1), vpc.tier(2));
    web.implement();
    database.implement();
    let (one, other) = (web.guest("10.2.1.10"), database.guest("10.2.2.10"));
    let second = lab.plug(PUBLIC_BRIDGE, &["198.51.100.77/24", "192.0.2.9/32"]);
    let _server = second.listen_tcp_on("192.0.2.9:80");
    vpc.acts("pbr-create-table", &json!({"id": "100", "name": "isp2"}));
    // An action on a tier is an action on its VPC.
    web.acts("pbr-add-route", &json!({"table": "isp2", "route": "default via 198.51.100.77"}));
    vpc.acts("pbr-add-rule", &json!({"table": "isp2", "rule": "from 10.2.0.0/16 to 192.0.2.0/24"}));
    for guest in [&one, &other] {
        guest.connects_to("192.0.2.9:80").seen_as("198.51.100.20");
    }
    web.destroy();
    other.connects_to("192.0.2.9:80").seen_as("198.51.100.20");
    database.destroy();
    vpc.shutdown().implement();
    assert_eq!(vpc.acts("pbr-list-tables", &json!({})), json!([]));
}

#[test]
fn a_route_and_a_rule_change_the_way_of_guests_packets() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    let _second = scene.second.listen_tcp_on("192.0.2.9:80");
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    scene.guest.cannot_connect_to("192.0.2.9:80");

    scene.second_way();
    scene.guest.connects_to("192.0.2.9:80").seen_as("198.51.100.10");
    scene.guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");

    scene
        .network
        .acts("pbr-delete-rule", &json!({"table": "100", "rule": "from 10.1.1.0/24 to 192.0.2.0/24"}));
    scene.guest.cannot_connect_to("192.0.2.9:80");
}

#[test]
fn a_route_leads_through_another_guest() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    let appliance = lab.plug(&scene.network.bridge(), &["10.1.1.20/24", "192.0.2.9/32"]);
    let _behind = (appliance.listen_tcp_on("192.0.2.9:80"), appliance.listen_udp_on("192.0.2.9:53"));
    // A guest that follows redirects finds the way alone after the first packet.
    scene.guest.sandbox().run(|| {
        for conf in ["all", "eth0"] {
            std::fs::write(format!("/proc/sys/net/ipv4/conf/{conf}/accept_redirects"), "0").unwrap();
        }
    });
    scene.guest.cannot_connect_to("192.0.2.9:80");
    scene.create("100", "vpn");
    scene.route("vpn", "192.0.2.0/24 via 10.1.1.20");
    scene.rule("vpn", "to 192.0.2.0/24");
    scene.guest.connects_to("192.0.2.9:80").seen_as("10.1.1.10");
    scene.guest.exchanges_udp_with("192.0.2.9:53").seen_as("10.1.1.10");
    scene.guest.talks_to("192.0.2.9:80").goes_on();

    // It opens no way in from outside.
    let neighbour = lab.neighbour("198.51.100.90");
    neighbour.routes("192.0.2.0/24", "198.51.100.10");
    neighbour.cannot_connect_to("192.0.2.9:80");
    scene.network.acts("pbr-delete-table", &json!({"table": "vpn"}));
    scene.guest.cannot_connect_to("192.0.2.9:80");
}

#[test]
fn a_route_through_a_guest_of_another_tier_is_subject_to_the_tiers_lists() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.10");
    let (web, edge) = (vpc.tier(1), vpc.tier(2));
    for tier in [&web, &edge] {
        tier.implement();
    }
    let guest = web.guest("10.2.1.10");
    let appliance = lab.plug(&edge.bridge(), &["10.2.2.20/24", "192.0.2.9/32"]);
    appliance.routes("default", "10.2.2.1");
    let _behind = appliance.listen_tcp_on("192.0.2.9:80");
    vpc.acts("pbr-create-table", &json!({"table-id": "100", "table-name": "vpn"}));
    vpc.acts("pbr-add-route", &json!({"table": "vpn", "route": "192.0.2.0/24 via 10.2.2.20"}));
    vpc.acts("pbr-add-rule", &json!({"table": "vpn", "rule": "to 192.0.2.0/24"}));
    guest.connects_to("192.0.2.9:80").seen_as("10.2.1.10");
    edge.apply_access_list(&AccessList::new().with(Rule::allow_in(10).tcp(22)));
    guest.cannot_connect_to("192.0.2.9:80");
}

#[test]
fn a_blackhole_drops_what_its_rule_matches_and_nothing_else() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    let other = scene.network.guest("10.1.1.11");
    let client = lab.client("203.0.113.5");
    let _web = (client.listen_tcp(80), client.listen_tcp(443));
    scene.create("7", "quarantine");
    scene.route("quarantine", "blackhole default");
    scene.rule("quarantine", "from 10.1.1.10 ipproto tcp dport 80");

    scene.guest.cannot_connect_to("203.0.113.5:80");
    scene.guest.connects_to("203.0.113.5:443").seen_as("198.51.100.10");
    other.connects_to("203.0.113.5:80").seen_as("198.51.100.10");

    scene.network.acts("pbr-delete-table", &json!({"id": "7"}));
    scene.guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
    assert_eq!(scene.network.acts("pbr-list-rules", &json!({})), json!([]), "its rules went with the table");
}

#[test]
fn rules_are_evaluated_in_the_order_of_addition_unless_they_have_a_priority() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    scene.create("1", "one");
    scene.create("2", "two");
    scene.rule("two", "from 10.1.1.10");
    scene.rule("one", "from 10.1.1.0/24");
    scene.rule("one", "from 10.1.1.12 priority 500");
    let rules = scene.network.acts("pbr-list-rules", &json!({}));
    assert_eq!(column(&rules, "priority"), ["500", "1000", "1001"]);
    assert_eq!(column(&rules, "table"), ["one", "two", "one"]);
    let shown = scene.ip("rule show");
    let shown: Vec<_> = shown.lines().filter(|line| line.contains("10.1.1.")).collect();
    assert_eq!(shown.len(), 3, "{shown:?}");
    assert!(shown[0].starts_with("500:") && shown[0].contains("from 10.1.1.12 lookup one"), "{shown:?}");
    assert!(shown[1].starts_with("1000:") && shown[1].contains("from 10.1.1.10 lookup two"), "{shown:?}");
}

#[test]
fn operators_in_the_namespace_see_the_names_of_tables() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    scene.second_way();
    assert!(
        scene.ip("route show table isp2").contains("default via 198.51.100.77"),
        "{}",
        scene.ip("route show table isp2")
    );
    assert!(scene.ip("rule show").contains("from 10.1.1.0/24 to 192.0.2.0/24 lookup isp2"));
    assert!(scene.ip("route show table main").contains("default via 198.51.100.1"));

    let names = "/etc/netns/cs-net-209";
    scene.network.destroy();
    assert!(!lab.host().run(|| std::path::Path::new(names).exists()), "the names go with the router");
}

#[test]
fn every_action_can_be_repeated() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    let acts = |action: &str, parameters: Value| {
        scene.network.acts(action, &parameters);
        scene.network.acts(action, &parameters);
    };
    let route = json!({"table": "isp2", "route": "10.9.0.0/16 via 198.51.100.77 metric 5"});
    let rule = json!({"table": "isp2", "rule": "to 10.9.0.0/16"});
    acts("pbr-create-table", json!({"id": "100", "name": "isp2"}));
    acts("pbr-add-route", route.clone());
    acts("pbr-add-rule", rule.clone());
    assert_eq!(scene.ip("route show table isp2").lines().count(), 1);
    assert_eq!(scene.ip("rule show").matches("lookup isp2").count(), 1);
    acts("pbr-delete-rule", rule);
    acts("pbr-delete-route", route);
    acts("pbr-delete-table", json!({"table": "isp2"}));
    acts("pbr-delete-route", json!({"table": "isp2", "route": "default"}));
    acts("pbr-delete-rule", json!({"table": "isp2", "rule": "from all"}));
    assert!(!scene.ip("rule show").contains("10.9.0.0"));
}

#[test]
fn routes_and_rules_survive_a_restart_and_end_with_the_network() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    let _second = scene.second.listen_tcp_on("192.0.2.9:80");
    scene.second_way();
    scene.network.shutdown();
    assert_eq!(column(&scene.network.acts("pbr-list-routes", &json!({})), "table"), ["isp2"]);
    scene.network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    scene.guest.connects_to("192.0.2.9:80").seen_as("198.51.100.10");

    scene.network.destroy().implement().assign_ip("198.51.100.10", SourceNat::Yes);
    assert_eq!(scene.network.acts("pbr-list-tables", &json!({})), json!([]));
    scene.guest.cannot_connect_to("192.0.2.9:80");
}

#[test]
fn the_next_command_restores_removed_routes_and_rules() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    let _second = scene.second.listen_tcp_on("192.0.2.9:80");
    scene.second_way();
    let heals = |damage: &str| {
        scene.ip(damage);
        scene.guest.cannot_connect_to("192.0.2.9:80");
        scene.network.implement();
        scene.guest.connects_to("192.0.2.9:80").seen_as("198.51.100.10");
    };
    heals("route flush table 100");
    heals("rule delete to 192.0.2.0/24");
    heals("link delete vpn-101-209");
    lab.host().ip("netns delete cs-net-209\n");
    lab.await_end_of_interface("vph-101-209");
    scene.network.implement();
    scene.guest.connects_to("192.0.2.9:80").seen_as("198.51.100.10");
}

#[test]
fn routes_of_operators_and_routing_daemons_stay() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    scene.second_way();
    scene.ip("route add 10.98.0.0/16 via 198.51.100.77 table 100");
    scene.ip("route add 10.97.0.0/16 via 198.51.100.77 table 100 proto bird");
    scene.ip("rule add to 10.98.0.0/16 lookup 100 priority 999");
    scene.network.implement();
    scene.network.acts("pbr-delete-table", &json!({"table": "isp2"}));
    let left = scene.ip("route show table 100");
    assert!(
        left.contains("10.98.0.0/16") && left.contains("10.97.0.0/16") && !left.contains("default"),
        "{left}"
    );
    assert!(scene.ip("rule show").contains("to 10.98.0.0/16 lookup 100"));
}

#[test]
fn a_route_whose_interface_is_gone_blocks_nothing_and_comes_back() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    let _second = scene.second.listen_tcp_on("192.0.2.9:80");
    scene.second_way();
    scene.route("isp2", "10.9.0.0/16 dev vpn-101-209");
    scene.network.release_ip("198.51.100.10");
    scene.guest.pings("10.1.1.1");
    scene.network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    scene.network.assign_ip("198.51.100.10", SourceNat::Yes);
    scene.guest.connects_to("192.0.2.9:80").seen_as("198.51.100.10");
    assert!(scene.ip("route show table 100").contains("10.9.0.0/16 dev vpn-101-209"));
}

#[test]
fn every_supported_word_reaches_the_kernel() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    scene.create("100", "isp2");
    let routes = [
        "10.11.0.0/16 via 198.51.100.77 dev vpn-101-209 src 198.51.100.10 mtu 1400 metric 7",
        "10.12.0.0/16 dev vpn-101-209 scope link",
        "10.13.0.0/16 via 192.0.2.200 dev vpn-101-209 onlink",
        "unreachable 10.14.0.0/16 metric 9",
        "prohibit 10.15.0.1",
        "throw 10.16.0.0/16",
        "blackhole fd00:16::/64",
    ];
    let rules = [
        "not from 10.0.0.0/8 to 192.0.2.1 fwmark 0x10/0xf0 tos 0x10",
        "iif vn-1910-209 ipproto udp sport 1000-2000 dport 53",
        "oif vpn-101-209 fwmark 7",
        "from fd00:1::/64 ipproto ipv6-icmp",
        "fwmark 0/0xff ipproto 99",
    ];
    for route in routes {
        scene.route("isp2", route);
    }
    for rule in rules {
        scene.rule("isp2", rule);
    }
    let shown = (
        scene.ip("route show table 100"),
        scene.ip("-6 route show table 100"),
        scene.ip("rule show"),
        scene.ip("-6 rule show"),
    );
    for words in [
        "10.11.0.0/16 via 198.51.100.77 dev vpn-101-209 proto 110 src 198.51.100.10 metric 7 mtu 1400",
        "10.13.0.0/16 via 192.0.2.200 dev vpn-101-209 proto 110 onlink",
        "unreachable 10.14.0.0/16 proto 110 metric 9",
        "prohibit 10.15.0.1",
        "throw 10.16.0.0/16",
    ] {
        assert!(shown.0.contains(words), "{words}: {}", shown.0);
    }
    assert!(shown.1.contains("blackhole fd00:16::/64"), "{}", shown.1);
    for words in [
        "not from 10.0.0.0/8 to 192.0.2.1 tos 0x10 fwmark 0x10/0xf0 lookup isp2",
        "iif vn-1910-209 ipproto udp sport 1000-2000 dport 53 lookup isp2",
        "fwmark 0x7 oif vpn-101-209 lookup isp2",
        "fwmark 0/0xff ipproto ipproto-99 lookup isp2",
    ] {
        assert!(shown.2.contains(words), "{words}: {}", shown.2);
    }
    assert!(shown.3.contains("from fd00:1::/64 ipproto ipv6-icmp lookup isp2"), "{}", shown.3);

    scene.network.acts("pbr-delete-table", &json!({"table": "isp2"}));
    assert_eq!(scene.ip("route show table 100") + &scene.ip("-6 route show table 100"), "");
    assert!(!(scene.ip("rule show") + &scene.ip("-6 rule show")).contains("proto 110"));
}
