//! All problems of a payload file.

use netext_protocol::{Command, Envelope, ParseError, Sample};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{EmbeddedStructure, Knowledge, walk};

/// The search ends after this many problems in one file.
const MOST: usize = 1000;

/// The findings about a payload file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Validation {
    /// The problems for which the file is refused.
    pub(crate) problems: Vec<Problem>,
    /// JSON pointers to the fields that this version of the protocol does not know. They are ignored, because newer
    /// servers may send some. A misspelled optional field is among them.
    pub(crate) unknown_fields: Vec<String>,
}

impl Validation {
    /// Whether the file is a valid payload of its command.
    pub(crate) fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }
}

/// One problem for which a payload file is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// Where in the file, such as `payload.fw_rules.rules[2].protocol`; `payload file` for the whole of it.
    pub(crate) path: String,
    /// The same place as a JSON pointer.
    pub(crate) pointer: String,
    /// The value and the expected value, or the missing field. Secrets are never shown.
    #[serde(rename = "problem")]
    pub(crate) description: String,
}

impl From<&ParseError> for Problem {
    fn from(error: &ParseError) -> Self {
        Self {
            path: error.path().to_owned(),
            pointer: error.pointer().to_owned(),
            description: error.problem().to_owned(),
        }
    }
}

/// Finds all problems of a payload file.
///
/// The protocol's own parser decides, but it stops at the first problem. So the value is replaced by that of a [`Sample`],
/// and the file is parsed again until no problem is left. A wrong value on which another field depends may hide a further
/// problem until it is corrected.
pub(crate) fn validate(command: Command, file: &[u8]) -> Validation {
    let mut validation = Validation::default();
    let as_it_stands = Envelope::parse(command, file).err();
    if let Ok(mut document) = serde_json::from_slice::<Value>(file) {
        validation.unknown_fields = unknown_fields(command, &document);
        unpack(&mut document);
        validation.problems = problems(command, document);
    }
    // Only the parser finds duplicate names and malformed JSON.
    if let Some(error) = as_it_stands {
        let first = Problem::from(&error);
        if !validation.problems.contains(&first) {
            validation.problems.insert(0, first);
        }
    }
    validation
}

/// Replaces texts by the objects and lists inside them. Their paths stay the same.
fn unpack(document: &mut Value) {
    let payload = document.get_mut("payload").and_then(Value::as_object_mut);
    for value in payload.into_iter().flat_map(Map::values_mut) {
        if let Some(inner) = value.as_str().and_then(EmbeddedStructure::of) {
            *value = inner.structure;
        }
    }
}

fn unknown_fields(command: Command, document: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    walk(command, &mut document.clone(), &mut |pointer, knowledge, _| {
        if knowledge == Knowledge::Unknown {
            unknown.push(pointer.to_owned());
        }
    });
    unknown
}

fn problems(command: Command, mut document: Value) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut found = problem(command, &document);
    while let Some(problem) = found.take() {
        problems.push(problem.clone());
        if problems.len() == MOST {
            break;
        }
        if let Some((mended, next)) = mend(command, &document, &problem) {
            document = mended;
            found = next;
        }
    }
    problems
}

fn problem(command: Command, document: &Value) -> Option<Problem> {
    Envelope::parse(command, document.to_string().as_bytes()).as_ref().err().map(Problem::from)
}

/// The document without the problem, and the next problem.
fn mend(command: Command, document: &Value, found: &Problem) -> Option<(Value, Option<Problem>)> {
    candidates(command, document, &found.pointer).find_map(|candidate| {
        let next = problem(command, &candidate);
        let is_mended = next.as_ref().is_none_or(|next| {
            // An object can lack one more field; a scalar has one problem at most.
            let object = candidate.pointer(&found.pointer).is_some_and(Value::is_object);
            next != found && (object || next.pointer != found.pointer)
        });
        is_mended.then_some((candidate, next))
    })
}

