//! The exact differences between the packet rules in force and the desired ones.
//!
//! A rule can be written in many ways, and nft lists it in one of them. So the desired rules are put in force in an
//! empty namespace, and nft lists both.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Map, Value};

use super::namespace::Namespace;
use super::nft::{self, NftError};
use crate::drift::DifferenceKind;

/// More elements than this are counted instead of named.
const NAMED: usize = 3;
/// The fields that change by themselves: numbers that the kernel gives, counts of packets, remaining times.
const LIVE: [&str; 5] = ["handle", "packets", "bytes", "expires", "index"];

/// The objects of a table by kind and name, each with its declaration and its rules or elements.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TableListing(BTreeMap<(String, String), TableObject>);

#[derive(Debug, Default, PartialEq, Eq)]
struct TableObject {
    declared: String,
    holds: Vec<String>,
}

/// The changes that make the rules of a namespace those of `script`, which creates the whole table.
///
/// # Errors
/// If nft fails, or its list cannot be read.
pub fn differences(
    namespace: &Namespace,
    script: &str,
    deadline: Instant,
) -> Result<Vec<(DifferenceKind, String)>, NftError> {
    let elsewhere = Namespace::nameless(namespace.name())?;
    nft::run(&elsewhere, script, deadline)?;
    let wanted = TableListing::of(&elsewhere, deadline)?;
    let found = TableListing::of(namespace, deadline)?;
    Ok(found.differences_to(&wanted))
}

impl TableListing {
    fn of(namespace: &Namespace, deadline: Instant) -> Result<Self, NftError> {
        Self::read(&nft::list(namespace, deadline)?)
            .map_err(|error| NftError::Failed { attempted: "read the list of", source: error.into() })
    }

    /// Reads what nft lists.
    pub(super) fn read(json: &[u8]) -> serde_json::Result<Self> {
        let shown: Value = serde_json::from_slice(json)?;
        let mut listing = Self::default();
        for entry in shown["nftables"].as_array().into_iter().flatten() {
            let Some((kind, Value::Object(object))) = entry.as_object().and_then(|entry| entry.iter().next())
            else {
                continue;
            };
            listing.take(kind, object.clone());
        }
        Ok(listing)
    }

    fn take(&mut self, kind: &str, mut object: Map<String, Value>) {
        let name = |value: Option<Value>| value.and_then(|name| name.as_str().map(str::to_owned));
        if kind == "rule" {
            if let Some(chain) = name(object.remove("chain")) {
                let rule = object.remove("expr").map(without_live).unwrap_or_default();
                self.0.entry(("chain".to_owned(), chain)).or_default().holds.push(rule.to_string());
            }
            return;
        }
        let Some(name) = name(object.remove("name")).filter(|_| kind != "metainfo" && kind != "table") else {
            return;
        };
        let elements = object.remove("elem");
        // Elements that packets add to a set are not planned.
        let is_dynamic = object.get("flags").is_some_and(|flags| flags.to_string().contains("dynamic"));
        let mut holds: Vec<_> = elements.iter().filter_map(Value::as_array).flatten().map(words).collect();
        holds.sort();
        if is_dynamic {
            holds.clear();
        }
        let declared = without_live(Value::Object(object)).to_string();
        self.0
            .entry((kind.to_owned(), name))
            .and_modify(|it| it.declared.clone_from(&declared))
            .or_insert(TableObject { declared, holds });
    }

    pub(super) fn differences_to(&self, wanted: &Self) -> Vec<(DifferenceKind, String)> {
        let mut differences = Vec::new();
        for ((kind, name), object) in &wanted.0 {
            match self.0.get(&(kind.clone(), name.clone())) {
                Some(found) if found == object => {}
                Some(found) => {
                    let how = found.difference_to(object, if kind == "chain" { "rule" } else { "element" });
                    differences.push((
                        DifferenceKind::Modify,
                        format!("repair {kind} {name} of the packet rules: {how}"),
                    ));
                }
                None => {
                    differences.push((DifferenceKind::Add, format!("add {kind} {name} to the packet rules")));
                }
            }
        }
        for (kind, name) in self.0.keys().filter(|key| !wanted.0.contains_key(*key)) {
            differences.push((DifferenceKind::Remove, format!("remove {kind} {name} from the packet rules")));
        }
        differences
    }
}

impl TableObject {
    fn difference_to(&self, wanted: &Self, what: &str) -> String {
        let (missing, foreign) = (beyond(&wanted.holds, &self.holds), beyond(&self.holds, &wanted.holds));
        let described = |list: &[&String], how: &str| {
            let named = if what == "element" && list.len() <= NAMED {
                format!(" ({})", list.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", "))
            } else {
                String::new()
            };
            let plural = if list.len() == 1 { "" } else { "s" };
            (!list.is_empty()).then(|| format!("{} {what}{plural} {how}{named}", list.len()))
        };
        let parts: Vec<_> =
            [described(&missing, "missing"), described(&foreign, "not ours")].into_iter().flatten().collect();
        match parts.is_empty() {
            false => parts.join(", "),
            true if self.declared == wanted.declared => format!("{what}s in another order"),
            true => "declared otherwise".to_owned(),
        }
    }
}

/// The items that occur more often in `these` than in `others`.
fn beyond<'t>(these: &'t [String], others: &[String]) -> Vec<&'t String> {
    let mut left: Vec<_> = others.iter().collect();
    let is_surplus = |it: &&String| match left.iter().position(|other| other == it) {
        Some(position) => {
            left.swap_remove(position);
            false
        }
        None => true,
    };
    these.iter().filter(is_surplus).collect()
}

fn without_live(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.into_iter().filter(|(key, _)| !LIVE.contains(&key.as_str()));
            Value::Object(kept.map(|(key, value)| (key, without_live(value))).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(without_live).collect()),
        other => other,
    }
}

/// An element as nft writes it for people.
fn words(element: &Value) -> String {
    let joined = |list: &[Value], by: &str| list.iter().map(words).collect::<Vec<_>>().join(by);
    match element {
        Value::Array(pair) => joined(pair, " : "),
        Value::String(text) => text.clone(),
        Value::Object(object) => match object.iter().next() {
            Some((key, Value::Array(fields))) if key == "concat" => joined(fields, " . "),
            Some((key, Value::Array(ends))) if key == "range" => joined(ends, "-"),
            Some((key, prefix)) if key == "prefix" => {
                format!("{}/{}", words(&prefix["addr"]), prefix["len"])
            }
            Some((key, inner)) if key == "elem" => words(&inner["val"]),
            Some((verdict, Value::Null)) => verdict.clone(),
            Some((verdict, inner)) if inner["target"].is_string() => {
                format!("{verdict} {}", words(&inner["target"]))
            }
            _ => without_live(element.clone()).to_string(),
        },
        other => other.to_string(),
    }
}
