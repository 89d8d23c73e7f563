//! Too few processes, descriptors or memory: no panic, but one line, an exit code, and as much as possible done.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use netext_lab::{Forward, Lab, SourceNat, as_gson_writes, fleet, lab};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::setup::{network, operator};

/// What a process may use.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// Processes and threads, itself included.
    Processes(u32),
    /// Open files.
    Descriptors(u32),
    /// Address space, in MiB.
    Memory(u32),
}

/// A group of processes that may have only so many members. Root has no such limit of its own.
struct FewProcesses {
    hierarchy: tempfile::TempDir,
    group: PathBuf,
}

impl FewProcesses {
    #[track_caller]
    fn at_most(number: u32) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);

        let hierarchy = tempfile::tempdir().expect("a folder");
        let mounted = mount("none", hierarchy.path(), "cgroup", MountFlags::empty(), Some(c"pids"));
        assert!(mounted.is_ok(), "this test needs a kernel with CONFIG_CGROUP_PIDS: {mounted:?}");
        let group = NUMBER.fetch_add(1, Ordering::Relaxed);
        let group = hierarchy.path().join(format!("netext-few-{}-{group}", std::process::id()));
        fs::create_dir(&group).expect("a group");
        fs::write(group.join("pids.max"), number.to_string()).expect("a limit");
        Self { hierarchy, group }
    }
}

impl Drop for FewProcesses {
    fn drop(&mut self) {
        for process in fs::read_to_string(self.group.join("cgroup.procs")).unwrap_or_default().lines() {
            // A daemon that was started stays.
            let _ = fs::write(self.hierarchy.path().join("cgroup.procs"), process);
        }
        let _ = fs::remove_dir(&self.group);
        let _ = unmount(self.hierarchy.path(), UnmountFlags::DETACH);
    }
}

/// Runs the extension under a limit, and returns its exit code and everything that it printed.
#[track_caller]
fn run(lab: &Lab, words: &[&str], limit: Limit) -> (Option<i32>, String) {
    let (program, variables) = lab.program_and_variables();
    let restrict = match limit {
        Limit::Processes(_) => String::new(),
        Limit::Descriptors(number) => format!("prlimit --nofile={number}"),
        Limit::Memory(number) => format!("prlimit --as={}", u64::from(number) << 20),
    };
    let script = format!("read line; exec {restrict} timeout 20 \"$@\" 2>&1 </dev/null");
    let group = match limit {
        // The program that watches the time counts as well.
        Limit::Processes(number) => Some(FewProcesses::at_most(number + 1)),
        _ => None,
    };
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh", &program]).args(words).env_clear().envs(variables);
    command.env("PATH", std::env::var("PATH").unwrap_or_default()).current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = lab.server().run(|| command.spawn()).expect("a shell");
    if let Some(group) = &group {
        fs::write(group.group.join("cgroup.procs"), child.id().to_string()).expect("a member");
    }
    child.stdin.take().expect("a pipe").write_all(b"go\n").expect("a shell that reads");
    let mut printed = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut printed).expect("text");
    (child.wait().expect("an end").code(), printed)
}

/// Neither a panic nor its words, and an end in time.
#[track_caller]
fn is_orderly((code, printed): &(Option<i32>, String), codes: &[i32], limit: Limit) {
    assert!(code.is_some_and(|code| codes.contains(&code)), "{limit:?}: exit {code:?}, printed {printed}");
    for word in ["panicked", "backtrace", "src/"] {
        assert!(!printed.contains(word), "{limit:?}: printed {printed}");
    }
}

fn limits() -> impl Iterator<Item = Limit> {
    let processes = (1..=8).map(Limit::Processes);
    processes.chain((4..=20).step_by(2).map(Limit::Descriptors))
}

#[test]
fn operators_commands_do_what_they_can() {
    let lab = lab!();
    network(&lab).deploy("10.1.1.10");
    lab.network(210).on_vlan("210").with_subnet("10.3.1.1", "10.3.1.0/24").implement();
    let memory = [40, 48, 64, 96].map(Limit::Memory);
    for limit in limits().chain(memory) {
        for words in [vec!["status"], vec!["reconcile", "--daemons"], vec!["reconcile", "--all"]] {
            is_orderly(&run(&lab, &words, limit), &[0, 3], limit);
        }
    }
    let unplugged = lab.reboot();
    for limit in limits() {
        is_orderly(&run(&lab, &["reconcile", "--all"], limit), &[0, 3], limit);
    }
    unplugged.plug_in();
    operator(&lab, "reconcile --all", 0);
    operator(&lab, "status", 0);
}

#[test]
fn a_command_fails_in_one_line_or_succeeds() {
    let lab = lab!();
    let network = network(&lab);
    for limit in limits() {
        let forward = Forward::tcp("198.51.100.10:2222", "10.1.1.10:22");
        let fields = network.forward_fields(&forward);
        let path = "/run/lab/scarce.json";
        let document = as_gson_writes(&network.document(&fields));
        lab.host().run(|| fs::write(path, document).expect("a payload"));
        for command in ["add-port-forward", "delete-port-forward"] {
            let outcome = run(&lab, &[command, path, "10"], limit);
            is_orderly(&outcome, &[0, 1, 3, 4], limit);
            let lines = usize::from(outcome.0 != Some(0));
            assert_eq!(outcome.1.lines().count(), lines, "{command} with {limit:?}: {}", outcome.1);
        }
    }
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    operator(&lab, "status", 0);
}

#[test]
fn the_proxy_fails_in_one_line_or_succeeds() {
    let lab = fleet!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    let fields = network.forward_fields(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    let path = "/run/lab/scarce.json";
    let document = as_gson_writes(&network.document(&fields));
    lab.server().run(|| fs::write(path, document).expect("a payload"));
    for limit in limits() {
        let outcome = run(&lab, &["add-port-forward", path, "10"], limit);
        is_orderly(&outcome, &[0, 1, 2, 3, 4], limit);
        let lines = usize::from(outcome.0 != Some(0));
        assert_eq!(outcome.1.lines().count(), lines, "{limit:?}: {}", outcome.1);
    }
}
