//! The runner in a process of its own: its streams, its signals, and the processes that it leaves behind.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Pid, getpid, kill_process};
use rustix::stdio;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::runner::{Environment, Interrupter, Outcome, Signal, catch_panics, silence_panics};
use crate::{DeviceError, Handler, Runner};

/// The whole `main` of an extension's executable.
///
/// ```no_run
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/device/examples/acme.rs"));
/// # acme! {}
/// fn main() -> std::process::ExitCode {
///     netext_core::main(Acme::default())
/// }
/// ```
///
/// It takes over the process: the device and its children get `/dev/null` as standard input, output and error, so that
/// nothing printed by accident reaches the server, and no child can hold the server's stream open. If creating the
/// device could print or panic, use [`main_with`], because an argument is evaluated before the call. Build the
/// executable to unwind: with `panic = "abort"` a panic would end it without its one line.
pub fn main(handler: impl Handler + 'static) -> ExitCode {
    main_with(|| Ok(Runner::new(handler)))
}

/// The whole `main` of an executable that needs its name, its environment or a configuration to create the device.
/// Output and panics of the closure are caught, as those of a device. The deadline does not guard it, so it must not
/// wait for anything.
///
/// ```no_run
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/device/examples/acme.rs"));
/// # acme! {}
/// use netext_core::Runner;
///
/// fn main() -> std::process::ExitCode {
///     netext_core::main_with(|| {
///         let log = std::env::var("ACME_LOG")
///             .map_err(|error| DeviceError::invalid("cannot use ACME_LOG").with_source(error))?;
///         Ok(Runner::new(Acme::default()).log_file(log))
///     })
/// }
/// ```
pub fn main_with(build: impl FnOnce() -> Result<Runner, DeviceError>) -> ExitCode {
    main_with_args(std::env::args_os(), build)
}

/// [`main_with`] for an executable whose own command line contains that of the extension: `args` are the extension's
/// arguments, beginning with the program's name.
pub fn main_with_args(
    args: impl IntoIterator<Item = impl Into<OsString>>,
    build: impl FnOnce() -> Result<Runner, DeviceError>,
) -> ExitCode {
    let mut process = match ExtensionProcess::take() {
        Ok(process) => process,
        Err(error) => {
            // Without /dev/null the device would write to the server's stream.
            let error = DeviceError::device("cannot replace the standard streams").with_source(error);
            // If this fails, only the exit code is left to report the failure.
            let _ = writeln!(io::stderr(), "{}", error.report());
            return ExitCode::from(error.exit_code());
        }
    };
    let outcome = catch_panics(build).and_then(|runner| {
        let ExtensionProcess { streams, started } = &mut process;
        let environment = Environment::new(args, &mut streams.stdout, &mut streams.stderr);
        run(&runner, environment.started(*started))
    });
    match outcome {
        Ok(outcome) => ExitCode::from(outcome.exit_code()),
        Err(error) => {
            process.streams.say(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// This process, taken over for an extension that does not get its commands on the command line: the remote end of a
/// proxy, which reads them on standard input and answers in a format of its own.
///
/// The caller's streams are private from here on, as in [`main`]: the device and its children get `/dev/null`, and
/// panics print nothing.
#[derive(Debug)]
pub struct ExtensionProcess {
    streams: CallerStreams,
    started: Instant,
}

impl ExtensionProcess {
    /// Takes the process over. Call it once, before anything else.
    pub fn take() -> io::Result<Self> {
        let started = Instant::now();
        let streams = CallerStreams::take()?;
        silence_panics();
        Ok(Self { streams, started })
    }

    /// The caller's standard input.
    pub fn input(&self) -> &File {
        &self.streams.stdin
    }

    /// The caller's standard output.
    pub fn output(&self) -> &File {
        &self.streams.stdout
    }

    /// Runs one command in the given environment. SIGTERM and SIGINT call it off, and children that a called-off command
    /// leaves behind are killed.
    pub fn run(&self, runner: &Runner, environment: Environment<'_>) -> Result<Outcome, DeviceError> {
        run(runner, environment)
    }
}

fn run(runner: &Runner, environment: Environment<'_>) -> Result<Outcome, DeviceError> {
    let environment = environment.owning_the_process();
    forward_signals(environment.interrupter())
        .map_err(|error| DeviceError::device("cannot watch for signals").with_source(error))?;
    let outcome = runner.run(environment);
    if outcome.ending.is_called_off() {
        // Last, because a device that goes on could start another child until then.
        kill_descendants();
    }
    Ok(outcome)
}

/// The caller's streams, on descriptors that no child inherits.
#[derive(Debug)]
struct CallerStreams {
    stdin: File,
    stdout: File,
    stderr: File,
}

impl CallerStreams {
    /// Takes the streams and leaves `/dev/null` in their place.
    fn take() -> io::Result<Self> {
        let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
        let streams = Self {
            stdin: private(stdio::stdin())?,
            stdout: private(stdio::stdout())?,
            stderr: private(stdio::stderr())?,
        };
        stdio::dup2_stdin(&null)?;
        stdio::dup2_stdout(&null)?;
        stdio::dup2_stderr(&null)?;
        Ok(streams)
    }

    /// Writes an error's line.
    fn say(&mut self, error: &DeviceError) {
        // If this fails, only the exit code is left to report the failure.
        let _ = writeln!(self.stderr, "{}", error.report());
    }
}

/// The same stream on a descriptor beyond the standard ones that is closed in children.
fn private(stream: BorrowedFd<'_>) -> io::Result<File> {
    Ok(File::from(fcntl_dupfd_cloexec(stream, 3)?))
}

/// From now on these signals interrupt the run instead of ending the process, so that the device can undo what it
/// began. A terminal that goes away (SIGHUP) and SIGQUIT count as SIGTERM.
fn forward_signals(interrupter: Interrupter) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT])?;
    let watch = move || {
        for signal in signals.forever() {
            interrupter.interrupt(if signal == SIGINT { Signal::Interrupt } else { Signal::Terminate });
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(watch)?;
    Ok(())
}

/// How often the tree is searched: a process that is being killed may have forked meanwhile.
const ROUNDS: usize = 16;

/// Kills every process that descends from this one. A daemon that detached itself does not: its parent is the init
/// process.
fn kill_descendants() {
    let mut killed = HashSet::new();
    for _ in 0..ROUNDS {
        // The whole tree first: the children of a killed process are no longer found below it.
        let mut tree = Vec::new();
        collect(getpid(), &mut tree);
        tree.retain(|process| killed.insert(*process));
        if tree.is_empty() {
            return;
        }
        for process in tree {
            // It may have ended already.
            let _ = kill_process(process, rustix::process::Signal::KILL);
        }
    }
}

fn collect(process: Pid, tree: &mut Vec<Pid>) {
    let Ok(threads) = fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero())) else { return };
    for thread in threads.flatten() {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for child in children.split_ascii_whitespace() {
            if let Some(child) = child.parse().ok().and_then(Pid::from_raw) {
                tree.push(child);
                collect(child, tree);
            }
        }
    }
}
