//! A table's sets and chains as data, and the nft scripts that bring a table from one state to another.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The contents of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// Sets and maps by name.
    pub sets: BTreeMap<String, Set>,
    /// Chains by name.
    pub chains: BTreeMap<String, Chain>,
}

/// A set, or a map if its elements have values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// `set` or `map`.
    keyword: &'static str,
    /// What nft calls the type of the elements.
    element_type: &'static str,
    /// Whether elements may be ranges and prefixes.
    ranges: bool,
    /// The elements; a map's with their values.
    elements: BTreeMap<String, Option<String>>,
}

/// A chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// Where the kernel enters it, and its policy; `None` for a chain that others jump to.
    pub hook: Option<&'static str>,
    /// The rules in order.
    pub rules: Vec<String>,
}

const TABLE: &str = "inet netext";

impl Set {
    /// A set of single values.
    pub fn of(element_type: &'static str) -> Self {
        Self { keyword: "set", element_type, ranges: false, elements: BTreeMap::new() }
    }

    /// A map from single values.
    pub fn map(element_type: &'static str) -> Self {
        Self { keyword: "map", ..Self::of(element_type) }
    }

    /// The same for ranges and prefixes.
    pub fn of_ranges(self) -> Self {
        Self { ranges: true, ..self }
    }

    /// The elements' keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.elements.keys().map(String::as_str)
    }

    fn header(&self) -> String {
        let flags = if self.ranges { " flags interval;" } else { "" };
        format!("type {};{flags}", self.element_type)
    }
}

fn element(key: &str, value: Option<&String>) -> String {
    match value {
        None => key.to_owned(),
        Some(value) => format!("{key} : {value}"),
    }
}

impl Ruleset {
    /// Adds an element to a set.
    pub fn add(&mut self, set: &str, key: impl ToString) {
        self.set(set).elements.insert(key.to_string(), None);
    }

    /// Adds an element to a map.
    pub fn map(&mut self, map: &str, key: impl ToString, value: impl ToString) {
        self.set(map).elements.insert(key.to_string(), Some(value.to_string()));
    }

    /// Adds a rule at the end of a chain.
    pub fn rule(&mut self, chain: &str, rule: impl Into<String>) {
        self.chains.entry(chain.to_owned()).or_default().rules.push(rule.into());
    }

    fn set(&mut self, name: &str) -> &mut Set {
        self.sets.get_mut(name).expect("a set is declared before it is filled")
    }

    /// The script that makes the table in a namespace that has none.
    pub fn create(&self) -> String {
        let mut script = format!("table {TABLE} {{\n");
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

    /// The script that makes the table whatever there was before, in one transaction.
    pub fn replace(&self) -> String {
        format!("table {TABLE}\ndelete table {TABLE}\n{}", self.create())
    }

    /// The script that brings the table from `self` to `wanted`, empty where they are the same. Deleting
    /// costs the kernel a grace period, so what can be done by adding alone is.
    pub fn change_to(&self, wanted: &Self) -> String {
        let mut script = String::new();
        for (name, chain) in &wanted.chains {
            if !self.chains.contains_key(name) {
                let hook = chain.hook.map(|hook| format!(" {{ {hook} }}")).unwrap_or_default();
                let _ = writeln!(script, "add chain {TABLE} {name}{hook}");
            }
        }
        for (name, set) in &wanted.sets {
            let old = self.sets.get(name);
            if old.is_none() {
                let _ = writeln!(script, "add {} {TABLE} {name} {{ {} }}", set.keyword, set.header());
            }
            let nothing = BTreeMap::new();
            change_elements(&mut script, name, old.map_or(&nothing, |old| &old.elements), &set.elements);
        }
        for (name, chain) in &wanted.chains {
            let old = self.chains.get(name).map_or(&[][..], |chain| &chain.rules);
            let added = chain.rules.strip_prefix(old).unwrap_or_else(|| {
                let _ = writeln!(script, "flush chain {TABLE} {name}");
                &chain.rules
            });
            for rule in added {
                let _ = writeln!(script, "add rule {TABLE} {name} {rule}");
            }
        }
        for name in self.chains.keys().filter(|name| !wanted.chains.contains_key(*name)) {
            let _ = writeln!(script, "flush chain {TABLE} {name}\ndelete chain {TABLE} {name}");
        }
        for (name, set) in self.sets.iter().filter(|(name, _)| !wanted.sets.contains_key(*name)) {
            let _ = writeln!(script, "delete {} {TABLE} {name}", set.keyword);
        }
        script
    }
}

/// Deletes come first: a new range may overlap an old one.
fn change_elements(
    script: &mut String,
    set: &str,
    old: &BTreeMap<String, Option<String>>,
    wanted: &BTreeMap<String, Option<String>>,
) {
    let gone = old.iter().filter(|(key, value)| wanted.get(*key) != Some(*value));
    let new = wanted.iter().filter(|(key, value)| old.get(*key) != Some(*value));
    let list = |elements: &mut dyn Iterator<Item = (&String, &Option<String>)>| {
        elements.map(|(key, value)| element(key, value.as_ref())).collect::<Vec<_>>().join(", ")
    };
    for (verb, elements) in [("delete", list(&mut { gone })), ("add", list(&mut { new }))] {
        if !elements.is_empty() {
            let _ = writeln!(script, "{verb} element {TABLE} {set} {{ {elements} }}");
        }
    }
}
