//! `netext record` and `netext replay`.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use netext_core::protocol::{Command as Protocol, Sample, Sender};
use netext_core::testing::Payload;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::build::example;
use crate::tool::{ToolRun, netext, run_to_end};

/// A recorder, with a folder of its own.
struct Recorder(TempDir);

impl Recorder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn folder(&self) -> std::path::PathBuf {
        self.0.path().join("recording")
    }

    /// The recorder in the place of a program.
    fn of(&self, program: &Path) -> Command {
        let mut command = netext(&["record", "--out"]);
        command.arg(self.folder()).arg("--").arg(program);
        command
    }

    /// A command of the protocol to the faulty extension, through the recorder.
    fn send(&self, fault: &str, command: &str, payload: &str) -> ToolRun {
        let file = self.0.path().join("payload.json");
        fs::write(&file, payload).unwrap();
        let mut recorder = self.of(&example("netext-faulty"));
        recorder.args([command, file.to_str().unwrap(), "60"]);
        recorder.env("NETEXT_FAULT", fault).env("NETEXT_FOLDER", self.0.path().join("networks"));
        run_to_end(recorder)
    }

    fn replay(&self, fault: &str, arguments: &[&str]) -> ToolRun {
        let mut replay = netext(&["replay", "--exec"]);
        replay.arg(example("netext-faulty")).arg(self.folder()).args(arguments);
        replay.env("NETEXT_FAULT", fault).env("NETEXT_FOLDER", self.0.path().join("others"));
        run_to_end(replay)
    }

    /// The recorded runs, in the order in which they began.
    fn recorded(&self) -> Vec<Value> {
        let mut paths: Vec<_> = fs::read_dir(self.folder()).unwrap().map(|it| it.unwrap().path()).collect();
        paths.sort_unstable();
        paths.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
    }
}

#[test]
fn the_server_notices_no_difference() {
    let recorder = Recorder::new();
    let run = recorder.send(
        "none",
        "ensure-network-device",
        Sample::named("ensure-network-device").unwrap().text(),
    );
    assert_eq!(run.succeeds(), r#"{"host":"192.0.2.10"}"#);
    let refused = recorder.send("none", "shutdown-network", "{}");
    assert_eq!(refused.code, Some(1));
    assert_eq!(refused.stdout, "");
    assert_eq!(refused.stderr, "shutdown-network: payload file: missing field `payload`\n");

    let mut shell = recorder.of(Path::new("/bin/sh"));
    shell.args(["-c", "cat; kill -KILL $$"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"told").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.stdout.as_slice(), output.status.signal()), (&b"told"[..], Some(9)));
}

#[test]
fn streams_that_are_one_stay_one_and_in_order() {
    let recorder = Recorder::new();
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let mut shell = recorder.of(Path::new("/bin/sh"));
    shell.args(["-c", "for n in 1 2 3 4 5 6 7 8; do echo out $n; echo err $n >&2; done"]);
    let mut child = shell.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
    drop(shell);
    let mut output = String::new();
    File::from(reader).read_to_string(&mut output).unwrap();
    assert!(child.wait().unwrap().success());
    let expected = [1, 2, 3, 4, 5, 6, 7, 8].map(|number| format!("out {number}\nerr {number}\n")).concat();
    assert_eq!(output, expected);
    assert_eq!(
        (&recorder.recorded()[0]["output"], &recorder.recorded()[0]["error_output"]),
        (&expected.into(), &Value::Null)
    );
}

#[test]
fn a_signal_that_asks_to_end_reaches_the_extension() {
    let recorder = Recorder::new();
    let mut shell = recorder.of(Path::new("/bin/sh"));
    shell.args(["-c", "trap 'echo undone; exit 143' TERM; echo ready; while :; do sleep 0.01; done"]);
    let mut child = shell.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut ready = [0; 6];
    stdout.read_exact(&mut ready).unwrap();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("undone\n", Some(143)));
}

