//! The conformance suite, scenarios and recordings of the test kit, run with the reference backend.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use netext_core::Handler;
use netext_core::testing::conformance::ConformanceSuite;
use netext_core::testing::{Executable, ExtensionProfile, Progress, Scenario, Server};
use netext_lab::{Lab, SECRET_KEY, SECRET_PASSWORD, lab};
use netext_namespace::host::HostDevice;
use netext_namespace::store::Store;

/// A server of the test kit that runs the extension on the lab's host, with the lab's registered details.
fn server(lab: &Lab) -> Server<Executable> {
    let (program, variables) = lab.program_and_variables();
    server_of(lab, &program, variables)
}

fn server_of(lab: &Lab, program: &str, variables: BTreeMap<String, String>) -> Server<Executable> {
    let executable = Executable::new(program).expect("the program exists");
    let executable = variables.into_iter().fold(executable, |it, (name, value)| it.variable(name, value));
    lab.registered().into_iter().fold(Server::new(executable), |server, (name, value)| {
        server.detail(name, value.as_str().expect("registered details are texts"))
    })
}

#[test]
fn the_reference_backend_conforms_to_the_protocol() {
    let lab = lab!();
    let description = HostDevice::new(Store::new("/nonexistent")).description();
    lab.host()
        .run(|| ConformanceSuite::new(&server(&lab), ExtensionProfile::of(&description)).assert_conforms());
}

#[test]
fn the_reference_backend_plays_every_scenario_to_its_end() {
    let description = HostDevice::new(Store::new("/nonexistent")).description();
    let services = ExtensionProfile::of(&description).services;
    for name in Scenario::names() {
        let lab = lab!();
        let mut problems = Vec::new();
        lab.host().run(|| {
            let scenario = Scenario::named(name).expect("it is one of the names");
            scenario.play(&mut server(&lab), &services, true, &mut |told| {
                if let Progress::Sent(sent) = told {
                    problems.extend(sent.problem());
                }
            })
        });
        assert_eq!(problems, Vec::<String>::new(), "{name}");
    }
}

/// The tool, built on demand: cargo does not build another crate's binary for these tests.
fn tool() -> PathBuf {
    let tests = std::env::current_exe().expect("this program has a path");
    let profile =
        tests.parent().and_then(Path::parent).expect("the folder of tests is in the folder of their profile");
    let target = profile.parent().expect("the folder of a profile is in the target folder");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "netext-tool"]);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo.arg("--target-dir").arg(target).status();
    assert!(built.expect("cargo is there").success(), "the tool does not build");
    profile.join("netext")
}

#[test]
fn a_recording_of_the_reference_backend_replays_without_differences() {
    let tool = tool();
    let folder = tempfile::tempdir().expect("a folder for the recording");
    let recording = folder.path().join("recording");
    let stand_in = format!("{}/lab-router.sh", folder.path().display());

    let lab = lab!();
    let (program, variables) = lab.program_and_variables();
    let script = format!(
        "#!/bin/sh\nexec {} record --out {} -- {program} \"$@\"\n",
        tool.display(),
        recording.display()
    );
    // Another process writes it: a file that this process holds open for writing, or a child of it, cannot be executed.
    let mut writer = Command::new("sh");
    writer.args(["-c", "printf %s \"$1\" > \"$2\" && chmod 0755 \"$2\"", "sh", &script]).arg(&stand_in);
    assert!(writer.status().expect("a shell").success());
    let services = ExtensionProfile::of(&HostDevice::new(Store::new("/nonexistent")).description()).services;
    for name in ["isolated-network", "restart"] {
        let scenario = Scenario::named(name).expect("it comes with the tool");
        let problems = lab.host().run(|| {
            scenario.play(&mut server_of(&lab, &stand_in, variables.clone()), &services, true, &mut |_| {})
        });
        assert_eq!(problems, 0, "{name}");
    }

    let other = lab!();
    let (program, variables) = other.program_and_variables();
    let replayed = other.host().run(|| {
        let mut replay = Command::new(&tool);
        replay.arg("replay").arg(&recording).args(["--exec", &program]).envs(variables).output()
    });
    let replayed = replayed.expect("the tool was built above");
    let printed = String::from_utf8_lossy(&replayed.stdout);
    assert!(replayed.status.success() && printed.ends_with("\nnothing differs\n"), "{printed}");
    assert!(printed.lines().count() > 40, "{printed}");
    for file in std::fs::read_dir(&recording).expect("it was made above").flatten() {
        let text = std::fs::read_to_string(file.path()).expect("a recorded run");
        assert!(!text.contains(SECRET_PASSWORD) && !text.contains(SECRET_KEY), "{text}");
    }
}
