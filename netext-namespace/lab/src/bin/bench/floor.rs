//! The floor: the same changes to the kernel, written by hand for `ip -batch` and `nft -f`.
//!
//! What a person who knows exactly what is wanted would feed to the standard tools. The rules are taken from
//! the kernel after our own command, so that both sides put the same ones in force.

use std::process::Command;

use netext_lab::{Lab, Sandbox};

use crate::clock::{Work, program};

/// A folder in the lab's private `/run`.
const FOLDER: &str = "/run/floor";

/// A namespace of the floor's own, with the host's ends of its links.
pub(crate) struct Floor<'lab> {
    lab: &'lab Lab,
    namespace: String,
}

impl<'lab> Floor<'lab> {
    /// The floor that works in `namespace`, which need not be there yet.
    pub(crate) fn new(lab: &'lab Lab, namespace: &str) -> Self {
        std::fs::create_dir_all(FOLDER).expect("a folder for scripts");
        Self { lab, namespace: namespace.to_owned() }
    }

    /// The same with a namespace that holds these rules.
    pub(crate) fn with_rules(lab: &'lab Lab, namespace: &str, ruleset: &str) -> Self {
        let floor = Self::new(lab, namespace);
        Work::from(program("ip", &["netns", "add", namespace])).run();
        floor.set_rules(ruleset);
        floor
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// `ip -batch` on the host.
    pub(crate) fn ip_host(&self, name: &str, lines: &str) -> Command {
        program("ip", &["-batch", &self.script(name, lines)])
    }

    /// `ip -batch` in the namespace.
    pub(crate) fn ip_inside(&self, name: &str, lines: &str) -> Command {
        program("ip", &["-n", &self.namespace, "-batch", &self.script(name, lines)])
    }

    /// `nft -f` in the namespace.
    pub(crate) fn nft(&self, name: &str, lines: &str) -> Command {
        program("ip", &["netns", "exec", &self.namespace, "nft", "-f", &self.script(name, lines)])
    }

    /// `nft -f` in the namespace, after settings below `/proc/sys/net` have been made.
    pub(crate) fn settings_and_nft(&self, name: &str, settings: &[(&str, &str)], lines: &str) -> Command {
        let settings = settings.iter().map(|(path, value)| format!("echo {value} >/proc/sys/net/{path}; "));
        let shell = format!("{}exec nft -f {}", settings.collect::<String>(), self.script(name, lines));
        program("ip", &["netns", "exec", &self.namespace, "sh", "-c", &shell])
    }

    /// `nft -f` alone, to be spawned by a thread that is inside already.
    pub(crate) fn bare_nft(&self, name: &str, lines: &str) -> (Sandbox, Command) {
        let place = self.lab.inside(&self.namespace).sandbox().clone();
        (place, program("nft", &["-f", &self.script(name, lines)]))
    }

    /// Replaces all rules, outside of what is measured.
    pub(crate) fn set_rules(&self, ruleset: &str) {
        Work::from(self.nft("replace.nft", &format!("flush ruleset\n{ruleset}"))).run();
    }

    /// Ends the measurement unless the namespace has these rules: the floor must do what we do.
    pub(crate) fn must_have_rules(&self, ruleset: &str) {
        // What was counted meanwhile does not matter.
        let arguments = ["--stateless", "list", "ruleset"];
        let listed = self.lab.inside(&self.namespace).sandbox().output("nft", &arguments);
        let listed = String::from_utf8_lossy(&listed.stdout);
        assert_eq!(listed, ruleset, "the floor in {} put other rules in force than we did", self.namespace);
    }

    /// Deletes the namespace.
    pub(crate) fn delete(&self) {
        Work::from(program("ip", &["netns", "delete", &self.namespace])).run();
    }

    fn script(&self, name: &str, lines: &str) -> String {
        let path = format!("{FOLDER}/{}-{name}", self.namespace);
        std::fs::write(&path, lines).expect("a script of the floor");
        path
    }
}

/// The script that adds what the second of two listings has more: sets, their elements, and rules, anew for
/// chains that have more than some at their end. Command by command: a `table { ... }` that names a chain that is
/// there already takes nft and the kernel several times as long.
pub(crate) fn additions(before: &str, after: &str) -> String {
    let known: Vec<_> = blocks(before).collect();
    let new = blocks(after).filter(|block| !known.contains(block));
    new.map(|block| {
        let (kind, name) = kind_and_name(block);
        let old = known.iter().find(|old| kind_and_name(old) == (kind, name)).copied();
        if kind == "chain" { rules_to_add(name, old, block) } else { elements_to_add(kind, name, old, block) }
    })
    .collect()
}

fn elements_to_add(kind: &str, name: &str, old: Option<&str>, block: &str) -> String {
    let (header, elements) = block.split_once("elements = {").unwrap_or((block, ""));
    let set = match old {
        Some(_) => String::new(),
        None => format!("add {kind} inet netext {name} {{ {}; }}\n", inner_lines(header).join("; ")),
    };
    let elements: String = elements.chars().take_while(|sign| *sign != '}').collect();
    match elements.trim() {
        "" => set,
        some => format!("{set}add element inet netext {name} {{ {some} }}\n"),
    }
}

fn rules_to_add(name: &str, old: Option<&str>, block: &str) -> String {
    let rules = inner_lines(block);
    let (begin, added) = match old.map(inner_lines) {
        None => (format!("add chain inet netext {name}\n"), &rules[..]),
        Some(old) => match rules.strip_prefix(&old[..]) {
            Some(added) => (String::new(), added),
            None => (format!("flush chain inet netext {name}\n"), &rules[..]),
        },
    };
    let added = added.iter().map(|rule| format!("add rule inet netext {name} {rule}\n"));
    begin + &added.collect::<String>()
}

fn kind_and_name(block: &str) -> (&str, &str) {
    let mut words = block.split_whitespace();
    (words.next().unwrap_or_default(), words.next().unwrap_or_default())
}

/// The lines of a block without the one that opens it and the one that closes it.
fn inner_lines(block: &str) -> Vec<&str> {
    block.lines().skip(1).map(str::trim).filter(|line| !line.is_empty() && *line != "}").collect()
}

/// The sets and chains of a listing.
fn blocks(listing: &str) -> impl Iterator<Item = &str> {
    listing.split_inclusive("\n\t}\n").filter_map(|block| {
        // The first one follows the table's header, the others a blank line.
        let start =
            block.find("\tset ").or_else(|| block.find("\tmap ")).or_else(|| block.find("\tchain "))?;
        Some(&block[start..])
    })
}

/// The name of the set that has this element.
pub(crate) fn set_with<'a>(listing: &'a str, element: &str) -> &'a str {
    let block = blocks(listing).find(|block| block.contains(element));
    let block = block.unwrap_or_else(|| panic!("no set has {element}"));
    kind_and_name(block).1
}