#[test]
fn no_credential_is_recorded_and_only_the_owner_may_read() {
    let recorder = Recorder::new();
    let sample = Sample::named("save-password").unwrap().text();
    recorder.send("none", "save-password", sample).succeeds();
    // The fault prints the payload file.
    let broken = sample.replace("\"209\"", "\"two hundred\"");
    assert!(recorder.send("shows-payloads", "implement-network", &broken).stderr.contains("SAMPLE KEY"));

    let path = fs::read_dir(recorder.folder()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(recorder.folder()).unwrap().permissions().mode() & 0o777, 0o700);
    let kept = recorder.recorded();
    assert_eq!(kept[0]["payload"]["payload"]["password"], "[masked]");
    assert_eq!(kept[0]["payload"]["payload"]["ip"], "10.1.1.10");
    assert_eq!(kept[0]["arguments"], json!(["save-password", "<payload-file>", "60"]));
    let text = kept.iter().map(Value::to_string).collect::<String>();
    for secret in ["kE3=p", r"kE3\\u003dp", "SAMPLE KEY", "bm90LWEta2V5"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[test]
fn no_credential_inside_a_text_of_older_senders_is_recorded() {
    let recorder = Recorder::new();
    let payload = Payload::sample(Protocol::SaveVmData).with("vm_data/0/content", "hunter2 and more");
    for payload in payload.in_older_forms() {
        let document = payload.document(json!({}), json!({})).to_string();
        recorder.send("none", "save-vm-data", &document).succeeds();
        // The fault prints the payload file.
        let broken = document.replace("\"209\"", "\"two hundred\"");
        let printed = recorder.send("shows-payloads", "save-vm-data", &broken).stderr;
        assert!(printed.contains("hunter2") || printed.contains("W3siY29udGVudCI6"), "{printed}");
    }
    let text = recorder.recorded().iter().map(Value::to_string).collect::<String>();
    for secret in ["hunter2", "aHVudGVyMi", "W3siY29udGVudCI6"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(recorder.replay("none", &[]).stdout.contains("  ok    save-vm-data "));
}

#[test]
fn a_recording_of_senders_that_follow_the_readme_replays_clean() {
    let recorder = Recorder::new();
    let samples: Vec<_> = Sample::all().filter(|sample| sample.sender() != Sender::Server).collect();
    for sample in &samples {
        recorder.send("none", sample.command().name(), sample.text()).succeeds();
    }
    let clean = recorder.replay("none", &[]);
    assert!(clean.succeeds().ends_with("\nnothing differs\n"), "{clean:?}");
    assert_eq!(clean.stdout.matches("  ok    ").count(), samples.len());
}

#[test]
fn a_recording_replays_clean_and_shows_differences_of_another_build() {
    let recorder = Recorder::new();
    for command in
        ["ensure-network-device", "implement-network", "prepare-nic", "save-password", "destroy-network"]
    {
        recorder.send("none", command, Sample::named(command).unwrap().text()).succeeds();
    }
    recorder.send("none", "assign-ip", "{}");

    let clean = recorder.replay("none", &[]);
    assert!(clean.succeeds().ends_with("\nnothing differs\n"), "{clean:?}");

    let differing = recorder.replay("prints-progress", &[]);
    assert_eq!(differing.code, Some(1));
    assert!(differing.stdout.contains("  DIFF  prepare-nic "), "{differing:?}");
    assert!(
        differing.stdout.contains("output was \"\"\n        output is  \"prepared\\n\"\n"),
        "{differing:?}"
    );
    assert!(differing.stdout.ends_with("\n1 run differs\n"), "{differing:?}");

    let json = recorder.replay("prints-progress", &["--json"]).json(1);
    assert_eq!(json["differing"], 1);
    assert_eq!(json["runs"][2]["differences"][0]["replayed"], "prepared\n");
}

#[test]
fn an_invalid_recording_is_refused() {
    let recorder = Recorder::new();
    assert!(recorder.replay("none", &[]).stderr.starts_with("netext: cannot read "));
    fs::create_dir(recorder.folder()).unwrap();
    assert!(recorder.replay("none", &[]).stderr.ends_with(" holds no recording\n"));
    fs::write(recorder.folder().join("1.json"), "{}").unwrap();
    assert!(
        recorder.replay("none", &[]).stderr.contains("1.json is not a file of a recording: missing field")
    );
}
