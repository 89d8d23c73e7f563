//! The sets and chains of a table as data, and the nft scripts that change a table from one state to another.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::mem;

use crate::plan::{ElementChange, ElementField, ElementFields, PACKET_TABLE, SetElement};

/// The contents of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// Sets and maps by name.
    pub sets: BTreeMap<String, ElementSet>,
    /// Chains by name.
    pub chains: BTreeMap<String, RuleChain>,
}

/// A set, or a map if its elements have values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementSet {
    /// `set` or `map`.
    keyword: &'static str,
    /// The type of the elements, as nft names it.
    element_type: &'static str,
    /// Whether elements may be ranges and prefixes.
    ranges: bool,
    /// Whether every element counts the packets that are looked up and found.
    counts: bool,
    /// The elements: in the order in which they were added, and in a complete ruleset in the order of their keys,
    /// each once.
    elements: Vec<SetElement>,
}

/// A chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleChain {
    /// Where the kernel enters it, and its policy; `None` for a chain that others jump to.
    pub hook: Option<&'static str>,
    /// The rules in order.
    pub rules: Vec<String>,
}

/// The change of a table from one state to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulesetChange {
    /// None.
    Nothing,
    /// Elements alone, which the kernel can change directly.
    Elements(Vec<ElementChange>),
    /// A script for `nft`.
    Script(String),
}

impl ElementSet {
    /// A set of single values.
    pub fn of(element_type: &'static str) -> Self {
        Self { keyword: "set", element_type, ranges: false, counts: false, elements: Vec::new() }
    }

    /// A map from single values.
    pub fn map(element_type: &'static str) -> Self {
        Self { keyword: "map", ..Self::of(element_type) }
    }

    /// The same for ranges and prefixes.
    pub fn of_ranges(self) -> Self {
        Self { ranges: true, ..self }
    }

    /// The same with a count of packets and bytes for every element.
    pub fn counted(self) -> Self {
        Self { counts: true, ..self }
    }

    /// The elements' keys.
    pub fn keys(&self) -> impl Iterator<Item = &ElementFields> {
        self.elements.iter().map(|(key, _)| key)
    }

    /// Whether the kernel compares its elements byte by byte.
    fn is_plain(&self) -> bool {
        !self.ranges && !self.element_type.ends_with("verdict")
    }

    /// Sorts the elements. Of several with one key the last one counts.
    fn complete(&mut self) {
        // Most of them are in order, and then this looks at each once.
        self.elements.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.elements.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                mem::swap(later, earlier);
            }
            is_same
        });
    }

    fn header(&self) -> String {
        let flags = if self.ranges { " flags interval;" } else { "" };
        let counter = if self.counts { " counter;" } else { "" };
        format!("type {};{flags}{counter}", self.element_type)
    }
}

/// The elements of `from` that are not in `to`; both are in order.
fn missing(from: &[SetElement], to: &[SetElement]) -> Vec<SetElement> {
    let mut to = to.iter().peekable();
    let is_missing = |element: &&SetElement| {
        // Nearly all of them are in both, and equality is cheaper to find than order.
        if to.next_if(|other| other == element).is_some() {
            return false;
        }
        while to.next_if(|other| other.0 < element.0).is_some() {}
        to.next_if(|other| other == element).is_none()
    };
    from.iter().filter(is_missing).cloned().collect()
}

fn element(key: &ElementFields, value: Option<&ElementFields>) -> String {
    match value {
        None => key.to_string(),
        Some(value) => format!("{key} : {value}"),
    }
}

impl Ruleset {
    /// Adds an element to a set.
    pub fn add<const N: usize>(&mut self, set: &str, key: [ElementField; N]) {
        self.set(set).elements.push((ElementFields(key.into()), None));
    }

    /// Adds an element to a map.
    pub fn map<const N: usize, const M: usize>(
        &mut self,
        map: &str,
        key: [ElementField; N],
        value: [ElementField; M],
    ) {
        self.set(map).elements.push((ElementFields(key.into()), Some(ElementFields(value.into()))));
    }

    /// Adds a rule at the end of a chain.
    pub fn rule(&mut self, chain: &str, rule: impl Into<String>) {
        self.chains.entry(chain.to_owned()).or_default().rules.push(rule.into());
    }

    /// The complete ruleset, with its elements sorted.
    pub fn complete(mut self) -> Self {
        self.sets.values_mut().for_each(ElementSet::complete);
        self
    }

    fn set(&mut self, name: &str) -> &mut ElementSet {
        self.sets.get_mut(name).expect("a set is declared before it is filled")
    }

