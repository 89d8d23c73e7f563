//! Waits for processes and files, in the tests of executables.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process};

/// How long a test waits before it gives up.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(30);

/// Asks until there is an answer.
#[track_caller]
pub(crate) fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < WATCHDOG, "no answer after {WATCHDOG:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The number of the process that wrote it to a file; waits for it.
#[track_caller]
pub(crate) fn process_in(path: &std::path::Path) -> Pid {
    eventually(|| {
        let text = fs::read_to_string(path).ok()?;
        text.strip_suffix('\n')?.parse().ok().and_then(Pid::from_raw)
    })
}

/// Whether a process runs: one that ended and waits for its parent does not.
pub(crate) fn is_alive(process: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
    test_kill_process(process).is_ok() && !stat.contains(") Z ")
}
