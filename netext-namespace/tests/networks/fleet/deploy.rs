//! `fleet deploy`: executables installed on hosts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use netext_lab::{EXTENSION, FIRST_HOST, KvmHost, Lab, OPERATOR, Signal, fleet};
use serde_json::json;

use super::{OTHER_PROTOCOL, SECOND_HOST, THIRD_HOST, fleet, hosts, row, three_hosts};

const FOLDER: &str = "/etc/cloudstack/extensions";

/// The executable under test.
fn executable() -> (String, u64) {
    let path = std::env::var("NETEXT_EXECUTABLE")
        .unwrap_or_else(|_| env!("CARGO_BIN_EXE_netext-namespace").to_owned());
    let size = std::fs::metadata(&path).expect("the executable").len();
    (path, size)
}

/// Asserts that the host has the executable under test in place, and nothing else.
#[track_caller]
fn has_it(host: &KvmHost) {
    assert_eq!(host.deployed(), [(format!("{EXTENSION}-wrapper.sh"), executable().1)]);
}

/// Asserts that the host has its old executable in place, and nothing else.
#[track_caller]
fn has_the_older_build(host: &KvmHost) {
    assert_eq!(host.deployed(), [(format!("{EXTENSION}-wrapper.sh"), executable().1 + 6)]);
}

#[test]
fn a_new_host_gets_everything_that_commands_need() {
    let lab = fleet!();
    let host = lab.first_host();
    host.loses_extension();
    let printed = fleet(&lab, "deploy", 0);
    assert_eq!(row(&printed, FIRST_HOST)[1], "deployed");
    assert!(printed.contains("1 host: 1 deployed"), "{printed}");
    has_it(host);
    let mode = host
        .sandbox()
        .output("stat", &["-c", "%a %U", &format!("{FOLDER}/{EXTENSION}/{EXTENSION}-wrapper.sh")]);
    assert_eq!(String::from_utf8_lossy(&mode.stdout), "755 root\n");
    lab.network(209).implement();
    assert!(lab.has_namespace("cs-net-209"));
}

#[test]
fn an_executable_that_is_in_place_is_not_sent_again() {
    let lab = fleet!();
    lab.first_host().gets_older_build();
    let second = lab.join(SECOND_HOST);
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    let outcomes =
        |told: Vec<serde_json::Value>| told.iter().map(|host| host["outcome"].clone()).collect::<Vec<_>>();
    assert_eq!(outcomes(hosts(&lab, "deploy", 0)), ["deployed", "already-there"]);
    let printed = fleet(&lab, "deploy", 0);
    assert!(printed.contains("2 hosts: 2 had it already"), "{printed}");
    has_it(lab.first_host());
    has_it(&second);
}

#[test]
fn no_command_finds_an_incomplete_executable() {
    let lab = fleet!();
    lab.first_host().gets_older_build();
    let network = lab.network(209);
    network.implement();
    let stop = AtomicBool::new(false);
    let commands = thread::scope(|scope| {
        let work = |guest: u32| {
            let (network, stop) = (&network, &stop);
            move || {
                let mut done = 0;
                while !stop.load(Ordering::Relaxed) {
                    network.prepare_nic(&format!("10.1.1.{guest}"));
                    done += 1;
                }
                done
            }
        };
        let working: Vec<_> = (10..13).map(|guest| scope.spawn(work(guest))).collect();
        // Every other round deploys an older executable.
        for round in 0..4 {
            let older = "/run/lab/older";
            if round == 0 {
                let made = lab.server().output(
                    "sh",
                    &["-c", &format!("cat {} >{older} && echo older >>{older}", executable().0)],
                );
                assert!(made.status.success(), "{made:?}");
            }
            let words =
                if round % 2 == 0 { "deploy".to_owned() } else { format!("deploy --executable {older}") };
            let printed = fleet(&lab, &words, 0);
            assert_eq!(row(&printed, FIRST_HOST)[1], "deployed", "{printed}");
        }
        stop.store(true, Ordering::Relaxed);
        working.into_iter().map(|it| it.join().expect("every command succeeds")).sum::<u32>()
    });
    assert!(commands > 10, "{commands} commands ran meanwhile");
    has_the_older_build(lab.first_host());
}