/// Documents with another value at the pointer, the smallest changes first.
fn candidates<'a>(
    command: Command,
    document: &'a Value,
    pointer: &'a str,
) -> impl Iterator<Item = Value> + 'a {
    let counterparts: Vec<Value> = Sample::all_of(command)
        .filter_map(|sample| serde_json::from_str::<Value>(sample.text()).ok())
        .filter_map(|sample| sample.pointer(&first_of_lists(pointer)).cloned())
        .collect();
    let added = counterparts
        .iter()
        .filter_map(|counterpart| Some((counterpart.as_object()?, document.pointer(pointer)?.as_object()?)))
        .flat_map(|(counterpart, present)| {
            counterpart.iter().filter(|(name, _)| !present.contains_key(*name))
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<Vec<_>>();
    let added = added.into_iter().map(move |(name, value)| {
        changed(document, pointer, |place| {
            if let Some(object) = place.as_object_mut() {
                object.insert(name, value);
            }
        })
    });
    // If no sample has the field: a value that most kinds of scalars accept, else none.
    let usual = ["1", "192.0.2.1", "192.0.2.0/24"].map(Value::from);
    let replaced = counterparts
        .into_iter()
        .chain(usual)
        .chain([Value::Null])
        .map(move |value| changed(document, pointer, |place| *place = value));
    added.chain(replaced)
}

fn changed(document: &Value, pointer: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut document = document.clone();
    if let Some(place) = document.pointer_mut(pointer) {
        change(place);
    }
    document
}

/// The pointer with the first element of every list instead of the named one.
fn first_of_lists(pointer: &str) -> String {
    let is_index = |segment: &str| !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    let segments = pointer.split('/').map(|segment| if is_index(segment) { "0" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
    use serde_json::json;

    use super::*;
    use netext_core::testing::Payload;

    fn sample(command: Command) -> Value {
        serde_json::from_str(Sample::of(command).text()).unwrap()
    }

    fn check(command: Command, document: &Value) -> Vec<(String, String)> {
        let validation = validate(command, document.to_string().as_bytes());
        validation.problems.into_iter().map(|it| (it.path, it.description)).collect()
    }

    #[test]
    fn every_sample_is_valid_and_has_no_unknown_field() {
        for sample in Sample::all() {
            let validation = validate(sample.command(), sample.text().as_bytes());
            assert_eq!(validation, Validation::default(), "{}", sample.name());
        }
    }

    #[test]
    fn every_field_that_is_missing_is_named() {
        let found = check(Command::AddPortForward, &json!({"payload": {"network_id": "209"}}));
        let missing = |name| ("payload".to_owned(), format!("missing field `{name}`"));
        assert_eq!(
            found,
            ["public_ip", "public_port", "private_ip", "private_port", "protocol"].map(missing)
        );
    }

    #[test]
    fn every_malformed_value_is_named_in_lists_too() {
        let mut document = sample(Command::ApplyFwRules);
        let rules = &mut document["payload"]["fw_rules"]["rules"];
        rules[0]["protocol"] = json!("sctp");
        rules[0]["destCidrs"] = json!(["everywhere", "203.0.113.0/24", "nowhere"]);
        rules[1]["publicIp"] = json!("198.51.100.300");
        rules[2]["sourceCidrs"] = json!("0.0.0.0/0");
        document["payload"]["network_id"] = json!("two hundred");
        document["physical-network-extension-details"]["guest.network.device"] = json!(["eth1"]);
        let mut found: Vec<_> =
            check(Command::ApplyFwRules, &document).into_iter().map(|(path, _)| path).collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [
                "payload.fw_rules.rules[0].destCidrs[0]",
                "payload.fw_rules.rules[0].destCidrs[2]",
                "payload.fw_rules.rules[0].protocol",
                "payload.fw_rules.rules[1].publicIp",
                "payload.fw_rules.rules[2].sourceCidrs",
                "payload.network_id",
                "physical-network-extension-details.guest.network.device",
            ]
        );
    }

    #[test]
    fn fields_that_contradict_each_other_do_not_hide_the_next_rule() {
        let mut document = sample(Command::ApplyFwRules);
        let rules = &mut document["payload"]["fw_rules"]["rules"];
        rules[0].as_object_mut().unwrap().remove("publicIp");
        rules[1]["portStart"] = json!("http");
        let found = check(Command::ApplyFwRules, &document);
        assert_eq!(found[0].1, "an ingress rule needs a publicIp");
        assert_eq!(found[1].0, "payload.fw_rules.rules[1].portStart");
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn every_problem_inside_a_text_is_named_by_its_place() {
        let payload = Payload::sample(Command::ApplyFwRules)
            .with("fw_rules/rules/0/protocol", "sctp")
            .with("fw_rules/rules/1/publicIp", "198.51.100.300")
            .with("fw_rules/rules/2/sourceCidrs", json!(["0.0.0.0/0", "everywhere"]))
            .with("fw_rules/rules/3/note", "newer");
        for payload in payload.in_older_forms() {
            let document = payload.document(json!({}), json!({}));
            let validation = validate(Command::ApplyFwRules, document.to_string().as_bytes());
            let mut paths: Vec<_> = validation.problems.iter().map(|it| it.path.as_str()).collect();
            paths.sort_unstable();
            assert_eq!(
                paths,
                [
                    "payload.fw_rules.rules[0].protocol",
                    "payload.fw_rules.rules[1].publicIp",
                    "payload.fw_rules.rules[2].sourceCidrs[1]",
                ]
            );
            assert_eq!(validation.unknown_fields, ["/payload/fw_rules/rules/3/note"]);
        }
    }

    #[test]
    fn no_content_of_a_text_is_shown_although_it_is_the_problem() {
        let secret = "aHVudGVyMg==";
        for (data, path) in [
            (json!([{"dir": "metadata", "content": secret}]).to_string(), "payload.vm_data[0]"),
            (
                json!([{"dir": "metadata", "file": "x", "content": [secret]}]).to_string(),
                "payload.vm_data[0].content",
            ),
            (format!("[{{\"content\": \"{secret}"), "payload.vm_data[0].content"),
        ] {
            let texts = [data.clone(), STANDARD.encode(&data), STANDARD_NO_PAD.encode(&data)];
            for text in texts {
                let document = json!({"payload": {"network_id": "209", "ip": "10.1.1.10", "vm_data": text}});
                let problems = validate(Command::SaveVmData, document.to_string().as_bytes()).problems;
                assert_eq!(
                    problems.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(),
                    [path],
                    "{problems:?}"
                );
                for shown in ["hunter2", secret, &text] {
                    assert!(!problems[0].description.contains(shown), "{problems:?}");
                }
            }
        }
    }

    #[test]
    fn malformed_json_is_one_problem() {
        for file in ["", "{", "nonsense", "\u{feff}{}"] {
            let problems = validate(Command::AssignIp, file.as_bytes()).problems;
            assert_eq!(problems.len(), 1, "{file}: {problems:?}");
            assert!(problems[0].description.starts_with("not JSON"), "{problems:?}");
        }
        assert_eq!(validate(Command::AssignIp, b"\xff").problems.len(), 1);
    }

    #[test]
    fn a_name_that_is_given_twice_is_a_problem_beside_others() {
        let file = r#"{"payload": {"network_id": "209", "network_id": "210", "public_ip": "x"}}"#;
        let problems = validate(Command::AssignIp, file.as_bytes()).problems;
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].description.contains("twice"), "{problems:?}");
    }

    #[test]
    fn anything_in_the_place_of_anything_is_a_problem_and_comes_to_an_end() {
        for sample in Sample::all() {
            for (pointer, value) in
                [("", json!([])), ("/payload", json!("x")), ("/network-extension-details", json!(7))]
            {
                let mut document: Value = serde_json::from_str(sample.text()).unwrap();
                let Some(place) = document.pointer_mut(pointer) else { continue };
                *place = value;
                assert_eq!(check(sample.command(), &document).len(), 1, "{} {pointer}", sample.name());
            }
        }
    }
}
