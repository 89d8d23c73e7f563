//! Builds the tests' extensions on first use, because cargo builds examples with the tests only in some cases.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The executable of an example of netext-core.
pub(crate) fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let profile = tests.parent().and_then(Path::parent).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "netext-core", "--example", name, "--target-dir"]);
    cargo.arg(profile.parent().unwrap());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "{name} does not build");
    profile.join("examples").join(name)
}
