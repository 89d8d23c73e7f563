//! The floor: the same changes to the kernel, written by hand for `ip -batch` and `nft -f`, as an expert would write
//! them.
//!
//! The rules are read from the kernel after our own command, so that both sides apply the same ones.

use std::process::Command;

use netext_lab::{Lab, Network, Sandbox};

use crate::clock::{Work, interleave, milliseconds, program, settle};
use crate::series::Series;

/// A folder in the lab's private `/run`.
const FOLDER: &str = "/run/floor";

/// The floor's own namespace, with the host's ends of its links.
pub(crate) struct Floor<'lab> {
    lab: &'lab Lab,
    namespace: String,
}

impl<'lab> Floor<'lab> {
    /// A floor that works in `namespace`, which need not exist yet.
    pub(crate) fn new(lab: &'lab Lab, namespace: &str) -> Self {
        std::fs::create_dir_all(FOLDER).expect("a folder for scripts");
        Self { lab, namespace: namespace.to_owned() }
    }

    /// A floor with a new namespace that has these rules.
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

    /// Writes settings below `/proc/sys/net`, then runs `nft -f` in the namespace.
    pub(crate) fn settings_and_nft(&self, name: &str, settings: &[(&str, &str)], lines: &str) -> Command {
        let settings = settings.iter().map(|(path, value)| format!("echo {value} >/proc/sys/net/{path}; "));
        let shell = format!("{}exec nft -f {}", settings.collect::<String>(), self.script(name, lines));
        program("ip", &["netns", "exec", &self.namespace, "sh", "-c", &shell])
    }

    /// `nft -f` alone, for a thread that is in the namespace already.
    pub(crate) fn bare_nft(&self, name: &str, lines: &str) -> (Sandbox, Command) {
        let place = self.lab.inside(&self.namespace).sandbox().clone();
        (place, program("nft", &["-f", &self.script(name, lines)]))
    }

    /// Replaces all rules; not part of a measurement.
    pub(crate) fn set_rules(&self, ruleset: &str) {
        Work::from(self.nft("replace.nft", &format!("flush ruleset\n{ruleset}"))).run();
    }

    /// Ends the benchmark unless the namespace has these rules: the floor must have the same effect as ours.
    pub(crate) fn must_have_rules(&self, ruleset: &str) {
        // Without counters.
        let arguments = ["--stateless", "list", "ruleset"];
        let listed = self.lab.inside(&self.namespace).sandbox().output("nft", &arguments);
        let listed = String::from_utf8_lossy(&listed.stdout);
        assert_eq!(listed, ruleset, "the floor in {} applied other rules than ours", self.namespace);
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

/// The commands of ours that empty a list of rules and fill it, and the floor's script that does the same.
pub(crate) struct Refill<'lab> {
    pub(crate) floor: Floor<'lab>,
    /// The rules with the full list.
    pub(crate) full: String,
    empty: String,
    script: Work,
}

impl<'lab> Refill<'lab> {
    /// Runs both sides once. The list is full afterwards.
    pub(crate) fn new(
        lab: &'lab Lab,
        namespace: &str,
        network: &Network<'_>,
        to_empty: &mut Work,
        to_fill: &mut Work,
    ) -> Self {
        to_empty.run();
        let empty = network.router().ruleset();
        to_fill.run();
        let full = network.router().ruleset();
        let floor = Floor::with_rules(lab, namespace, &empty);
        let mut script: Work = floor.nft("all.nft", &additions(&empty, &full)).into();
        script.run();
        floor.must_have_rules(&full);
        Self { floor, full, empty, script }
    }

    /// Times ours and the floor from the empty list to the full one.
    pub(crate) fn measure(
        &mut self,
        rounds: usize,
        to_empty: &mut Work,
        to_fill: &mut Work,
    ) -> (Series, Series) {
        interleave(
            rounds,
            |_| {
                to_empty.run();
                settle();
                milliseconds(to_fill.run())
            },
            |_| {
                self.floor.set_rules(&self.empty);
                settle();
                milliseconds(self.script.run())
            },
        )
    }
}

/// The script that leads from one listing to another: it adds sets, elements and rules, and rewrites a chain unless new
/// rules only follow its old ones. It is a list of commands: nft and the kernel take several times as long for a
/// `table { ... }` that names an existing chain.
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

/// The lines of a block without its opening and closing lines.
fn inner_lines(block: &str) -> Vec<&str> {
    block.lines().skip(1).map(str::trim).filter(|line| !line.is_empty() && *line != "}").collect()
}

/// The sets and chains of a listing.
fn blocks(listing: &str) -> impl Iterator<Item = &str> {
    listing.split_inclusive("\n\t}\n").filter_map(|block| {
        // The first block follows the table's header, the others follow a blank line.
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
