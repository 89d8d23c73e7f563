//! Actions that are refused, with nothing changed.

use netext_lab::lab;
use serde_json::{Value, json};

use super::routing::{Scene, column};

impl Scene<'_> {
    #[track_caller]
    fn refuses(&self, action: &str, parameters: &Value, words: &[&str]) {
        self.network.action(action, parameters).is_refused_naming(words);
    }
}

#[test]
fn a_table_has_one_number_and_one_name() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    scene.create("100", "isp2");
    scene.refuses("pbr-create-table", &json!({"table-id": "100", "table-name": "isp3"}), &["100", "isp2"]);
    scene.refuses("pbr-create-table", &json!({"table-id": "101", "table-name": "isp2"}), &["isp2", "100"]);
    scene.refuses(
        "pbr-add-route",
        &json!({"table": "isp9", "route": "default via 198.51.100.77"}),
        &["isp9", "isp2"],
    );
    scene.refuses("pbr-list-routes", &json!({"table": "isp9"}), &["isp9"]);
    scene.refuses("pbr-delete-table", &json!({"id": "100", "name": "isp9"}), &["isp9", "isp2"]);
    assert_eq!(column(&scene.network.acts("pbr-list-tables", &json!({})), "name"), ["isp2"]);
}

#[test]
fn a_route_that_the_kernel_refuses_is_refused_and_not_saved() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    scene.create("100", "isp2");
    for route in
        ["default via 192.0.2.1", "default dev nowhere0", "10.9.0.0/16 via 198.51.100.77 src 10.77.0.1"]
    {
        let failed = scene.network.action("pbr-add-route", &json!({"table": "isp2", "route": route}));
        failed.fails_with(3);
        assert!(failed.output.contains(route), "{}", failed.output);
    }
    assert_eq!(scene.network.acts("pbr-list-routes", &json!({})), json!([]));
    scene.network.implement();
    assert_eq!(scene.ip("route show table 100"), "");
}

#[test]
fn hostile_parameters_are_refused_and_nothing_changes() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    scene.create("100", "isp2");
    let before = (scene.ip("rule show"), scene.ip("route show table all"));
    for name in ["../x", "a b", "isp\n1 local", "main", "-x", "$(reboot)", "", "a;b", "x/../y", "é"] {
        scene.refuses(
            "pbr-create-table",
            &json!({"table-id": "5", "table-name": name}),
            &["pbr-create-table"],
        );
    }
    for id in ["0", "253", "254", "255", "-1", "1852112896", "4294967296", "1e3", "0x10", "100;reboot"] {
        scene.refuses("pbr-create-table", &json!({"table-id": id, "table-name": "x"}), &["table-id", id]);
    }
    for route in [
        "default via 198.51.100.77; reboot",
        "default via 198.51.100.77\nroute add 10.0.0.0/8 via 10.1.1.1",
        "default via `reboot`",
        "default via 198.51.100.77 table main",
        "default via 198.51.100.77 nexthop via 198.51.100.78",
        "10.1.1.5/24 via 198.51.100.77",
        "10.0.0.0/8",
        "local 10.0.0.0/8 dev lo",
        "-batch /etc/passwd",
        "default via 198.51.100.77 via 198.51.100.78",
        "fd00::/64 via 198.51.100.77",
        "",
    ] {
        scene.refuses(
            "pbr-add-route",
            &json!({"table": "isp2", "route": route}),
            &["pbr-add-route", "route"],
        );
    }
    for rule in [
        "from all; flush",
        "from 10.0.0.0/8 goto 5",
        "from 10.1.1.1/24",
        "table main",
        "dport 0",
        "priority 0",
        "priority 32766",
        "from all blackhole",
    ] {
        let refused = scene.network.action("pbr-add-rule", &json!({"table": "isp2", "rule": rule}));
        refused.fails_with(1);
    }
    scene.refuses("pbr-add-route", &json!({"table": "isp2"}), &["route", "missing"]);
    scene.refuses("pbr-add-rule", &json!({"rule": "from all"}), &["table", "missing"]);
    assert_eq!(before, (scene.ip("rule show"), scene.ip("route show table all")));
    assert_eq!(column(&scene.network.acts("pbr-list-tables", &json!({})), "name"), ["isp2"]);
}

#[test]
fn unknown_actions_are_refused_with_the_known_names() {
    let lab = lab!();
    let scene = Scene::new(&lab);
    for name in ["reboot-the-universe", "../../bin/sh", "pbr-create-table; reboot", "-x"] {
        scene.refuses(name, &json!({}), &["pbr-create-table", "pbr-list-rules"]);
    }
}

#[test]
fn a_network_that_does_not_exist_has_no_tables() {
    let lab = lab!();
    let network = lab.network(209);
    let refused = network.action("pbr-create-table", &json!({"table-id": "100", "table-name": "isp2"}));
    refused.fails_with(3);
    assert!(refused.output.contains("network-209"), "{}", refused.output);
    let left: Vec<_> = lab.files().into_iter().map(|(path, ..)| path).collect();
    assert!(!left.iter().any(|path| path.ends_with("network-209")), "{left:?}");
}
