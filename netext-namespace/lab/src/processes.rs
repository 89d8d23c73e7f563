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
    let inside = |pid: i32| {
        ["net", "mnt"].iter().any(|kind| {
            fs::metadata(format!("/proc/{pid}/ns/{kind}")).is_ok_and(|it| namespaces.contains(&it.ino()))
        })
    };
    all().into_iter().filter(|pid| inside(*pid)).map(|pid| (pid, name(pid))).collect()
}

/// Kills the processes in these places and waits until they are gone.
pub(crate) fn end_within(places: &[Place]) {
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        let alive = within(places);
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
