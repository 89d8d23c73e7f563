//! Daemons that live and do not answer, and a host whose processes cannot be seen.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use netext_namespace::compile::services::GuestServices;
use netext_namespace::daemons::DaemonError;
use netext_namespace::drift::Pass;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::served::{self, Served, ask, file, guest, is_alive, network, pid, soon};
use crate::throwaway::{apply_daemons, sh};

impl Served {
    /// What differs, by a question to every daemon.
    fn differences(&self, guest: &GuestServices) -> Vec<String> {
        let mut pass = Pass::rehearsal();
        let plans = Self::plans(guest);
        apply_daemons(&self.namespace, plans, Vec::new(), soon(), &mut pass).unwrap();
        pass.into_differences().into_iter().map(|difference| difference.what).collect()
    }

    fn repair(&self, guest: &GuestServices) {
        let plans = Self::plans(guest);
        apply_daemons(&self.namespace, plans, Vec::new(), soon(), &mut Pass::repair()).unwrap();
    }
}

/// A process that has dnsmasq's executable, namespace and command line, and does nothing.
struct Mute(Child);

impl Mute {
    /// It takes dnsmasq's place.
    fn in_place_of_dnsmasq() -> Self {
        sh(&format!("kill -9 {}", pid("dnsmasq")));
        fs::copy("/bin/sh", "/mnt/dnsmasq").expect("daemons that can be started");
        let mut command = Command::new("ip");
        let configuration = file("dnsmasq", "dnsmasq.conf").display().to_string();
        command.args(["netns", "exec", "cs-net-42", "/mnt/dnsmasq", "-c", "read line", &configuration]);
        let mute = Self(command.stdin(Stdio::piped()).spawn().expect("daemons that can be started"));
        fs::write(file("dnsmasq", "dnsmasq.pid"), mute.0.id().to_string())
            .expect("daemons that can be started");
        let deadline = soon();
        while fs::read_to_string(format!("/proc/{}/comm", mute.0.id()))
            .expect("daemons that can be started")
            .trim()
            != "dnsmasq"
        {
            assert!(Instant::now() < deadline);
        }
        mute
    }
}

impl Drop for Mute {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn dhcp_only() -> GuestServices {
    GuestServices { dns: false, ..network() }
}

#[test]
fn sound_daemons_answer() {
    for network in [network(), dhcp_only()] {
        let router = Served::boot();
        router.serve(&network);
        for _ in 0..20 {
            assert_eq!(router.differences(&network), [""; 0]);
        }
    }
}

#[test]
fn a_dnsmasq_that_answers_no_question_is_replaced() {
    let router = Served::boot();
    let network = network();
    router.serve(&network);
    let mute = Mute::in_place_of_dnsmasq();
    let begun = Instant::now();
    assert_eq!(router.differences(&network), ["restart dnsmasq of network-42: it does not answer"]);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    router.repair(&network);
    assert!(!is_alive(mute.0.id()) && is_alive(pid("dnsmasq")));
    guest("asker", "02:00:00:00:00:99");
    sh("ip -n asker address add 10.1.1.99/24 dev eth0");
    assert_eq!(ask("asker", "@10.1.1.1 data-server"), "10.1.1.1");
}

#[test]
fn a_reload_that_no_answer_follows_is_a_restart() {
    let router = Served::boot();
    let mut network = network();
    router.serve(&network);
    let mute = Mute::in_place_of_dnsmasq();
    served::admit(&mut network, "02:01:00:d1:00:0a", "10.1.1.10", "web");
    router.serve(&network);
    assert!(!is_alive(mute.0.id()) && is_alive(pid("dnsmasq")));
}

#[test]
fn a_dhcp_server_that_reads_nothing_is_replaced() {
    let router = Served::boot();
    let network = dhcp_only();
    router.serve(&network);
    let before = pid("dnsmasq");
    // It is held by a tracer: not stopped by a signal, so only its silence shows it.
    let mut tracer = Command::new("python3")
        .args(["-c", HOLD, &before.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = [0; 3];
    std::io::Read::read_exact(tracer.stdout.as_mut().unwrap(), &mut line).unwrap();
    assert_eq!(router.differences(&network), ["restart dnsmasq of network-42: it does not answer"]);
    router.repair(&network);
    assert!(!is_alive(before) && is_alive(pid("dnsmasq")));
    assert_eq!(router.differences(&network), [""; 0]);
    let _ = tracer.kill();
    let _ = tracer.wait();
}

/// Attaches to a process, says so, and lets it go on never.
const HOLD: &str = "
import ctypes, os, sys
libc, pid = ctypes.CDLL(None, use_errno=True), int(sys.argv[1])
assert libc.ptrace(16, pid, None, None) == 0, ctypes.get_errno()
os.waitpid(pid, 0)
print('ok', flush=True)
sys.stdin.read()
";

#[test]
fn a_reload_that_ends_radvd_is_not_acknowledged() {
    let router = Served::boot();
    router.serve(&network());
    let mut plans = Served::plans(&network());
    plans[1].files[0].content.push_str("bogus;\n");
    let refused = router.try_apply(&plans).unwrap_err();
    assert!(matches!(refused, DaemonError::Refused { .. }), "{refused}");
    router.serve(&network());
    assert!(is_alive(pid("radvd")));
}

#[test]
fn processes_that_cannot_be_seen_are_an_error() {
    let router = Served::boot();
    let network = network();
    router.serve(&network);
    let running = pid("dnsmasq");
    fs::remove_file(file("dnsmasq", "dnsmasq.pid")).unwrap();
    mount("tmpfs", "/proc", "tmpfs", MountFlags::empty(), None).unwrap();
    let started = router.try_apply(&Served::plans(&network));
    let stopped = router.try_apply(&[]);
    unmount("/proc", UnmountFlags::DETACH).unwrap();
    for outcome in [started, stopped] {
        let error = netext_core::error_chain(&outcome.unwrap_err());
        assert!(error.contains("/proc does not show this process"), "{error}");
    }
    assert!(is_alive(running));
    router.serve(&network);
    assert!(!is_alive(running) && is_alive(pid("dnsmasq")));
}
