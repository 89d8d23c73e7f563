//! The tool `netext`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic, wherever its code stands")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn schema(action: &str, folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_netext")).args(["schema", action]).arg(folder).output().unwrap()
}

#[track_caller]
fn write(folder: &Path) {
    let output = schema("--out", folder);
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
}

/// The lines that a comparison complains with.
fn complaints(folder: &Path) -> Vec<String> {
    let output = schema("--check", folder);
    let complaints: Vec<_> = String::from_utf8(output.stderr).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(output.status.code(), Some(i32::from(!complaints.is_empty())));
    complaints
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas");
    assert_eq!(complaints(&committed), Vec::<String>::new());
}

#[test]
fn what_is_written_is_complete_and_compares_equal() {
    let folder = TempDir::new().unwrap();
    write(folder.path());
    assert_eq!(complaints(folder.path()), Vec::<String>::new());

    let index = fs::read_to_string(folder.path().join("index.json")).unwrap();
    assert!(index.ends_with("}\n"));
    let index: Value = serde_json::from_str(&index).unwrap();
    let commands = index["commands"].as_array().unwrap();
    assert_eq!(commands.len(), 35);
    for command in commands {
        for file in [&command["request"], &command["response"]] {
            let schema = fs::read(folder.path().join(file.as_str().unwrap())).unwrap();
            let schema: Value = serde_json::from_slice(&schema).unwrap();
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        }
    }
}

#[test]
fn every_difference_is_named_with_what_to_do() {
    let folder = TempDir::new().unwrap();
    write(folder.path());
    let commands = folder.path().join("commands");
    fs::remove_file(commands.join("assign-ip.request.schema.json")).unwrap();
    fs::write(commands.join("release-ip.response.schema.json"), "{}\n").unwrap();
    fs::write(commands.join("bygone.request.schema.json"), "{}\n").unwrap();
    fs::write(commands.join("notes.txt"), "not ours").unwrap();

    assert_eq!(
        complaints(folder.path()),
        [
            "commands/assign-ip.request.schema.json is missing".to_owned(),
            "commands/release-ip.response.schema.json differs from the protocol".to_owned(),
            "commands/bygone.request.schema.json belongs to no command".to_owned(),
            format!("to write them anew: netext schema --out {}", folder.path().display()),
        ]
    );

    write(folder.path());
    assert_eq!(complaints(folder.path()), Vec::<String>::new());
    assert!(commands.join("notes.txt").exists() && !commands.join("bygone.request.schema.json").exists());
}

#[test]
fn a_folder_that_is_not_there_lacks_everything() {
    let folder = TempDir::new().unwrap();
    assert_eq!(complaints(&folder.path().join("nowhere")).len(), 2 * 35 + 1 + 1);
}
