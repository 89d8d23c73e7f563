//! Processes that run in the lab: finding them and ending them.

use std::fs;
use std::os::fd::RawFd;
use std::os::unix::fs::MetadataExt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::sandbox::Sandbox;

/// The processes in one of these sandboxes, without this process, as process id and command line.
pub(crate) fn within(sandboxes: &[Sandbox]) -> Vec<(i32, String)> {
    let namespaces: Vec<u64> = sandboxes.iter().flat_map(Sandbox::identity).collect();
    inside(&["net", "mnt"], &namespaces)
}

/// The processes in the network namespace of a sandbox.
pub(crate) fn in_network_of(sandbox: &Sandbox) -> Vec<(i32, String)> {
    inside(&["net"], &[sandbox.network_identity()])
}

fn inside(kinds: &[&str], namespaces: &[u64]) -> Vec<(i32, String)> {
    let is_inside = |pid: i32| {
        kinds.iter().any(|kind| {
            fs::metadata(format!("/proc/{pid}/ns/{kind}")).is_ok_and(|it| namespaces.contains(&it.ino()))
        })
    };
    all().into_iter().filter(|pid| is_inside(*pid)).map(|pid| (pid, name(pid))).collect()
}

/// Kills the processes in these sandboxes and waits for their end.
pub(crate) fn end_within(sandboxes: &[Sandbox]) {
    end(|| within(sandboxes));
}

/// Kills the processes in the network namespaces of these sandboxes and waits for their end. Processes that share
/// only the mount namespace stay.
pub(crate) fn end_network_of(sandboxes: &[Sandbox]) {
    let namespaces: Vec<u64> = sandboxes.iter().map(Sandbox::network_identity).collect();
    end(|| inside(&["net"], &namespaces));
}

fn end(alive: impl Fn() -> Vec<(i32, String)>) {
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        let alive = alive();
        if alive.is_empty() || Instant::now() > deadline {
            return;
        }
        for (pid, _) in alive {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        sleep(Duration::from_millis(5));
    }
}

/// The other processes that hold an end of the pipe behind this process's descriptor `pipe`.
pub(crate) fn holding_pipe(pipe: RawFd) -> Vec<(i32, String)> {
    let Ok(pipe) = fs::read_link(format!("/proc/self/fd/{pipe}")) else { return Vec::new() };
    let holds = |pid: i32| {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        descriptors.map(|entry| entry.path()).any(|path| fs::read_link(path).is_ok_and(|to| to == pipe))
    };
    all().into_iter().filter(|pid| holds(*pid)).map(|pid| (pid, name(pid))).collect()
}

fn all() -> Vec<i32> {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok());
    pids.filter(|pid| *pid != own).collect()
}

fn name(pid: i32) -> String {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&words).replace('\0', " ").trim().to_owned()
}
