//! Another host that builds the router from its state alone, to compare with the router that changed step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use serde_json::Value;

use super::expected::ExpectedRouter;
use super::site::{Place, Site};
use crate::lab::Lab;
use crate::sandbox::Sandbox;

/// What the kernel and the programs give, and what counts.
const LIVE: [&str; 13] = [
    "secondary",
    "handle",
    "packets",
    "bytes",
    "expires",
    "index",
    "ifindex",
    "link_index",
    "link_netnsid",
    "stats",
    "stats64",
    "valid_life_time",
    "preferred_life_time",
];
/// The lists of `ip` to compare.
const LISTS: [&str; 5] =
    ["link show", "address show", "-4 route show table all", "-6 route show table all", "rule show"];

/// Compares the router of `lab` with one that `twin` builds from the same state. Returns the differences.
pub(super) fn differences(lab: &Lab, twin: &Lab, router: &ExpectedRouter, namespace: &str) -> Vec<String> {
    let site = router.site;
    copy_state(lab, twin);
    let built = twin.start_bare(&["reconcile", "--all"]).finish();
    let mut differences = Vec::new();
    // A route of an operator cannot be in force without an address on its segment. Then the router is reported.
    let is_whole = router.detours.iter().all(|(_, detour)| router.is_on(detour.vlan));
    if is_whole && built.code != Some(0) {
        differences.push(format!("reconcile fails on another host: {}", built.output.trim()));
    }
    let (changed, whole) = (Picture::of(lab, site, namespace), Picture::of(twin, site, namespace));
    differences.extend(changed.0.difference(&whole.0).map(|line| format!("only after the changes: {line}")));
    differences.extend(whole.0.difference(&changed.0).map(|line| format!("only from scratch: {line}")));
    clear(twin);
    differences
}

/// Only the documents: everything else is to be built.
fn copy_state(lab: &Lab, twin: &Lab) {
    for (path, _, text) in lab.files() {
        let name = path.file_name().unwrap_or_default();
        if name == "state.json" || name == "vpc" {
            twin.host().run(|| {
                let folder = path.parent().expect("a file in a folder");
                fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o711)
                    .create(folder)
                    .expect("a folder of the twin");
                fs::write(&path, &text).expect("a document of the twin");
            });
        }
    }
}

fn clear(twin: &Lab) {
    // Nothing is plugged in there.
    let _ = twin.reboot();
    let folder = twin.state_folder();
    twin.host().run(|| {
        if Path::new(&folder).exists() {
            fs::remove_dir_all(&folder).expect("the twin's state can be removed");
        }
    });
}

/// Everything that a router consists of, as lines.
struct Picture(BTreeSet<String>);

impl Picture {
    fn of(lab: &Lab, site: Site, namespace: &str) -> Self {
        let mut lines = BTreeSet::new();
        if let Some(router) = lab.host().named_namespace(namespace) {
            lines.extend(ruleset(&router));
            let gateways: Vec<_> =
                site.tiers().iter().map(|tier| site.interface(Place::Guests(*tier))).collect();
            for words in LISTS {
                lines.extend(
                    list(&router, words, &gateways).into_iter().map(|line| format!("ip {words}: {line}")),
                );
            }
        }
        for (path, mode, text) in lab.files() {
            let kind = path.extension().and_then(|kind| kind.to_str());
            if matches!(kind, Some("conf" | "cfg")) {
                let text = text.lines().map(|line| format!("{} {mode:o}: {line}", path.display()));
                lines.extend(text);
            }
        }
        Self(lines)
    }
}

fn json(router: &Sandbox, program: &str, words: &[&str]) -> Vec<Value> {
    let output = router.output(program, words);
    assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let listed: Value = serde_json::from_str(text.trim()).unwrap_or_default();
    let listed = if program == "nft" { listed["nftables"].clone() } else { listed };
    listed.as_array().cloned().unwrap_or_default()
}

/// One line for each object, for each element of a set, and for each chain with its rules in order.
fn ruleset(router: &Sandbox) -> Vec<String> {
    let mut lines = Vec::new();
    let mut lengths: BTreeMap<String, usize> = BTreeMap::new();
    for mut object in json(router, "nft", &["-j", "list", "ruleset"]) {
        strip(&mut object);
        if let Some(rule) = object.get("rule") {
            let chain = rule["chain"].to_string();
            let position = lengths.entry(chain.clone()).or_default();
            *position += 1;
            lines.push(format!("rule {position} of {chain}: {}", rule["expr"]));
            continue;
        }
        let of_set = ["set", "map"].into_iter().find(|kind| object.get(kind).is_some());
        let elements = of_set.and_then(|kind| object[kind].as_object_mut()?.remove("elem"));
        let name = of_set.map(|kind| object[kind]["name"].to_string()).unwrap_or_default();
        for element in elements.iter().filter_map(Value::as_array).flatten() {
            lines.push(format!("element of {name}: {element}"));
        }
        if object.get("metainfo").is_none() {
            lines.push(object.to_string());
        }
    }
    lines
}

/// Addresses that the kernel makes from hardware addresses are left out, and so are those hardware addresses: only a
/// guests' gateway has one that follows from the network.
fn list(router: &Sandbox, words: &str, gateways: &[String]) -> Vec<String> {
    let arguments: Vec<_> = std::iter::once("-j").chain(words.split(' ')).collect();
    let mut lines = Vec::new();
    for mut object in json(router, "ip", &arguments) {
        strip(&mut object);
        let is_gateway = object["ifname"].as_str().is_some_and(|name| gateways.iter().any(|it| it == name));
        if let Some(fields) = object.as_object_mut() {
            if !is_gateway {
                fields.remove("address");
            }
            // The first address of a subnet is the kernel's choice for its own routes.
            if fields.get("protocol").is_some_and(|protocol| protocol == "kernel") {
                fields.remove("prefsrc");
            }
            if let Some(addresses) = fields.get_mut("addr_info").and_then(Value::as_array_mut) {
                addresses.retain(|address| address["scope"] != "link");
                addresses.sort_by_key(ToString::to_string);
            }
        }
        let is_of_link =
            ["fe80", "ff00", "multicast"].iter().any(|word| object["dst"].to_string().contains(word));
        if !is_of_link {
            lines.push(object.to_string());
        }
    }
    lines
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !LIVE.contains(&name.as_str()));
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
