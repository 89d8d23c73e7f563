//! Processes that live in the lab: who they are, and their end.

use std::fs;
use std::os::fd::RawFd;
use std::os::unix::fs::MetadataExt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::place::Place;

/// The processes, ours excepted, that are in one of these places.
pub(crate) fn within(places: &[Place]) -> Vec<(i32, String)> {
    let namespaces: Vec<u64> = places.iter().flat_map(Place::identity).collect();
    inside(&["net", "mnt"], &namespaces)
}

fn inside(kinds: &[&str], namespaces: &[u64]) -> Vec<(i32, String)> {
    let is_inside = |pid: i32| {
        kinds.iter().any(|kind| {
            fs::metadata(format!("/proc/{pid}/ns/{kind}")).is_ok_and(|it| namespaces.contains(&it.ino()))
        })
    };
    all().into_iter().filter(|pid| is_inside(*pid)).map(|pid| (pid, name(pid))).collect()
}

/// Kills the processes in these places and waits until they are gone.
pub(crate) fn end_within(places: &[Place]) {
    end(|| within(places));
}

/// Kills the processes in the network namespaces of these places, whatever else they share, and waits until they
/// are gone.
pub(crate) fn end_network_of(places: &[Place]) {
    let namespaces: Vec<u64> = places.iter().map(Place::network_identity).collect();
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

/// The other processes that hold an end of the pipe behind our descriptor `pipe`.
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
