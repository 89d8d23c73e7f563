//! Times programs as the management server sees them: from the start to the end of the merged output.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::unistd::pipe2;

use crate::series::Series;

/// Programs that run one after the other.
pub(crate) struct Work(Vec<Command>);

impl Work {
    pub(crate) fn of(commands: impl IntoIterator<Item = Command>) -> Self {
        Self(commands.into_iter().collect())
    }

    /// Runs them. A program that fails ends the benchmark: its time means nothing.
    pub(crate) fn run(&mut self) -> Duration {
        let begun = Instant::now();
        for command in &mut self.0 {
            run(command);
        }
        begun.elapsed()
    }
}

impl From<Command> for Work {
    fn from(command: Command) -> Self {
        Self(vec![command])
    }
}

/// A program with its arguments.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments);
    command
}

fn run(command: &mut Command) {
    let (output, input) = pipe2(OFlag::O_CLOEXEC).expect("a pipe");
    let errors = input.try_clone().expect("a second handle of a pipe");
    command.stdin(Stdio::null()).stdout(input).stderr(errors);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // The command would keep the pipe open.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut printed = Vec::new();
    File::from(output).read_to_end(&mut printed).expect("what a program prints");
    let status = child.wait().expect("a child");
    assert!(status.success(), "{command:?}: {status}: {}", String::from_utf8_lossy(&printed));
}

/// Runs ours and the floor in turns, so that other load affects both alike. The order changes with every round; the
/// first round warms up and does not count.
pub(crate) fn interleave(
    rounds: usize,
    mut ours: impl FnMut(usize) -> f64,
    mut floor: impl FnMut(usize) -> f64,
) -> (Series, Series) {
    let (mut of_ours, mut of_floor) = (Series::default(), Series::default());
    for round in 0..=rounds {
        let (one, other);
        if round % 2 == 0 {
            one = ours(round);
            other = floor(round);
        } else {
            other = floor(round);
            one = ours(round);
        }
        if round > 0 {
            of_ours.push(one);
            of_floor.push(other);
        }
    }
    (of_ours, of_floor)
}

/// A duration in milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Waits for the kernel's work after a program has ended: it takes namespaces and interfaces down in the background.
pub(crate) fn settle() {
    std::thread::sleep(Duration::from_millis(50));
}
