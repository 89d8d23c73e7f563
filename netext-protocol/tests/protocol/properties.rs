//! Properties of every request, not only of the samples.

use netext_protocol::{Command, Envelope};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value};

use crate::strategies;
use crate::wire::{check_message, samples};

/// Tries a property on arbitrary values of a strategy, the same ones in every run.
fn holds<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::default()))
        .run(strategy, property)
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_written_request_reads_back_equal() {
    for &command in Command::ALL {
        holds(32, &strategies::envelope(command), |envelope| {
            let text = envelope.to_json();
            let again = Envelope::parse(command, text.as_bytes());
            prop_assert_eq!(again.as_ref(), Ok(&envelope), "{}", text);
            #[cfg(feature = "schema")]
            crate::schemas::check_request(command, &serde_json::from_str(&text).unwrap());

            let strict = envelope.to_strict_json();
            let again = Envelope::parse(command, strict.as_bytes());
            prop_assert_eq!(again.as_ref(), Ok(&envelope), "{}", strict);
            #[cfg(feature = "schema")]
            crate::schemas::check_strict(command, &serde_json::from_str(&strict).unwrap());
            Ok(())
        });
    }
}

#[test]
fn every_accepted_spelling_reads_the_same() {
    for &command in Command::ALL {
        let written = (strategies::envelope(command), proptest::collection::vec(any::<u8>(), 32));
        holds(32, &written, |(envelope, choices)| {
            let plain: Value = serde_json::from_str(&envelope.to_json()).unwrap();
            let mut file = plain.clone();
            Dialect { choices: choices.iter().cycle().copied(), absent: &ABSENT }.rewrite(&mut file, command);
            let again = Envelope::parse(command, file.to_string().as_bytes())
                .map_err(|error| TestCaseError::fail(format!("{error}\n{file}")))?;
            let again: Value = serde_json::from_str(&again.to_json()).unwrap();
            prop_assert_eq!(known(again), known(plain), "{}", file);
            #[cfg(feature = "schema")]
            crate::schemas::check_request(command, &file);
            Ok(())
        });
    }
}

#[test]
fn no_damage_to_a_sample_makes_the_reader_panic() {
    let samples = samples();
    let damage =
        (0..samples.len(), proptest::collection::vec((any::<prop::sample::Index>(), damage()), 1..6));
    holds(1500, &damage, |(index, edits)| {
        let sample = &samples[index];
        let mut file = sample.file.clone();
        for (place, edit) in edits {
            edit.apply(&mut file, place);
        }
        check_reader(sample.command, &file)
    });
}

#[test]
fn no_untrusted_value_makes_the_reader_panic() {
    let samples = samples();
    let foreign = (0..samples.len(), any::<prop::sample::Index>(), strategies::json());
    holds(1500, &foreign, |(index, place, value)| {
        let mut file: Value = serde_json::from_slice(&samples[index].file).unwrap();
        let mut places = Vec::new();
        pointers(&file, "", &mut places);
        *file.pointer_mut(place.get::<String>(&places)).unwrap() = value;
        check_reader(samples[index].command, file.to_string().as_bytes())
    });
}

/// The reader's promise for any file: a request that survives writing, or a refusal in one line. The schema
/// accepts every file that the reader accepts.
fn check_reader(command: Command, file: &[u8]) -> Result<(), TestCaseError> {
    match Envelope::parse(command, file) {
        Ok(envelope) => {
            #[cfg(feature = "schema")]
            crate::schemas::check_request(command, &serde_json::from_slice(file).unwrap());
            let again = Envelope::parse(command, envelope.to_json().as_bytes());
            prop_assert_eq!(again, Ok(envelope));
        }
        Err(error) => check_message(command, &error),
    }
    Ok(())
}

#[derive(Clone, Debug)]
enum Damage {
    Replace(Vec<u8>),
    Insert(Vec<u8>),
    Remove(usize),
    Cut,
}

fn damage() -> impl Strategy<Value = Damage> {
    let token = prop_oneof![
        prop::sample::select(vec![
            "\"", "{", "}", "[", "]", ",", ":", "\\", "null", "-1", "1e9", "\"\"", "\\u0000", "0"
        ])
        .prop_map(|token| token.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 1..3),
    ];
    prop_oneof![
        4 => token.clone().prop_map(Damage::Replace),
        4 => token.prop_map(Damage::Insert),
        3 => (1..20_usize).prop_map(Damage::Remove),
        1 => Just(Damage::Cut),
    ]
}

impl Damage {
    fn apply(self, file: &mut Vec<u8>, place: prop::sample::Index) {
        let start = if file.is_empty() { 0 } else { place.index(file.len()) };
        match self {
            Self::Replace(bytes) => {
                let end = (start + bytes.len()).min(file.len());
                file.splice(start..end, bytes);
            }
            Self::Insert(bytes) => {
                file.splice(start..start, bytes);
            }
            Self::Remove(count) => {
                file.drain(start..(start + count).min(file.len()));
            }
            Self::Cut => file.truncate(start),
        }
    }
}