    /// The script that creates the table in a namespace that has none.
    pub fn create(&self) -> String {
        let mut script = format!("table {PACKET_TABLE} {{\n");
        for (name, set) in &self.sets {
            let _ = write!(script, "\t{} {name} {{\n\t\t{}\n", set.keyword, set.header());
            if !set.elements.is_empty() {
                let elements: Vec<_> =
                    set.elements.iter().map(|(key, value)| element(key, value.as_ref())).collect();
                let _ = writeln!(script, "\t\telements = {{\n\t\t\t{}\n\t\t}}", elements.join(",\n\t\t\t"));
            }
            script.push_str("\t}\n");
        }
        for (name, chain) in &self.chains {
            let _ = writeln!(script, "\tchain {name} {{");
            for line in chain.hook.into_iter().chain(chain.rules.iter().map(String::as_str)) {
                let _ = writeln!(script, "\t\t{line}");
            }
            script.push_str("\t}\n");
        }
        script.push_str("}\n");
        script
    }

    /// The script that replaces any table of that name, in one transaction.
    pub fn replace(&self) -> String {
        format!("table {PACKET_TABLE}\ndelete table {PACKET_TABLE}\n{}", self.create())
    }

    /// The change of the table from `self` to `wanted`. It prefers adding to deleting, which costs the kernel a
    /// grace period.
    pub fn change_to(&self, wanted: &Self) -> RulesetChange {
        let elements = self.changed_elements(wanted);
        let mut script = String::new();
        self.add_chains_and_sets(wanted, &mut script);
        let made = script.len();
        self.change_rules(wanted, &mut script);
        self.delete_chains_and_sets(wanted, &mut script);

        let plain = elements.iter().all(|change| wanted.sets[&change.set].is_plain());
        match (script.is_empty(), elements.is_empty()) {
            (true, true) => RulesetChange::Nothing,
            (true, false) if plain => RulesetChange::Elements(elements),
            _ => {
                // Elements change between the two: the chains and sets that they name exist then.
                let behind = script.split_off(made);
                for change in elements {
                    let _ = writeln!(script, "{change}");
                }
                script.push_str(&behind);
                RulesetChange::Script(script)
            }
        }
    }

    /// The elements to delete and to add, of sets that stay or are new. Deletions come first: a new range may
    /// overlap an old one.
    fn changed_elements(&self, wanted: &Self) -> Vec<ElementChange> {
        let mut changes = Vec::new();
        for (name, set) in &wanted.sets {
            let old = self.sets.get(name).map_or(&[][..], |old| &old.elements);
            for (add, elements) in [(false, missing(old, &set.elements)), (true, missing(&set.elements, old))]
            {
                if !elements.is_empty() {
                    changes.push(ElementChange { add, set: name.clone(), elements });
                }
            }
        }
        changes
    }

    fn add_chains_and_sets(&self, wanted: &Self, script: &mut String) {
        for (name, chain) in wanted.chains.iter().filter(|(name, _)| !self.chains.contains_key(*name)) {
            let hook = chain.hook.map(|hook| format!(" {{ {hook} }}")).unwrap_or_default();
            let _ = writeln!(script, "add chain {PACKET_TABLE} {name}{hook}");
        }
        for (name, set) in wanted.sets.iter().filter(|(name, _)| !self.sets.contains_key(*name)) {
            let _ = writeln!(script, "add {} {PACKET_TABLE} {name} {{ {} }}", set.keyword, set.header());
        }
    }

    fn change_rules(&self, wanted: &Self, script: &mut String) {
        for (name, chain) in &wanted.chains {
            let old = self.chains.get(name).map_or(&[][..], |chain| &chain.rules);
            let added = chain.rules.strip_prefix(old).unwrap_or_else(|| {
                let _ = writeln!(script, "flush chain {PACKET_TABLE} {name}");
                &chain.rules
            });
            for rule in added {
                let _ = writeln!(script, "add rule {PACKET_TABLE} {name} {rule}");
            }
        }
    }

    fn delete_chains_and_sets(&self, wanted: &Self, script: &mut String) {
        for name in self.chains.keys().filter(|name| !wanted.chains.contains_key(*name)) {
            let _ = writeln!(script, "flush chain {PACKET_TABLE} {name}\ndelete chain {PACKET_TABLE} {name}");
        }
        for (name, set) in self.sets.iter().filter(|(name, _)| !wanted.sets.contains_key(*name)) {
            let _ = writeln!(script, "delete {} {PACKET_TABLE} {name}", set.keyword);
        }
    }
}
