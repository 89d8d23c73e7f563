//! `netext conformance` and `netext checks`.

use std::fs;

use netext_core::testing::conformance::Check;
use serde_json::json;
use tempfile::TempDir;

use crate::build::example;
use crate::tool::{ToolRun, netext, run, run_to_end};

fn conformance(fault: &str, arguments: &[&str]) -> ToolRun {
    let folder = TempDir::new().unwrap();
    let mut command = netext(&["conformance", "--exec"]);
    command.arg(example("netext-faulty")).args(arguments);
    command.env("NETEXT_FAULT", fault).env("NETEXT_FOLDER", folder.path());
    run_to_end(command)
}

#[test]
fn an_extension_that_conforms_passes_every_check() {
    let run = conformance("none", &[]);
    let printed = run.succeeds();
    assert!(printed.starts_with("  ok     life-of-a-network        Every command"), "{printed}");
    let all = Check::all().count();
    let summary = format!("\n{all} passed, 0 failed, 0 failed as expected, 0 skipped; ");
    assert!(printed.contains(&summary), "{printed}");
}

#[test]
fn the_checks_use_the_kind_of_network_that_the_extension_carries() {
    let run = conformance("none", &["--guest-type", "l2"]);
    let printed = run.succeeds();
    assert!(printed.contains("skipped: the extension carries layer-2 networks only"), "{printed}");
    assert_eq!(conformance("none", &["--guest-type", "l3"]).code, Some(2));
}

#[test]
fn a_failure_is_shown_with_reason_and_remedy() {
    let run = conformance("warns", &["--services", "sourcenat,Firewall"]);
    assert_eq!(run.code, Some(1));
    for part in [
        "  FAIL   silent-errors            A command that succeeds writes nothing on standard error.\n",
        "         prepare-nic wrote \"warning: the disk is nearly full\\n\"\n",
        "         Why it matters: The server has ",
        "         What to do: Write warnings to a log file",
        "  -      life-of-a-vpc ",
        " passed, 1 failed, 0 failed as expected, 6 skipped; ",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
}

#[test]
fn an_expected_failure_passes_and_an_unexpected_pass_fails() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("expected");
    let with = |text: &str| {
        fs::write(&file, text).unwrap();
        conformance("warns", &["--format", "tap", "--expected-failures", file.to_str().unwrap()])
    };
    assert!(with("silent-errors # the disk is nearly full").succeeds().contains(" # TODO expected to fail"));
    assert_eq!(with("silent-errors\nsecrets").code, Some(1));
    let unknown = with("silent-error");
    assert!(unknown.stderr.contains("line 1: \"silent-error\" is not the id of a check"), "{unknown:?}");
}

#[test]
fn an_extension_that_does_not_describe_itself_is_described_by_arguments() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("silent");
    std::os::unix::fs::symlink("/bin/true", &path).unwrap();
    let run_ = run(&["conformance", "--exec", path.to_str().unwrap()]);
    assert_eq!(run_.code, Some(1));
    let why = "(it does not answer --describe: its output is not JSON)";
    assert!(run_.stderr.contains(why), "{run_:?}");
    assert!(run_.stderr.contains("--services Dhcp,Dns or --services none"), "{run_:?}");

    let run_ = run(&["--json", "conformance", "--services", "none", "--exec", path.to_str().unwrap()]);
    let json = run_.json(1);
    let checks = json["checks"].as_array().unwrap();
    let of = |id: &str| checks.iter().find(|check| check["id"] == id).unwrap()["result"].clone();
    assert_eq!((of("life-of-a-network"), of("unknown-command")), ("passed".into(), "failed".into()));

    let absent = run(&["conformance", "--exec", "/nonexistent/extension"]);
    assert_eq!(absent.stderr, "netext: /nonexistent/extension does not exist\n");
    let unknown = run(&["conformance", "--exec", "/bin/true", "--services", "Dhcp,Coffee"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("\"Coffee\" is not a service"), "{unknown:?}");
}

#[test]
fn the_checks_are_listed() {
    let all = run(&["checks"]);
    assert!(all.succeeds().contains("secrets\n  No output shows a credential"), "{all:?}");
    assert_eq!(run(&["--json", "checks", "secrets"]).json(0)[0]["id"], "secrets");
    assert_eq!(run(&["checks", "secret"]).code, Some(1));
}

#[test]
fn a_registration_may_be_read_from_a_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("registration.json");
    let with = |registration: &str| {
        fs::write(&file, registration).unwrap();
        conformance("none", &["--vpc", "--registration", file.to_str().unwrap()])
    };
    let capabilities = json!({
        "Dns": { "allowdnssuffixmodification": "true", "ExternalDns": "false" },
        "SourceNat": { "RedundantRouter": "false" },
    });
    let registered = |services: &str| {
        let registration =
            json!({"network.services": services, "network.service.capabilities": capabilities.to_string()});
        with(&registration.to_string())
    };
    registered("Dns").succeeds();
    let run = registered("Dns,SourceNat");
    assert_eq!(run.code, Some(1));
    let told = "         SourceNat.SupportedSourceNatTypes is missing: createNetworkOffering and createVPCOffering \
                refuse SourceNat\n";
    assert!(run.stdout.contains(told), "{}", run.stdout);
    assert!(run.stdout.contains(" passed, 1 failed, "), "{}", run.stdout);

    let run = with("{}");
    assert!(run.stderr.ends_with("registration.json: it has no `network.services`\n"), "{run:?}");
}
