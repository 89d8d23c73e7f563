//! `netext new`, `netext completions` and `netext man`.

use std::fs;
use std::path::Path;
use std::process::Command;

use netext_core::protocol::Service;
use tempfile::TempDir;

use crate::tool::{netext, run, run_to_end};

/// A new crate in a folder of its own.
fn new(folder: &TempDir, arguments: &[&str]) -> std::path::PathBuf {
    let mut command = netext(&["new", "acme-sdn"]);
    command.args(arguments).current_dir(folder.path());
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().display();
    assert_eq!(
        run_to_end(command).succeeds(),
        format!(
            "created acme-sdn, on the netext of {checkout}\n\
             next: cd acme-sdn && cargo test, then write src/device.rs\n"
        )
    );
    folder.path().join("acme-sdn")
}

/// Runs cargo, which must succeed; returns its output.
#[track_caller]
fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).current_dir(folder).env("CARGO_NET_OFFLINE", "true");
    // Kept between runs, so that the dependencies are built once.
    cargo.env("CARGO_TARGET_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/netext-new"));
    let run = cargo.output().unwrap();
    let output = [run.stdout, run.stderr].map(|it| String::from_utf8_lossy(&it).into_owned()).concat();
    assert!(run.status.success(), "cargo {arguments:?}: {output}");
    output
}

#[test]
fn a_new_crate_with_everything_builds_offline_and_passes_its_tests() {
    let folder = TempDir::new().unwrap();
    let services: Vec<_> = Service::ALL.iter().map(|service| service.name()).collect();
    let made = new(&folder, &["--services", &services.join(","), "--vpc"]);
    cargo(&made, &["fmt", "--check"]);
    cargo(&made, &["test", "--quiet"]);
}

#[test]
fn a_new_crate_for_any_one_service_builds_without_warnings_and_conforms() {
    let folder = TempDir::new().unwrap();
    for service in Service::ALL {
        let name = format!("acme-{}", service.name().to_lowercase());
        let mut command = netext(&["new", &name, "--services", service.name()]);
        command.current_dir(folder.path());
        run_to_end(command).succeeds();
        // One build for all of them.
        let manifest = folder.path().join(name).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        let (of_a_member, _) = text.split_once("\n[profile.release]").unwrap();
        fs::write(&manifest, of_a_member).unwrap();
    }
    fs::write(folder.path().join("Cargo.toml"), "[workspace]\nmembers = [\"acme-*\"]\nresolver = \"3\"\n")
        .unwrap();
    fs::copy(folder.path().join("acme-dhcp/Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    let output = cargo(folder.path(), &["test", "--workspace"]);
    assert_eq!(
        output.matches("test it_conforms_to_the_protocol ... ok").count(),
        Service::ALL.len(),
        "{output}"
    );
    assert!(!output.contains("warning: "), "{output}");
}

#[test]
fn a_new_crate_without_services_is_minimal() {
    let folder = TempDir::new().unwrap();
    let made = new(&folder, &[]);
    cargo(&made, &["fmt", "--check"]);
    let device = fs::read_to_string(made.join("src/device.rs")).unwrap();
    assert_eq!(device.matches("    async fn ").count(), 3, "{device}");
    assert!(device.contains("pub(crate) struct AcmeSdn {}"), "{device}");
}

#[test]
fn an_existing_folder_stays_untouched() {
    let folder = TempDir::new().unwrap();
    let made = new(&folder, &[]);
    fs::write(made.join("src/device.rs"), "mine").unwrap();
    let again = run(&["new", "acme-sdn", "--out", made.to_str().unwrap()]);
    assert!(again.code == Some(1) && again.stderr.contains("File exists"), "{again:?}");
    assert!(again.stderr.contains("another folder with --out"), "{again:?}");
    assert_eq!(fs::read_to_string(made.join("src/device.rs")).unwrap(), "mine");
}

#[test]
fn an_invalid_name_is_refused() {
    for name in ["Acme", "acme_sdn", "../acme", "acme/", "4acme", "acme--sdn", "acme-", "match", "test", ""] {
        let run = run(&["new", name]);
        assert_eq!(run.code, Some(1), "{name}: {run:?}");
        assert!(run.stderr.contains("cannot be the name of an extension"), "{run:?}");
    }
}

#[test]
fn completions_and_manuals_cover_every_subcommand() {
    let subcommands = ["schema", "validate", "sample", "simulate", "conformance", "record", "replay", "new"];
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]);
        assert!(subcommands.iter().all(|name| script.succeeds().contains(name)), "{script:?}");
    }
    assert!(run(&["man"]).succeeds().contains(".TH netext 1"));
    assert!(run(&["man", "--json"]).json(0)["text"].as_str().unwrap().contains(".TH netext 1"));
    let refused = run(&["man", "--out", "/proc/x"]);
    assert!(refused.stderr.starts_with("netext: cannot write the manual to /proc/x: "), "{refused:?}");
    let folder = TempDir::new().unwrap();
    run(&["man", "--out", folder.path().to_str().unwrap()]).succeeds();
    for name in subcommands {
        assert!(folder.path().join(format!("netext-{name}.1")).is_file(), "{name}");
    }
}
