//! The daemons of a router: started, reloaded, stopped and repaired, without touching other processes.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::served::{self, Served, admit, ask, file, guest, is_alive, network, pid, soon};
use crate::throwaway::{self, apply_daemons, peers, router, router_name, sh};
use netext_namespace::daemons::DaemonError;
use netext_namespace::drift::Pass;
use netext_namespace::kernel::namespace::Namespace;

fn both() -> [u32; 2] {
    ["dnsmasq", "radvd"].map(pid)
}

/// Kills a process and waits until it has ended.
fn kill(pid: u32) {
    sh(&format!("kill -9 {pid}"));
    wait_for_end(pid);
}

fn wait_for_end(pid: u32) {
    let deadline = soon();
    while is_alive(pid) {
        assert!(Instant::now() < deadline, "process {pid} still runs");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A process that is not ours.
struct Innocent(Child);

impl Innocent {
    fn named(program: &str, arguments: &[&str]) -> Self {
        use std::os::unix::process::CommandExt;
        // A shell that waits for a line, by another name.
        let mut command = Command::new("sh");
        command.arg0(program).args(["-c", "read line", "sh"]).args(arguments).stdin(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Innocent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_matches_is_not_touched() {
    let router = Served::boot();
    let network = network();
    router.serve(&network);
    let before = both();
    let times = || {
        ["dnsmasq/dnsmasq.conf", "dnsmasq/hosts", "dnsmasq/settled", "radvd/radvd.conf"]
            .map(|path| fs::metadata(format!("{}/{path}", served::FOLDER)).unwrap().ino())
    };
    let written = times();
    router.serve(&network);
    assert_eq!((both(), times()), (before, written));
}

#[test]
fn daemons_run_without_privileges_and_read_only_their_own_files() {
    let router = Served::boot();
    router.serve(&network());
    for daemon in ["dnsmasq", "radvd"] {
        // radvd is ready shortly before it drops its privileges.
        let is_root = || {
            let status = fs::read_to_string(format!("/proc/{}/status", pid(daemon))).unwrap();
            let user = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap().to_owned();
            user.split_whitespace().any(|id| id == "0")
        };
        let deadline = soon();
        while is_root() {
            assert!(Instant::now() < deadline, "{daemon} stays root");
        }
        for descriptor in 0..3 {
            let stream = fs::read_link(format!("/proc/{}/fd/{descriptor}", pid(daemon))).unwrap();
            assert_eq!(stream.to_str(), Some("/dev/null"), "{daemon}'s stream {descriptor}");
        }
        let folder = fs::metadata(file(daemon, "")).unwrap();
        assert_eq!((folder.uid(), folder.mode() & 0o7777), (0, 0o750));
        let configuration = fs::metadata(file(daemon, &format!("{daemon}.conf"))).unwrap();
        assert_eq!((configuration.uid(), configuration.mode() & 0o7777), (0, 0o640));
    }
}

#[test]
fn killed_daemons_come_back() {
    let router = Served::boot();
    let network = network();
    router.serve(&network);
    let before = both();
    before.into_iter().for_each(kill);
    router.serve(&network);
    let after = both();
    assert!(after.iter().all(|pid| is_alive(*pid) && !before.contains(pid)));
}

#[test]
fn an_unwanted_daemon_is_stopped_and_leaves_nothing() {
    let router = Served::boot();
    let mut network = network();
    router.serve(&network);
    let [dnsmasq, radvd] = both();
    network.ipv6 = None;
    router.serve(&network);
    assert!(!is_alive(radvd) && is_alive(dnsmasq) && !file("radvd", "").exists());
    router.serve_nothing();
    assert!(!is_alive(dnsmasq) && !file("dnsmasq", "").exists());
    router.serve_nothing();
}

#[test]
fn a_pid_file_that_names_another_process_harms_no_process() {
    let router = Served::boot();
    let network = network();
    router.serve(&network);
    let [dnsmasq, _] = both();
    // Their command lines resemble the daemon's, each in one respect only.
    let configuration = file("dnsmasq", "dnsmasq.conf").display().to_string();
    let mut innocents = [
        Innocent::named("sleep", &[]),
        Innocent::named("vim", &[&configuration]),
        Innocent::named("dnsmasq", &["--conf-file=/mnt/network-421/dnsmasq/dnsmasq.conf"]),
    ];
    for innocent in &innocents {
        fs::write(file("dnsmasq", "dnsmasq.pid"), innocent.0.id().to_string()).unwrap();
        router.serve(&network);
        assert!(is_alive(pid("dnsmasq")) && pid("dnsmasq") != innocent.0.id());
    }
    // The daemon that the pid file no longer named was found, or two would answer.
    assert!(!is_alive(dnsmasq));
    fs::write(file("dnsmasq", "dnsmasq.pid"), innocents[0].0.id().to_string()).unwrap();
    router.serve_nothing();
    assert!(innocents.iter_mut().all(Innocent::lives));
}

#[test]
fn an_invalid_pid_file_names_no_process() {
    let router = Served::boot();
    let network = network();
    for nonsense in ["", "0", "-1", "1", "4194304", "99999999999", "x\n"] {
        router.serve(&network);
        let before = pid("dnsmasq");
        fs::write(file("dnsmasq", "dnsmasq.pid"), nonsense).unwrap();
        router.serve(&network);
        assert!(is_alive(pid("dnsmasq")) && !is_alive(before), "{nonsense:?}");
    }
}

#[test]
fn the_rest_of_a_longer_process_id_does_not_hide_the_next_daemon() {
    let router = Served::boot();
    let network = network();
    router.serve(&network);
    let before = both();
    before.into_iter().for_each(kill);
    for daemon in ["dnsmasq", "radvd"] {
        // More digits than any process id has: some stay if the file is overwritten without being shortened.
        fs::write(file(daemon, &format!("{daemon}.pid")), "2147483647\n").unwrap();
    }
    router.serve(&network);
    let after = both();
    assert!(after.iter().all(|pid| is_alive(*pid) && !before.contains(pid)));
}

#[test]
fn a_reload_that_a_killed_command_missed_is_done_later() {
    let router = Served::boot();
    let mut network = network();
    router.serve(&network);
    guest("asker", "02:00:00:00:00:99");
    sh("ip -n asker address add 10.1.1.99/24 dev eth0");
    // The state in between: the marker is gone, the file is new, the daemon has not read it.
    admit(&mut network, "02:01:00:d1:00:0a", "10.1.1.10", "web");
    fs::remove_file(file("dnsmasq", "settled")).unwrap();
    let plans = Served::plans(&network);
    let hosts = plans[0].files.iter().find(|file| file.name == "hosts").unwrap();
    fs::write(file("dnsmasq", "hosts"), &hosts.content).unwrap();
    assert_eq!(ask("asker", "@10.1.1.1 web"), "");
    router.serve(&network);
    assert_eq!(ask("asker", "@10.1.1.1 web"), "10.1.1.10");
}

#[test]
fn a_daemon_in_a_namespace_that_is_gone_is_replaced() {
    let mut router = Served::boot();
    let network = network();
    router.serve(&network);
    let before = both();
    throwaway::remove(&router_name(), &peers()).unwrap();
    throwaway::apply(&throwaway::router()).unwrap();
    router.namespace = Namespace::open(&router_name()).unwrap().unwrap();
    router.serve(&network);
    assert!(before.iter().all(|pid| !is_alive(*pid)) && both().iter().all(|pid| is_alive(*pid)));
    guest("web", "02:01:00:d1:00:0a");
    sh("ip netns exec web rdisc6 -1 eth0");
}

#[test]
fn an_interface_that_was_created_again_is_served() {
    let served = Served::boot();
    let mut network = network();
    admit(&mut network, "02:01:00:d1:00:0a", "10.1.1.10", "web");
    served.serve(&network);
    sh("ip link delete vh-100-42");
    throwaway::apply(&router()).unwrap();
    served.serve(&network);
    guest("web", "02:01:00:d1:00:0a");
    assert_eq!(served::lease("web", "")["ip"], "10.1.1.10");
}

#[test]
fn a_daemon_that_does_not_start_says_why() {
    let router = Served::boot();
    let mut plans = Served::plans(&network());
    plans[0].files[0].content.push_str("no-such-word\n");
    let refused = router.try_apply(&plans).unwrap_err();
    assert!(matches!(refused, DaemonError::Refused { .. }));
    let said = refused.to_string();
    assert!(said.starts_with("dnsmasq of network-42 did not start: ") && said.lines().count() == 1, "{said}");
    assert!(said.contains("dnsmasq.conf"), "{said}");

    let mut plans = Served::plans(&network());
    plans[1].files[0].content.push_str("bogus;\n");
    let said = router.try_apply(&plans).unwrap_err().to_string();
    assert!(said.contains("radvd of network-42") && said.contains("syntax error"), "{said}");

    plans[0].start.program = "/no/such/dnsmasq".to_owned();
    plans[0].files[0].content.push('\n');
    let said = router.try_apply(&plans).unwrap_err().to_string();
    assert!(said.contains("/no/such/dnsmasq not found; install the package dnsmasq-base"), "{said}");
    router.serve(&network());
}

#[test]
fn a_daemon_that_hangs_at_its_start_is_abandoned_in_time() {
    let router = Served::boot();
    let mut plans = Served::plans(&network());
    fs::write("/mnt/hangs", "#!/bin/sh\nexec sleep 60\n").unwrap();
    sh("chmod 755 /mnt/hangs");
    plans[0].start.program = "/mnt/hangs".to_owned();
    let begun = Instant::now();
    let deadline = begun + Duration::from_millis(200);
    let late = apply_daemons(&router.namespace, plans, Vec::new(), deadline, &mut Pass::command());
    let late = late.unwrap_err();
    assert!(matches!(late, DaemonError::TimedOut { .. }), "{late}");
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(late.to_string().contains("dnsmasq of network-42"), "{late}");
}

#[test]
fn a_daemon_that_ignores_sigterm_is_killed() {
    let router = Served::boot();
    let network = network();
    router.serve(&network);
    let before = pid("dnsmasq");
    sh(&format!("kill -STOP {before}"));
    let begun = Instant::now();
    router.serve_nothing();
    assert!(!is_alive(before));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_removed_line_restarts_the_daemon_only_where_needed() {
    let router = Served::boot();
    let mut network = network();
    admit(&mut network, "02:01:00:d1:00:0a", "10.1.1.10", "web");
    router.serve(&network);
    let before = pid("dnsmasq");
    network.records.clear();
    router.serve(&network);
    assert_eq!(pid("dnsmasq"), before);
    network.reservations.clear();
    router.serve(&network);
    assert_ne!(pid("dnsmasq"), before);
}
