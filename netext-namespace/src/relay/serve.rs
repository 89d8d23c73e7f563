//! The host's end of a connection.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use netext_core::runner::{Ending, Environment, MAX_PAYLOAD_BYTES, Signal};
use netext_core::{Deadline, DeviceError, ExtensionProcess, Runner};

use super::{Answer, Call, LineError, MAX_LINE, MODE, Since, VERSION, from_line, to_line};
use crate::failover::{self, ReplicaOutcome};
use crate::host::HostDevice;
use crate::places::Places;
use crate::store::Store;

/// Whether the executable's arguments, its own name first, ask for it to answer a call.
pub fn asked_for(arguments: impl IntoIterator<Item = OsString>) -> bool {
    let mut arguments = arguments.into_iter().skip(1);
    matches!((arguments.next(), arguments.next()), (Some(mode), None) if mode == MODE)
}

/// Hears one call on standard input and answers it on standard output. The exit code is 0 if there was an answer,
/// whatever it says.
pub fn serve(places: Places) -> ExitCode {
    let Ok(process) = ExtensionProcess::take() else { return ExitCode::FAILURE };
    let answer = answer(&process, places)
        .unwrap_or_else(|error| Answer::Failed { exit: error.exit_code(), line: error.report() });
    // Whoever asked may be gone.
    match process.output().write_all(to_line(&answer).as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer(process: &ExtensionProcess, places: Places) -> Result<Answer, DeviceError> {
    let input = process.input().try_clone().map_err(unheard)?;
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    (&mut input).take(MAX_LINE).read_until(b'\n', &mut line).map_err(unheard)?;
    let call = from_line(&line).map_err(|error| match error {
        LineError::Incompatible { .. } => DeviceError::invalid(error.to_string()),
        LineError::Malformed(_) => DeviceError::invalid(format!("version {VERSION}: {error}")),
    })?;
    let store = Store::new(&places.state);
    match call {
        Call::Identify => Ok(Answer::Done),
        Call::Command { name, milliseconds, bytes, tell } => {
            let payload = read(&mut input, bytes)?;
            let time = Duration::from_millis(milliseconds);
            let until = Instant::now() + time;
            let answer = carry_out(process, places, &name, payload, time, input)?;
            match (answer, tell) {
                (Answer::Succeeded { output, .. }, Some(Since { router, serial })) => {
                    let deadline = Deadline::at(until);
                    let news = wait(async { failover::delta_since(&store, router, serial, &deadline).await });
                    // The command was carried out, whatever comes of its copy.
                    let news = news.unwrap_or_else(|error| {
                        tracing::warn!(%router, error = error.report(), "cannot copy a router");
                        None
                    });
                    Ok(Answer::Succeeded { output, news })
                }
                (answer, _) => Ok(answer),
            }
        }
        Call::Probe { router } => Ok(Answer::Probed(failover::failover_state(&store, router)?)),
        Call::Tell { since: Since { router, serial }, milliseconds } => {
            let deadline = deadline(milliseconds, input)?;
            wait(async { failover::delta_since(&store, router, serial, &deadline).await }).map(Answer::Told)
        }
        Call::Keep { milliseconds, bytes } => {
            let copy = serde_json::from_slice(&read(&mut input, bytes)?)
                .map_err(|error| DeviceError::invalid("cannot understand the copy").with_source(error))?;
            let deadline = deadline(milliseconds, input)?;
            wait(async { failover::store_replica(&store, copy, &deadline).await }).map(|kept| match kept {
                ReplicaOutcome::Stored => Answer::Done,
                ReplicaOutcome::Behind => Answer::Behind,
                ReplicaOutcome::Outdated(epoch) => Answer::Outdated { epoch },
            })
        }
        Call::TakeOver { router, epoch, milliseconds } => {
            let deadline = deadline(milliseconds, input)?;
            wait(async { failover::take_over(&store, router, epoch, &deadline).await }).map(|()| Answer::Done)
        }
        Call::Withdraw { router, epoch, forget, milliseconds } => {
            let deadline = deadline(milliseconds, input)?;
            wait(async { failover::step_down(&store, router, epoch, forget, &deadline).await })
                .map(|()| Answer::Done)
        }
    }
}

/// What follows the line.
fn read(input: &mut impl Read, bytes: u64) -> Result<Vec<u8>, DeviceError> {
    if bytes > MAX_PAYLOAD_BYTES {
        return Err(DeviceError::invalid(format!("more than {} MiB follow", MAX_PAYLOAD_BYTES >> 20)));
    }
    let mut payload = Vec::new();
    input.take(bytes).read_to_end(&mut payload).map_err(unheard)?;
    if payload.len() as u64 != bytes {
        return Err(DeviceError::connection("the payload broke off"));
    }
    Ok(payload)
}

/// Until when to work on a call that is no command.
fn deadline(milliseconds: u64, input: impl Read + Send + 'static) -> Result<Deadline, DeviceError> {
    let deadline = Deadline::after(Duration::from_millis(milliseconds));
    let called_off = deadline.clone();
    at_the_end_of(input, move || called_off.cancel())?;
    Ok(deadline)
}

fn wait<T>(work: impl Future<Output = Result<T, DeviceError>>) -> Result<T, DeviceError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| DeviceError::internal("cannot wait").with_source(error))?.block_on(work)
}

/// Runs a command as if the server had called it here, until nobody waits for it any more.
fn carry_out(
    process: &ExtensionProcess,
    places: Places,
    name: &str,
    payload: Vec<u8>,
    time: Duration,
    input: impl Read + Send + 'static,
) -> Result<Answer, DeviceError> {
    let (mut output, mut error) = (Vec::new(), Vec::new());
    // The runner counts whole seconds.
    let seconds = time.as_secs() + 1;
    let started = Instant::now().checked_sub(Duration::from_secs(seconds).saturating_sub(time));
    let arguments = [
        std::env::args_os().next().unwrap_or_default(),
        name.into(),
        PathBuf::from("standard input").into(),
        seconds.to_string().into(),
    ];
    let environment = Environment::new(arguments, &mut output, &mut error)
        .payload(move |_| Ok(io::Cursor::new(payload)))
        .started(started.unwrap_or_else(Instant::now));
    let interrupter = environment.interrupter();
    at_the_end_of(input, move || interrupter.interrupt(Signal::Terminate))?;
    let runner = Runner::new(HostDevice::new(Store::new(places.state))).log_file(places.log);
    let outcome = process.run(&runner, environment)?;
    Ok(match outcome.ending {
        Ending::Succeeded => Answer::Succeeded { output: outcome.output, news: None },
        ending => Answer::Failed { exit: ending.exit_code(), line: outcome.error.unwrap_or_default() },
    })
}

/// Nothing follows what was read, so whatever comes is the end: the connection is gone, or the proxy gave up.
fn at_the_end_of(
    mut input: impl Read + Send + 'static,
    call_off: impl FnOnce() + Send + 'static,
) -> Result<(), DeviceError> {
    let watch = move || {
        let _ = input.read(&mut [0]);
        call_off();
    };
    let watching = thread::Builder::new().name("caller".to_owned()).spawn(watch);
    watching.map(drop).map_err(|error| DeviceError::internal("cannot watch the caller").with_source(error))
}

fn unheard(error: io::Error) -> DeviceError {
    DeviceError::connection("cannot hear the call").with_source(error)
}
