//! `netext schema`.

use std::fs;
use std::path::Path;
use std::process::Output;

use netext_core::protocol::Command;
use serde_json::Value;
use tempfile::TempDir;

use crate::tool::{netext, run};

fn schema(action: &str, folder: &Path) -> Output {
    netext(&["schema", action]).arg(folder).output().unwrap()
}

#[track_caller]
fn write(folder: &Path) {
    let output = schema("--out", folder);
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
}

/// The differences that a comparison prints.
fn differences(folder: &Path) -> Vec<String> {
    let output = schema("--check", folder);
    let differences: Vec<_> = String::from_utf8(output.stderr).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(output.status.code(), Some(i32::from(!differences.is_empty())));
    differences
}

#[test]
fn the_committed_schemas_match_the_types() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas");
    assert_eq!(differences(&committed), Vec::<String>::new());
}

#[test]
fn the_written_schemas_are_complete_and_compare_equal() {
    let folder = TempDir::new().unwrap();
    write(folder.path());
    assert_eq!(differences(folder.path()), Vec::<String>::new());

    let index = fs::read_to_string(folder.path().join("index.json")).unwrap();
    assert!(index.ends_with("}\n"));
    let index: Value = serde_json::from_str(&index).unwrap();
    let commands = index["commands"].as_array().unwrap();
    assert_eq!(commands.len(), 35);
    for command in commands {
        let files = ["request", "response", "strict_request", "strict_response"];
        assert!(command["request"].is_string() && command["strict_request"].is_string(), "{command}");
        for file in files.iter().filter_map(|name| command[name].as_str()) {
            let schema = fs::read(folder.path().join(file)).unwrap();
            let schema: Value = serde_json::from_slice(&schema).unwrap();
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        }
    }
}

#[test]
fn every_difference_is_listed_with_the_way_to_update() {
    let folder = TempDir::new().unwrap();
    write(folder.path());
    let commands = folder.path().join("commands");
    fs::remove_file(commands.join("assign-ip.request.schema.json")).unwrap();
    fs::write(commands.join("release-ip.request.schema.json"), "{}\n").unwrap();
    fs::write(commands.join("bygone.request.schema.json"), "{}\n").unwrap();
    fs::write(commands.join("notes.txt"), "not ours").unwrap();

    assert_eq!(
        differences(folder.path()),
        [
            "commands/assign-ip.request.schema.json is missing".to_owned(),
            "commands/release-ip.request.schema.json differs from the protocol".to_owned(),
            "commands/bygone.request.schema.json belongs to no command".to_owned(),
            format!("to write them again: netext schema --out {}", folder.path().display()),
        ]
    );

    write(folder.path());
    assert_eq!(differences(folder.path()), Vec::<String>::new());
    assert!(commands.join("notes.txt").exists() && !commands.join("bygone.request.schema.json").exists());
}

#[test]
fn a_missing_folder_lacks_everything() {
    let folder = TempDir::new().unwrap();
    assert_eq!(differences(&folder.path().join("nowhere")).len(), 2 * (35 + 3) + 3);
}

#[test]
fn the_reference_covers_every_command_and_compares_equal() {
    let page = run(&["schema", "--format", "markdown"]).succeeds().to_owned();
    for command in Command::ALL {
        assert!(page.contains(&format!("| [`{command}`](#{command}) |")), "{command}");
        assert!(page.contains(&format!("\n## {command}\n\n{}\n", command.summary())), "{command}");
    }
    for row in [
        "| `public_ip` | an IPv4 address | server, README | **Required.** The public IPv4 address. |",
        "| `fw_rules` | `FirewallRules`, or the same as JSON text, or the same as JSON in Base64 | server, README | **Required.** All firewall rules of the network, every time. A rule that is missing here is deleted. |",
        "| `rules` | list of `FirewallRule` | server, README | **Required.** The rules. Their order has no meaning. |",
        "| `current_details` | an object, or the same as JSON text | server, README | The details that the device printed last, the same as network-extension-details. Empty ({}) for a new network, or one that was shut down. |",
    ] {
        assert!(page.contains(row), "{row}");
    }
    assert!(page.contains("**Required:** `network_id` or `vpc_id`."), "{page}");

    let folder = TempDir::new().unwrap();
    let file = folder.path().join("commands.md");
    let path = file.to_str().unwrap();
    run(&["schema", "--format", "markdown", "--out", path]).succeeds();
    assert_eq!(fs::read_to_string(&file).unwrap(), page);
    run(&["schema", "--format", "markdown", "--check", path]).succeeds();
    fs::write(&file, "# Something else\n").unwrap();
    let changed = run(&["schema", "--format", "markdown", "--check", path]);
    assert_eq!(changed.code, Some(1));
    assert!(changed.stderr.contains(&format!("{path} differs from the protocol")), "{changed:?}");
}

#[test]
fn schemas_need_a_folder() {
    let run = run(&["schema"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("--out DIR"), "{run:?}");
}

#[test]
fn an_error_names_the_path_and_what_was_attempted() {
    for (arguments, error) in [
        (vec!["--out", "/proc/x"], "cannot create the folder /proc/x/commands: "),
        (vec!["--format", "markdown", "--out", "/proc/x"], "cannot write /proc/x: "),
        (vec!["--format", "markdown", "--check", "/proc/x"], "cannot read /proc/x: "),
        (vec!["--check", "/dev/null"], "cannot read /dev/null/"),
    ] {
        let failed = run(&[vec!["schema"], arguments].concat());
        assert!(
            failed.code == Some(1) && failed.stderr.starts_with(&format!("netext: {error}")),
            "{error}: {failed:?}"
        );
    }
}
