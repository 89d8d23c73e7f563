//! The vocabulary of the tests: samples, changed samples, and the reader's results.

use std::path::Path;

use netext_protocol::{Command, Envelope, ParseError, Request};
use serde_json::Value;

/// A sample payload file: its name without `.json`, which begins with the command.
pub struct Sample {
    pub name: String,
    pub command: Command,
    pub file: Vec<u8>,
}

pub fn samples() -> Vec<Sample> {
    let mut samples = samples_in("");
    samples.extend(samples_in("readme/"));
    samples
}

fn samples_in(prefix: &str) -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/wire").join(prefix);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut samples: Vec<_> = paths
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap();
            Sample {
                name: format!("{prefix}{name}"),
                command: command_of(name),
                file: std::fs::read(path).unwrap(),
            }
        })
        .collect();
    samples.sort_by(|one, other| one.name.cmp(&other.name));
    samples
}

pub fn command_of(sample: &str) -> Command {
    sample.split('.').next().unwrap().parse().unwrap()
}

/// A sample as JSON.
pub fn sample(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/wire/{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A sample with the value at a JSON pointer set; the last step may name a new key.
pub fn changed(name: &str, pointer: &str, value: impl Into<Value>) -> Value {
    let mut file = sample(name);
    set(&mut file, pointer, value);
    file
}

pub fn set(file: &mut Value, pointer: &str, value: impl Into<Value>) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match file.pointer_mut(parent).unwrap() {
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value.into(),
        parent => parent[key] = value.into(),
    }
}

/// A sample without the value at a JSON pointer.
pub fn without(name: &str, pointer: &str) -> Value {
    let mut file = sample(name);
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    file.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    file
}

pub fn parse(command: Command, file: &Value) -> Envelope<Request> {
    Envelope::parse(command, file.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}\n{file}"))
}

/// The request of a valid file, as its own type.
macro_rules! parsed {
    ($type:ident, $file:expr) => {
        match $crate::wire::parse(::netext_protocol::Command::$type, &$file).request {
            ::netext_protocol::Request::$type(request) => request,
            other => panic!("not the request of its command: {other:?}"),
        }
    };
}
pub(crate) use parsed;

/// The refusal of a malformed file.
pub fn refusal(command: Command, file: &Value) -> ParseError {
    refusal_of_text(command, &file.to_string())
}

pub fn refusal_of_text(command: Command, file: &str) -> ParseError {
    let error = Envelope::parse(command, file.as_bytes()).expect_err(file);
    check_message(command, &error);
    error
}

/// The properties of every refusal.
pub fn check_message(command: Command, error: &ParseError) {
    let message = error.to_string();
    assert!(!message.chars().any(char::is_control), "more than one line: {message:?}");
    assert!(message.starts_with(&format!("{command}: {}: ", error.path())), "{message}");
    assert!(!error.path().is_empty() && !error.problem().is_empty(), "{message}");
}
