//! `netext normalize`: the strict form, and the front for executables that read nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use netext_core::protocol::{Envelope, Sample};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::alive::{eventually, is_alive, process_in};
use crate::build::example;
use crate::tool::{ToolRun, netext, run, run_to_end, run_with_input};

/// A payload as the README documents it.
fn readme(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../../netext-protocol/fixtures/wire/readme/{name}.json"))
}

/// An executable in the shell behind a front, with a folder for the files of both.
struct FrontedExecutable(TempDir);

impl FrontedExecutable {
    fn new(body: &str) -> Self {
        let executable = Self(TempDir::new().unwrap());
        fs::create_dir(executable.folder("temporary")).unwrap();
        executable.write("device", &format!("#!/bin/sh\ncd {}\n{body}\n", executable.0.path().display()));
        executable
    }

    /// An example of netext-core in place of the executable.
    fn of_example(name: &str) -> Self {
        let executable = Self::new("");
        fs::remove_file(executable.folder("device")).unwrap();
        std::os::unix::fs::symlink(example(name), executable.folder("device")).unwrap();
        executable
    }

    /// An extension whose one line puts the front before the executable.
    fn extension(&self) -> PathBuf {
        let netext = env!("CARGO_BIN_EXE_netext");
        self.write("acme.sh", &format!("#!/usr/bin/env -S {netext} normalize --shebang device\n"))
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The content of a file that the executable wrote.
    fn wrote(&self, name: &str) -> String {
        fs::read_to_string(self.folder(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn front(&self, arguments: &[&str]) -> Command {
        let mut front = netext(&["normalize", "--exec"]);
        front.arg(self.folder("device")).args(arguments).env("TMPDIR", self.folder("temporary"));
        front
    }

    /// A command with a payload file, and the timeout of the server.
    fn send(&self, command: &str, file: &Path) -> ToolRun {
        self.call(command, file, "60")
    }

    fn call(&self, command: &str, file: &Path, timeout: &str) -> ToolRun {
        let run = run_to_end(self.front(&[command, file.to_str().unwrap(), timeout]));
        self.leaves_nothing();
        run
    }

    fn implement(&self, timeout: &str) -> ToolRun {
        self.call("implement-network", &readme("implement-network"), timeout)
    }

    #[track_caller]
    fn leaves_nothing(&self) {
        assert_eq!(fs::read_dir(self.folder("temporary")).unwrap().count(), 0, "a payload is left behind");
    }
}

#[test]
fn every_payload_has_a_strict_form() {
    for sample in Sample::all() {
        let command = sample.command();
        let strict = Envelope::parse(command, sample.text().as_bytes()).unwrap().to_strict_json();
        let run = run_with_input(&["normalize", command.name(), "-"], sample.text().as_bytes());
        assert_eq!(run.succeeds(), format!("{strict}\n"));
    }
}

#[test]
fn an_invalid_payload_is_refused_with_the_place_of_the_problem() {
    let payload = json!({"payload": {"network_id": "209", "public_ip": "198.51.100.300"}}).to_string();
    let refused = run_with_input(&["normalize", "assign-ip", "-"], payload.as_bytes());
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert_eq!(
        refused.stderr,
        "netext: assign-ip: payload.public_ip: \"198.51.100.300\" is not an IPv4 address\n"
    );
    let missing = run(&["normalize", "assign-ip", "/nonexistent"]);
    assert!(missing.code == Some(1) && missing.stderr.starts_with("netext: cannot read /nonexistent: "));
    assert_eq!(run(&["normalize", "make-coffee", "-"]).code, Some(2));
    assert_eq!(run(&["normalize", "assign-ip"]).code, Some(2));
}

#[test]
fn an_executable_gets_the_strict_form_in_a_private_file() {
    let executable = FrontedExecutable::new(
        "cp \"$2\" payload; stat -c %a \"$2\" >mode; echo $# $1 $3 >arguments; echo $2 >path; \
         tr '\\0' ' ' </proc/$$/cmdline >command-line; env >environment",
    );
    for name in
        ["apply-fw-rules.base64", "save-vm-data.base64", "restore-network.base64", "apply-lb-rules.string"]
    {
        let command = name.split('.').next().unwrap();
        assert_eq!(executable.send(command, &readme(name)).succeeds(), "");
        let strict = Envelope::parse(command.parse().unwrap(), &fs::read(readme(name)).unwrap()).unwrap();
        assert_eq!(executable.wrote("payload"), strict.to_strict_json());
        assert_eq!(executable.wrote("mode"), "600\n");
        assert_eq!(executable.wrote("arguments"), format!("3 {command} 59\n"));
        assert!(!Path::new(executable.wrote("path").trim()).exists());
    }
    executable.send("apply-fw-rules", &readme("apply-fw-rules.base64")).succeeds();
    let payload: Value = serde_json::from_str(&executable.wrote("payload")).unwrap();
    assert!(payload["payload"]["fw_rules"]["rules"][0]["portStart"].is_u64(), "{payload}");

    let file = executable.folder("password.json");
    fs::write(&file, Sample::named("save-password").unwrap().text()).unwrap();
    executable.send("save-password", &file).succeeds();
    assert!(executable.wrote("payload").contains("kE3=p"));
    for place in ["command-line", "environment"] {
        assert!(!executable.wrote(place).contains("kE3=p"), "{place} shows the password");
    }
}

#[test]
fn an_invalid_payload_never_reaches_the_executable() {
    let executable = FrontedExecutable::new("touch reached");
    let file = executable.folder("payload.json");
    for text in
        ["{}", "{", r#"{"payload":{"network_id":"../etc"}}"#, r#"{"payload":{"network_id":"1","cidr":"x"}}"#]
    {
        fs::write(&file, text).unwrap();
        let refused = executable.send("implement-network", &file);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{text}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
        assert!(refused.stderr.ends_with(&format!("(in {})\n", file.display())), "{refused:?}");
    }
    for (arguments, why) in [
        (&["make-coffee", "/nonexistent", "60"][..], "\"make-coffee\" is not a command"),
        (&["implement-network", "/nonexistent", "60"], "cannot read the payload file /nonexistent"),
        (&["implement-network", "/nonexistent", "soon"], "the timeout \"soon\" is not"),
        (&[], "no command is given"),
    ] {
        let refused = run_to_end(executable.front(arguments));
        assert!(refused.code == Some(1) && refused.stderr.contains(why), "{refused:?}");
    }
    assert!(!executable.folder("reached").exists());
}

#[test]
fn answers_exit_codes_and_the_one_line_are_passed_on() {
    let executable = FrontedExecutable::new("echo warning >&2; echo '{\"host\":\"192.0.2.10\"}'");
    let ensured = executable.send("ensure-network-device", &readme("ensure-network-device"));
    assert_eq!(ensured.succeeds(), "{\"host\":\"192.0.2.10\"}\n");
    assert_eq!(executable.implement("60").code, Some(0));

    for code in [1, 2, 3, 4, 5, 42, 70, 255] {
        let failing = FrontedExecutable::new(&format!(
            "echo progress; echo 'internal error: no slot' >&2; exit {code}"
        ));
        let failed = failing.implement("60");
        assert_eq!((failed.code, failed.stdout.as_str()), (Some(code), ""));
        assert_eq!(failed.stderr, "internal error: no slot\n");
    }
    for (body, code, line) in [
        ("exit 3", 3, " failed without a message (exit status: 3)\n"),
        ("echo first >&2; echo second >&2; exit 3", 3, "first\\nsecond\n"),
        ("echo no memory >&2; kill -KILL $$", 70, "(signal: 9 (SIGKILL)): no memory\n"),
        ("echo progress", 70, "the device answered a text that is not a JSON object\n"),
        ("printf '\\377'", 70, "the executable answered a text that is not UTF-8\n"),
    ] {
        let failed = FrontedExecutable::new(body).implement("60");
        assert_eq!((failed.code, failed.stdout.as_str()), (Some(code), ""), "{body}");
        assert_eq!(failed.stderr.lines().count(), 1, "{failed:?}");
        assert!(failed.stderr.ends_with(line), "{failed:?}");
    }
    let absent = FrontedExecutable::new("");
    fs::remove_file(absent.folder("device")).unwrap();
    let failed = absent.implement("60");
    assert!(failed.code == Some(1) && failed.stderr.starts_with("cannot run /"), "{failed:?}");
}

#[test]
fn a_long_answer_is_complete_and_an_endless_one_ends() {
    let text = "x".repeat(200_000);
    let executable = FrontedExecutable::new("cat text; head -c 300000 /dev/zero | tr '\\0' w >&2");
    fs::write(executable.folder("text"), &text).unwrap();
    let answered = executable.send("custom-action", &readme("custom-action"));
    assert_eq!(answered.succeeds(), format!("{text}\n"));
    let endless = FrontedExecutable::new("exec cat /dev/zero");
    let failed = endless.call("custom-action", &readme("custom-action"), "2");
    assert_eq!(failed.code, Some(4), "{failed:?}");
}

#[test]
fn a_process_left_behind_delays_nothing() {
    let executable = FrontedExecutable::new("sleep 30 & echo $! >left; echo '{\"host\":\"h\"}'");
    let begun = Instant::now();
    let ensured = executable.send("ensure-network-device", &readme("ensure-network-device"));
    assert_eq!(ensured.succeeds(), "{\"host\":\"h\"}\n");
    assert!(begun.elapsed() < Duration::from_secs(10));
    let left = process_in(&executable.folder("left"));
    assert!(is_alive(left), "a daemon that was started on purpose is killed");
    let _ = kill_process(left, Signal::KILL);
}

#[test]
fn the_deadline_ends_the_whole_group() {
    let executable =
        FrontedExecutable::new("trap '' TERM; sleep 30 & echo $! >child; echo $$ >own; wait; wait");
    let begun = Instant::now();
    let expired = executable.implement("1");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!((expired.code, expired.stdout.as_str()), (Some(4), ""));
    assert_eq!(expired.stderr, "implement-network: timed out after 1 s\n");
    for process in ["own", "child"] {
        let process = process_in(&executable.folder(process));
        eventually(|| (!is_alive(process)).then_some(()));
    }
}

#[test]
fn an_executable_that_is_called_off_may_undo_its_work_and_report_it() {
    let executable = FrontedExecutable::new(
        "trap 'touch undone; echo undone >&2; exit 143' TERM; touch begun; while :; do sleep 0.01; done",
    );
    let expired = executable.implement("1");
    assert_eq!(expired.code, Some(4));
    // The shell may add that its sleep was terminated.
    assert!(expired.stderr.starts_with("implement-network: timed out after 1 s: "), "{expired:?}");
    assert!(expired.stderr.ends_with("undone\n") && expired.stderr.lines().count() == 1, "{expired:?}");
    assert!(executable.folder("undone").exists());
}

/// A signal to the front ends the executable, too.
fn ends_by(signal: Signal) {
    let executable = FrontedExecutable::new("echo $$ >own; exec sleep 30");
    let mut front =
        executable.front(&["implement-network", readme("implement-network").to_str().unwrap(), "60"]);
    front.stderr(std::process::Stdio::piped()).process_group(0);
    let child = front.spawn().unwrap();
    let own = process_in(&executable.folder("own"));
    kill_process(Pid::from_child(&child), signal).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    assert_eq!(output.stderr, b"implement-network: interrupted by SIGTERM\n");
    eventually(|| (!is_alive(own)).then_some(()));
    executable.leaves_nothing();
}

#[test]
fn a_signal_ends_the_group_and_removes_the_file() {
    for signal in [Signal::TERM, Signal::HUP, Signal::QUIT] {
        ends_by(signal);
    }
}

#[test]
fn no_other_executable_of_the_same_name_is_called() {
    let executable = FrontedExecutable::new("echo '{\"host\":\"right\"}'");
    executable.extension();
    fs::create_dir(executable.folder("elsewhere")).unwrap();
    executable.write("elsewhere/device", "#!/bin/sh\necho '{\"host\":\"wrong\"}'\n");
    let mut call = Command::new("./acme.sh");
    let path = format!("{}:/usr/bin:/bin", executable.folder("elsewhere").display());
    call.args(["ensure-network-device", readme("ensure-network-device").to_str().unwrap(), "60"])
        .current_dir(executable.folder("."))
        .env("PATH", path);
    assert_eq!(run_to_end(call).succeeds(), "{\"host\":\"right\"}\n");
    let mut bare = netext(&["normalize", "--exec", "device", "--describe"]);
    bare.current_dir(executable.folder(".")).env("PATH", executable.folder("elsewhere"));
    assert!(!run_to_end(bare).succeeds().contains("wrong"));
}

#[test]
fn an_executable_answers_its_flags_itself() {
    let executable = FrontedExecutable::of_example("netext-double");
    let described: Value = run_to_end(executable.front(&["--describe"])).json(0);
    assert_eq!(described["name"], "double");
    assert!(run_to_end(executable.front(&["--version"])).succeeds().starts_with("double 1.2.3"));
    assert!(run_to_end(executable.front(&["--help"])).succeeds().contains("usage: device <command>"));

    let script = executable.write("steps.json", r#"["parse", {"fail": [2, "no route to the controller"]}]"#);
    let mut front =
        executable.front(&["implement-network", readme("implement-network").to_str().unwrap(), "60"]);
    front.env("NETEXT_DOUBLE", script);
    let failed = run_to_end(front);
    assert_eq!((failed.code, failed.stderr.as_str()), (Some(2), "no route to the controller\n"));
}

#[test]
fn commands_of_services_that_it_does_not_provide_do_not_reach_it() {
    let executable = FrontedExecutable::new("echo $1 >>reached");
    let send = |services: &str, command: &str| {
        let mut front = netext(&["normalize", "--services", services, "--exec"]);
        front.arg(executable.folder("device")).args([command, readme(command).to_str().unwrap(), "60"]);
        assert_eq!(run_to_end(front).succeeds(), "");
    };
    send("none", "assign-ip");
    send("Dhcp", "assign-ip");
    send("Dhcp", "add-dhcp-entry");
    send("none", "implement-network");
    assert_eq!(executable.wrote("reached"), "add-dhcp-entry\nimplement-network\n");
    assert_eq!(run(&["normalize", "--services", "Coffee", "--exec", "/bin/true"]).code, Some(2));
}

#[test]
fn one_line_makes_it_an_extension() {
    let executable = FrontedExecutable::new("echo \"$0\" >name; echo '{\"host\":\"192.0.2.10\"}'");
    let extension = executable.extension();
    let mut call = Command::new(&extension);
    call.args(["ensure-network-device", readme("ensure-network-device").to_str().unwrap(), "60"])
        .current_dir("/");
    assert_eq!(run_to_end(call).succeeds(), "{\"host\":\"192.0.2.10\"}\n");
    assert_eq!(executable.wrote("name").trim(), executable.folder("device").to_str().unwrap());
    let refused = run_to_end(Command::new(&extension));
    assert!(refused.code == Some(1) && refused.stderr.contains("usage: acme.sh <command>"), "{refused:?}");
}

#[test]
fn an_extension_behind_it_conforms() {
    let executable = FrontedExecutable::of_example("netext-faulty");
    let extension = executable.extension();
    let mut conformance = netext(&["conformance", "--exec", extension.to_str().unwrap(), "--format", "json"]);
    conformance
        .env("NETEXT_FOLDER", executable.folder("networks"))
        .env("TMPDIR", executable.folder("temporary"));
    let report = run_to_end(conformance);
    assert_eq!(report.code, Some(0), "{report:?}");
    executable.leaves_nothing();
}
