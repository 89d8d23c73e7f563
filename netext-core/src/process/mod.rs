//! The runner in a process of its own.

mod descendants;
mod panics;
mod signals;
mod streams;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::time::Instant;

use crate::runner::{Environment, Outcome, panicked};
use crate::{DeviceError, Handler, Runner};
pub(crate) use panics::location as panic_location;
use streams::Streams;

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
    let runner = panic::catch_unwind(AssertUnwindSafe(build)).unwrap_or_else(|panic| Err(panicked(&*panic)));
    let outcome = runner.and_then(|runner| {
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
        panics::silence();
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
    signals::forward(environment.interrupter())
        .map_err(|error| DeviceError::internal("cannot watch for signals").with_source(error))?;
    let outcome = runner.run(environment);
    if outcome.ending.is_called_off() {
        // Last of all: a device that goes on could start another child in the meantime.
        descendants::kill();
    }
    Ok(outcome)
}
