//! Tests of the faults at single system calls, on a shell in place of the extension.

use std::fs;
use std::time::Duration;

use netext_lab::{Call, CallPlace, Errno, Fault, Lab, SystemCall};

const PATIENCE: Duration = Duration::from_secs(10);

fn script(text: &str) -> Call {
    Call::operator(&["-c", text], PATIENCE)
}

/// The place of the call of that name on a path with that end.
#[track_caller]
fn place(calls: &[SystemCall], name: &str, end: &str) -> CallPlace {
    let call = calls.iter().find(|call| call.name.starts_with(name) && call.path.ends_with(end));
    call.unwrap_or_else(|| panic!("no {name} of {end}: {calls:#?}")).place
}

#[test]
fn all_calls_of_a_process_tree_have_places() {
    let lab = Lab::boot("/bin/sh");
    let recorded = lab.record(&script("mkdir /run/lab/one; (mkdir /run/lab/two; echo made)"));
    assert_eq!(recorded.outcome.code, Some(0), "{:?}", recorded.outcome);
    assert_eq!(recorded.outcome.output, "made\n");
    assert!(recorded.calls.windows(2).all(|pair| pair[0].place < pair[1].place));
    assert!(place(&recorded.calls, "mkdir", "/one") < place(&recorded.calls, "mkdir", "/two"));
    assert!(
        recorded.calls.iter().any(|call| call.program == "mkdir" && call.name == "execve") || {
            recorded.calls.iter().any(|call| call.name == "execve" && call.path.ends_with("/mkdir"))
        }
    );
}

#[test]
fn a_call_fails_without_being_executed() {
    let lab = Lab::boot("/bin/sh");
    let call = script("mkdir /run/lab/one || { mkdir /run/lab/two; exit 7; }");
    let place = place(&lab.record(&call).calls, "mkdir", "/one");
    lab.host().run(|| fs::remove_dir("/run/lab/one")).expect("the folder");
    let failed = lab.call_with(&call, Fault::Fail(place, Errno::ENOSPC));
    assert_eq!(failed.outcome.code, Some(7), "{:?}", failed.outcome);
    assert!(failed.outcome.output.contains("No space left on device"), "{:?}", failed.outcome);
    assert!(failed.struck.is_some_and(|call| call.path == "/run/lab/one"));
    let exist =
        ["/run/lab/one", "/run/lab/two"].map(|path| lab.host().run(|| fs::exists(path).unwrap_or_default()));
    assert_eq!(exist, [false, true]);
}

#[test]
fn a_whole_tree_is_killed_before_a_call() {
    let lab = Lab::boot("/bin/sh");
    let call = script("sleep 300 & one=$!; sleep 300 & mkdir /run/lab/one; sleep 0.2; kill $one $!");
    // The processes run side by side, so the call of this number may be another one the next time.
    let about = place(&lab.record(&call).calls, "mkdir", "/one");
    let killed = lab.call_with(&call, Fault::Kill(about));
    assert!(killed.struck.is_some_and(|struck| struck.place >= about));
    assert_eq!((killed.outcome.code, killed.outcome.signal), (None, Some(9)), "{:?}", killed.outcome);
    assert!(!killed.hung && !killed.keeps_output);
    assert_eq!(lab.processes(), []);
}

#[test]
fn a_daemon_that_a_command_leaves_is_let_go() {
    let lab = Lab::boot("/bin/sh");
    let recorded = lab.record(&script("sleep 300 >/dev/null 2>&1 & echo started"));
    assert_eq!(recorded.outcome.output, "started\n");
    let processes = lab.processes();
    assert_eq!(processes.len(), 1, "{processes:?}");
    std::thread::sleep(Duration::from_millis(50));
    let status = fs::read_to_string(format!("/proc/{}/status", processes[0].0)).expect("a process");
    assert!(status.contains("TracerPid:\t0\n") && status.contains("State:\tS"), "{status}");
}

#[test]
fn the_same_command_makes_the_same_calls() {
    let lab = Lab::boot("/bin/sh");
    let names = || {
        let calls = lab.record(&script("cat /etc/hostname; cat /etc/hostname")).calls.into_iter();
        let mut names = calls.map(|call| (call.program, call.name)).collect::<Vec<_>>();
        names.sort();
        names
    };
    assert_eq!(names(), names());
}

#[test]
fn a_command_that_hangs_is_killed() {
    let lab = Lab::boot("/bin/sh");
    let hangs = Call::operator(&["-c", "sleep 300"], Duration::from_millis(200));
    let outcome = lab.call_with(&hangs, Fault::None);
    assert!(outcome.hung);
    assert_eq!(outcome.outcome.signal, Some(9));
}

#[test]
fn an_output_that_a_daemon_keeps_is_noticed() {
    let lab = Lab::boot("/bin/sh");
    let outcome = lab.call_with(&script("sleep 300 & echo started"), Fault::None);
    assert!(outcome.keeps_output, "{outcome:?}");
    assert_eq!(outcome.outcome.output, "started\n");
}
