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
/// # use netext_core::protocol::{DestroyNetwork, ImplementNetwork, NetworkUpdate, ShutdownNetwork};
/// # use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};
/// # struct Acme;
/// # #[async_trait]
/// # impl NetworkDevice for Acme {
/// #     fn describe(&self) -> Description { Description::new("acme", "1.0.0") }
/// #     async fn implement_network(&self, _: &Context, _: ImplementNetwork) -> Result<Option<NetworkUpdate>, DeviceError> { Ok(None) }
/// #     async fn shutdown_network(&self, _: &Context, _: ShutdownNetwork) -> Result<(), DeviceError> { Ok(()) }
/// #     async fn destroy_network(&self, _: &Context, _: DestroyNetwork) -> Result<(), DeviceError> { Ok(()) }
/// # }
/// fn main() -> std::process::ExitCode {
///     netext_core::main(Acme)
/// }
/// ```
///
/// It takes the process for itself: standard input, output and error are `/dev/null` for the device and its
/// children, so nothing that is printed by accident reaches the server, and no child can hold the server's
/// stream open. A device whose construction could print or panic is better built by [`main_with`], because an
/// argument comes into being before the call. The executable must be built to unwind: with `panic = "abort"`
/// it would end without its one line.
pub fn main(handler: impl Handler + 'static) -> ExitCode {
    main_with(|| Ok(Runner::new(handler)))
}

/// The whole `main` of an executable that must look around before it knows what it is: its name, its
/// environment, its configuration. What the closure prints is lost and what it panics with is caught, as for
/// a device. The deadline does not guard it, so it must not wait for anything.
///
/// ```no_run
/// # use netext_core::protocol::{DestroyNetwork, ImplementNetwork, NetworkUpdate, ShutdownNetwork};
/// # use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};
/// # struct Acme(String);
/// # #[async_trait]
/// # impl NetworkDevice for Acme {
/// #     fn describe(&self) -> Description { Description::new("acme", "1.0.0") }
/// #     async fn implement_network(&self, _: &Context, _: ImplementNetwork) -> Result<Option<NetworkUpdate>, DeviceError> { Ok(None) }
/// #     async fn shutdown_network(&self, _: &Context, _: ShutdownNetwork) -> Result<(), DeviceError> { Ok(()) }
/// #     async fn destroy_network(&self, _: &Context, _: DestroyNetwork) -> Result<(), DeviceError> { Ok(()) }
/// # }
/// use netext_core::Runner;
///
/// fn main() -> std::process::ExitCode {
///     netext_core::main_with(|| {
///         let controller = std::env::var("ACME_CONTROLLER")
///             .map_err(|error| DeviceError::invalid("ACME_CONTROLLER cannot be used").with_source(error))?;
///         Ok(Runner::new(Acme(controller)).log_file("/var/log/acme/acme.log"))
///     })
/// }
/// ```
pub fn main_with(build: impl FnOnce() -> Result<Runner, DeviceError>) -> ExitCode {
    main_with_args(std::env::args_os(), build)
}

/// The same for an executable whose own command line holds that of the extension: the extension's arguments are
/// given, the name that it was called by first.
pub fn main_with_args(
    args: impl IntoIterator<Item = impl Into<OsString>>,
    build: impl FnOnce() -> Result<Runner, DeviceError>,
) -> ExitCode {
    let Ok(mut process) = Process::take() else {
        // Without /dev/null nothing can be kept off the server's stream, so nothing is begun.
        return ExitCode::from(DeviceError::internal("no streams").exit_code());
    };
    let outcome = catch_panics(build).and_then(|runner| {
        let Process { streams, started } = &mut process;
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

/// This process, taken over for an extension whose commands do not stand on its command line: the far end of a
/// proxy, which hears them on standard input and answers in a form of its own.
///
/// The streams of whoever started it are private from here on, as [`main`] has it: the device and its children
/// have `/dev/null`, and panics print nothing.
#[derive(Debug)]
pub struct Process {
    streams: Streams,
    started: Instant,
}

impl Process {
    /// Takes the process over; to be done once, before anything else.
    pub fn take() -> io::Result<Self> {
        let started = Instant::now();
        let streams = Streams::take()?;
        silence_panics();
        Ok(Self { streams, started })
    }

    /// What the caller sends.
    pub fn input(&self) -> &File {
        &self.streams.stdin
    }

    /// Where the answer goes.
    pub fn output(&self) -> &File {
        &self.streams.stdout
    }

    /// Runs one command in an environment of the caller's making, with the process for itself: SIGTERM and
    /// SIGINT call it off, and children that are left behind by a command that was called off are killed.
    pub fn run(&self, runner: &Runner, environment: Environment<'_>) -> Result<Outcome, DeviceError> {
        run(runner, environment)
    }
}

fn run(runner: &Runner, environment: Environment<'_>) -> Result<Outcome, DeviceError> {
    let environment = environment.owning_the_process();
    forward_signals(environment.interrupter())
        .map_err(|error| DeviceError::internal("cannot watch for signals").with_source(error))?;
    let outcome = runner.run(environment);
    if outcome.ending.is_called_off() {
        // Last of all: a device that goes on could start another child in the meantime.
        kill_descendants();
    }
    Ok(outcome)
}

/// The caller's streams, on descriptors that no child inherits.
#[derive(Debug)]
struct Streams {
    stdin: File,
    stdout: File,
    stderr: File,
}

impl Streams {
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
        // If this fails there is nowhere left to say so; the exit code still does.
        let _ = writeln!(self.stderr, "{}", error.report());
    }
}

/// The same stream on a descriptor beyond the standard ones that is closed in children.
fn private(stream: BorrowedFd<'_>) -> io::Result<File> {
    Ok(File::from(fcntl_dupfd_cloexec(stream, 3)?))
}

/// From now on these signals interrupt the run instead of ending the process: what it began is undone. A terminal
/// that goes away (SIGHUP) and SIGQUIT count as SIGTERM.
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

/// How often the tree is looked through: what is being killed may have forked meanwhile.
const ROUNDS: usize = 16;

/// Kills every process that descends from this one. A daemon that detached itself, so that its parent is the
/// init process, is none of them.
fn kill_descendants() {
    let mut killed = HashSet::new();
    for _ in 0..ROUNDS {
        // The whole tree first: the children of a process that was killed are no longer found below it.
        let mut tree = Vec::new();
        collect(getpid(), &mut tree);
        tree.retain(|process| killed.insert(*process));
        if tree.is_empty() {
            return;
        }
        for process in tree {
            // It may have ended by itself.
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
