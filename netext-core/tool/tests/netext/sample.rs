//! `netext sample`.

use netext_core::protocol::{Command, Envelope, Sample};

use crate::tool::run;

#[test]
fn every_command_has_a_sample() {
    for command in Command::ALL {
        let printed = run(&["sample", command.name()]);
        let envelope = Envelope::parse(*command, printed.succeeds().as_bytes()).unwrap();
        assert_eq!(envelope.request.command(), *command);
    }
}

#[test]
fn the_wire_form_is_the_servers() {
    let printed = run(&["sample", "save-password", "--wire"]);
    assert_eq!(printed.succeeds(), format!("{}\n", Sample::of(Command::SavePassword).text()));
    assert!(printed.stdout.contains(r"kE3\u003dp\u0026x9\u0027\u003c\u003e"), "{printed:?}");
}

#[test]
fn samples_are_listed_and_found_by_their_names() {
    let names: Vec<_> = run(&["sample", "--list"]).succeeds().lines().map(str::to_owned).collect();
    assert_eq!(names.len(), Sample::all().count());
    assert!(names.windows(2).any(|pair| pair == ["assign-ip", "assign-ip.tier"]), "{names:?}");
    let tier = run(&["sample", "implement-network.tier"]);
    assert!(tier.succeeds().contains(r#""vpc_id": "7""#), "{tier:?}");
    let older = run(&["sample", "readme/apply-fw-rules.base64"]);
    assert!(older.succeeds().contains(r#""fw_rules": "eyJ"#), "{older:?}");
}

#[test]
fn an_unknown_sample_is_refused_with_the_known_ones() {
    for name in ["assign-ip.ipv6", "readme/assign-ip.ipv6"] {
        let run = run(&["sample", name]);
        assert_eq!(run.code, Some(1));
        let there = "assign-ip, assign-ip.tier, assign-ip.untagged, readme/assign-ip";
        assert_eq!(
            run.stderr,
            format!("netext: \"{name}\" is not a sample; the samples of assign-ip are {there}\n")
        );
    }
}