#[test]
fn a_host_that_cannot_store_the_executable_is_reported_and_delays_no_other() {
    let lab = fleet!();
    let [second, third] = three_hosts(&lab);
    for host in [lab.first_host(), &second, &third] {
        host.loses_extension();
    }
    let mount = |host: &KvmHost, options: &str| {
        let script = format!("mkdir -p {FOLDER} && mount -t tmpfs -o {options} lab {FOLDER}");
        let mounted = host.sandbox().output("sh", &["-c", &script]);
        assert!(mounted.status.success(), "{mounted:?}");
    };
    mount(&second, "size=1m");
    mount(&third, "ro");
    let printed = fleet(&lab, "deploy", 3);
    assert_eq!(row(&printed, FIRST_HOST)[1], "deployed");
    has_it(lab.first_host());
    for (host, step, reason) in [
        (SECOND_HOST, "cannot write the draft", "No space left on device"),
        (THIRD_HOST, "cannot make the draft", "Read-only file system"),
    ] {
        let line = printed.lines().find(|line| line.contains(host) && line.contains(step));
        assert!(line.is_some_and(|line| line.contains(reason)), "{printed}");
    }
    assert_eq!(second.deployed(), [], "no draft is left");
    assert!(printed.contains("3 hosts: 1 deployed, 2 failed"), "{printed}");
}

#[test]
fn a_host_that_cannot_be_reached_delays_no_other() {
    let lab = fleet!();
    let [second, third] = three_hosts(&lab);
    lab.first_host().gets_older_build();
    third.gets_older_build();
    second.loses_sshd();
    let told = hosts(&lab, "deploy", 3);
    let outcomes: Vec<_> = told.iter().map(|host| host["outcome"].as_str().unwrap_or_default()).collect();
    assert_eq!(outcomes, ["deployed", "failed", "deployed"]);
    assert!(told[1]["error"].as_str().is_some_and(|it| it.contains("Connection refused")), "{told:?}");
    has_it(&third);
}

#[test]
fn a_program_that_is_not_this_extension_is_not_installed() {
    let lab = fleet!();
    let host = lab.first_host();
    host.gets_older_build();
    let other = "/run/lab/other-protocol";
    lab.server().run(|| std::fs::write(other, OTHER_PROTOCOL)).expect("a program");
    for (program, reason) in [("/bin/true", "exit code 0"), (other, "speaks relay protocol 9")] {
        let printed = fleet(&lab, &format!("deploy --executable {program}"), 3);
        assert!(printed.contains("the executable to deploy does not answer"), "{printed}");
        assert!(printed.contains("wrong executable") && printed.contains(reason), "{printed}");
        has_the_older_build(host);
    }
}

#[test]
fn a_deployment_repairs_a_host_with_another_protocol() {
    let lab = fleet!();
    lab.first_host().gets_instead(OTHER_PROTOCOL);
    fleet(&lab, "deploy", 0);
    lab.network(209).implement();
}

#[test]
fn a_deployment_that_is_killed_leaves_the_old_executable() {
    let lab = fleet!();
    let host = lab.first_host();
    host.gets_older_build();
    let payload = lab.payload_file();
    let running = lab.start_bare(&["fleet", "deploy", "--from", &payload]);
    let deadline = Instant::now() + Duration::from_secs(20);
    while host.deployed().len() < 2 {
        assert!(Instant::now() < deadline, "no draft");
        thread::sleep(Duration::from_millis(1));
    }
    running.signal(Signal::SIGKILL);
    running.finish();
    let older = (format!("{EXTENSION}-wrapper.sh"), executable().1 + 6);
    assert!(host.deployed().contains(&older), "{:?}", host.deployed());
    lab.network(209).ensure_device(&json!({})).succeeds();
    // A deployment removes drafts that are older than an hour.
    let script = format!("touch -d '2 hours ago' {FOLDER}/{EXTENSION}/*.new");
    host.sandbox().output("sh", &["-c", &script]);
    fleet(&lab, "deploy", 0);
    has_it(host);
}

#[track_caller]
fn may_by_sudo(lab: &Lab, commands: &str) {
    let sudoers = format!(
        "Defaults env_keep += \"NETEXT_STATE_ROOT NETEXT_LOG_ROOT\"\n{OPERATOR} ALL=(root) NOPASSWD: {commands}\n"
    );
    lab.host().run(|| std::fs::write("/etc/sudoers", sudoers)).expect("a file of this machine's own");
}

#[test]
fn a_user_other_than_root_deploys_by_sudo() {
    let lab = fleet!();
    lab.register("username", OPERATOR);
    lab.first_host().gets_older_build();
    let printed = fleet(&lab, "deploy", 3);
    assert!(printed.contains("sudo"), "{printed}");
    has_the_older_build(lab.first_host());
    may_by_sudo(&lab, "ALL");
    fleet(&lab, "deploy", 0);
    has_it(lab.first_host());
    fleet(&lab, "status", 0);
}
