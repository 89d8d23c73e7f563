//! What a host's kernel has of the extension: links, addresses, routes, packet rules, and the daemons that run.

use std::collections::BTreeMap;

use super::rules;
use crate::processes;
use crate::sandbox::Sandbox;

/// What the kernel adds by itself, at a moment that nobody controls.
const BY_ITSELF: [&str; 4] = [" fe80::", " ff00::", "multicast", "fe80::/64"];
/// Words that come and go.
const PASSING: [&str; 4] = ["tentative", "dadfailed", "linkdown", "dead"];

/// The facts of the host and of each of its namespaces.
pub(super) fn facts(host: &Sandbox) -> BTreeMap<String, String> {
    let names = host.namespaces();
    let routers: Vec<_> =
        names.iter().filter_map(|name| Some((name.as_str(), host.named_namespace(name)?))).collect();
    let mut facts = BTreeMap::new();
    std::thread::scope(|scope| {
        let links = scope.spawn(|| links(host));
        let inside: Vec<_> =
            routers.iter().map(|(name, router)| scope.spawn(move || inside(name, router))).collect();
        facts.insert("links of the host".to_owned(), links.join().expect("no panic"));
        facts.extend(inside.into_iter().flat_map(|it| it.join().expect("no panic")));
    });
    facts
}

fn links(host: &Sandbox) -> String {
    let text = print(host, "ip", &["-oneline", "link", "show"]);
    // The lab's own cables are numbered on and on, and a bridge outlives the networks that need it.
    let counts = |line: &&str| {
        let name = line.split_whitespace().nth(1).unwrap_or_default();
        !["lab", "br"].iter().any(|start| name.starts_with(start))
    };
    let lines = text.lines().filter(counts);
    sorted(lines.map(link))
}

/// A link without its number, and without what depends on other numbers.
fn link(line: &str) -> String {
    let words: Vec<_> = line.split_whitespace().skip(1).collect();
    let name = words.first().map(|name| name.split('@').next().unwrap_or(name).trim_end_matches(':'));
    let value =
        |name: &str| words.iter().skip_while(|word| **word != name).nth(1).copied().unwrap_or_default();
    // The host's ends have random addresses.
    let mac = if value("master").is_empty() { value("link/ether") } else { "" };
    let is_up = words.get(1).is_some_and(|flags| flags.contains(",UP") || flags.contains("<UP"));
    format!("{} up={is_up} master={} mtu={} {mac}", name.unwrap_or_default(), value("master"), value("mtu"))
}

fn inside(name: &str, router: &Sandbox) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    std::thread::scope(|scope| {
        let rules = scope.spawn(|| print(router, "nft", &["--stateless", "list", "ruleset"]));
        let listings = ["-4", "-6"].map(|family| scope.spawn(move || (family, listing(router, family))));
        facts.push((format!("rules of {name}"), rules::in_order(&rules.join().expect("no panic"))));
        for listing in listings {
            let (family, text) = listing.join().expect("no panic");
            facts.push((format!("addresses and routes of {name} ({family})"), text));
        }
    });
    facts.push((format!("links of {name}"), sorted(print(router, "ip", &["-o", "link"]).lines().map(link))));
    facts.push((format!("daemons of {name}"), daemons(router)));
    facts
}

/// The addresses, routes and routing rules of a family.
fn listing(router: &Sandbox, family: &str) -> String {
    let objects = [&["address"][..], &["route", "show", "table", "all"], &["rule"]];
    let texts = objects.map(|words| print(router, "ip", &[&["-oneline", family], words].concat()));
    let lines = texts.iter().flat_map(|text| text.lines());
    sorted(lines.filter(|line| !BY_ITSELF.iter().any(|mark| line.contains(mark))).map(|line| {
        // An address begins with the number of its interface.
        let skipped = usize::from(line.contains("valid_lft"));
        let words = line.split_whitespace().skip(skipped).filter(|word| !PASSING.contains(word));
        words.collect::<Vec<_>>().join(" ")
    }))
}

/// The command lines of the processes in a namespace.
fn daemons(router: &Sandbox) -> String {
    // What follows the configuration depends on the daemon that it took over from.
    let words = |line: String| line.split(" -p ").next().map(str::to_owned).unwrap_or_default();
    sorted(processes::in_network_of(router).into_iter().map(|(_, line)| words(line)))
}

fn sorted(lines: impl Iterator<Item = String>) -> String {
    let mut lines: Vec<_> = lines.collect();
    lines.sort();
    lines.join("\n")
}

fn print(sandbox: &Sandbox, program: &str, arguments: &[&str]) -> String {
    String::from_utf8_lossy(&sandbox.output(program, arguments).stdout).into_owned()
}
