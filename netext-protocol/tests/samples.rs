//! Every sample payload of the protocol parses, and what was parsed survives being written and read again.

use std::path::Path;

use netext_protocol::{Command, Envelope, Request};

fn samples() -> Vec<(String, Command, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/wire");
    let mut samples: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let command = name.split('.').next().unwrap().parse().unwrap();
            (name, command, std::fs::read(path).unwrap())
        })
        .collect();
    samples.sort();
    samples
}

#[test]
fn every_sample_round_trips_without_unknown_fields() {
    for (name, command, file) in samples() {
        let envelope = Envelope::parse(command, &file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(envelope.request.command(), command, "{name}");
        assert!(envelope.extra.is_empty(), "{name}: {:?}", envelope.extra);

        let again: Envelope<Request> = Envelope::parse(command, envelope.to_json().as_bytes()).unwrap();
        assert_eq!(again, envelope, "{name}");
    }
}

#[test]
fn every_command_has_a_sample() {
    for command in Command::ALL {
        assert!(samples().iter().any(|(_, sampled, _)| sampled == command), "{command}");
    }
}