/// The pointer of every value.
fn pointers(value: &Value, here: &str, all: &mut Vec<String>) {
    all.push(here.to_owned());
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, inner)| pointers(inner, &format!("{here}/{key}"), all));
        }
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(index, inner)| pointers(inner, &format!("{here}/{index}"), all));
        }
        _ => {}
    }
}

/// Fields that a sender may leave empty instead of leaving them out.
const ABSENT: [&str; 9] = [
    "vlan",
    "zone_id",
    "guest_type",
    "vpc_state",
    "extension_ip",
    "hostname",
    "dns6",
    "public_vlan",
    "nic_uuid",
];

/// Fields whose values belong to the vendor, so that no sender rewrites them.
const FOREIGN: [&str; 3] = ["network-extension-details", "network_extension_details", "current_details"];

/// Maps that may be sent as a text.
const MAPS: [&str; 4] =
    ["physical-network-extension-details", "network-extension-details", "action-params", "options"];

const SPELLINGS: [(&str, &str); 6] = [
    ("ip6_address", "nic_ip6_address"),
    ("ip6_gateway", "nic_ip6_gateway"),
    ("ip6_cidr", "nic_ip6_cidr"),
    ("action-params", "action_params"),
    ("physical-network-extension-details", "physical_network_extension_details"),
    ("network-extension-details", "network_extension_details"),
];

/// Another sender's way to write the same file.
struct Dialect<'a, I> {
    choices: I,
    absent: &'a [&'static str],
}

impl<I: Iterator<Item = u8>> Dialect<'_, I> {
    fn choose(&mut self, from: u8) -> u8 {
        self.choices.next().unwrap() % from
    }

    fn rewrite(&mut self, file: &mut Value, command: Command) {
        let body = if command == Command::CustomAction { "" } else { "/payload" };
        self.value(file);
        let payload = file.pointer_mut(body).unwrap().as_object_mut().unwrap();
        for name in self.absent {
            if self.choose(4) == 0 && !payload.contains_key(*name) {
                let absent = if self.choose(2) == 0 { Value::Null } else { "".into() };
                payload.insert((*name).to_owned(), absent);
            }
        }
        if let (false, Some(cidr)) = (payload.contains_key("network_id"), payload.get("vpc_cidr").cloned()) {
            self.spell(payload, "vpc_cidr", "cidr", cidr);
        }
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => {
                let is_canonical = |native: &Value| match native {
                    Value::Bool(_) => true,
                    Value::Number(number) => !number.is_f64() && number.to_string() == *text,
                    _ => false,
                };
                let native = serde_json::from_str::<Value>(text).ok().filter(is_canonical);
                if let (Some(native), 0) = (native, self.choose(2)) {
                    *value = native;
                }
            }
            Value::Number(_) | Value::Bool(_) if self.choose(2) == 0 => *value = value.to_string().into(),
            Value::Array(list) => list.iter_mut().for_each(|inner| self.value(inner)),
            Value::Object(map) => self.object(map),
            _ => {}
        }
    }

    fn object(&mut self, map: &mut Map<String, Value>) {
        for (key, inner) in map.iter_mut() {
            if !key.starts_with("x-") && !FOREIGN.contains(&key.as_str()) {
                self.value(inner);
            }
            if MAPS.contains(&key.as_str()) && self.choose(2) == 0 {
                *inner = inner.to_string().into();
            }
        }
        for (first, second) in SPELLINGS {
            if let Some(inner) = map.get(first).cloned() {
                self.spell(map, first, second, inner);
            }
        }
        // A map of texts has no unknown fields: every name belongs to the vendor.
        if map
            .keys()
            .any(|key| ["network_id", "vpc_id", "type", "number", "mac", "dir", "ip"].contains(&key.as_str()))
            && self.choose(3) == 0
        {
            map.insert("x-later".to_owned(), Value::from(vec![1, 2]));
        }
    }

    /// The first spelling, the second, or both.
    fn spell(&mut self, map: &mut Map<String, Value>, first: &str, second: &str, value: Value) {
        let choice = self.choose(3);
        if choice > 0 {
            map.insert(second.to_owned(), value);
        }
        if choice == 1 {
            map.remove(first);
        }
    }
}

/// A file without its unknown fields, and without fields that are empty because they are absent.
fn known(mut file: Value) -> Value {
    fn clean(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.retain(|key, inner| {
                    let absent = ABSENT.contains(&key.as_str()) && (inner.is_null() || inner == "");
                    !key.starts_with("x-") && !absent
                });
                map.iter_mut()
                    .filter(|(key, _)| !FOREIGN.contains(&key.as_str()))
                    .for_each(|(_, inner)| clean(inner));
            }
            Value::Array(list) => list.iter_mut().for_each(clean),
            _ => {}
        }
    }
    clean(&mut file);
    file
}
