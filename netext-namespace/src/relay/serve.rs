//! The host's end of the relay.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use netext_core::runner::{Ending, Environment, MAX_PAYLOAD_BYTES, Signal};
use netext_core::{Deadline, DeviceError, ExtensionProcess, Runner};

use super::{
    MAX_LINE, RelayLineError, RelayReply, RelayRequest, ReplicaPosition, VERSION, from_line, to_line,
};
use crate::failover::{self, ReplicaOutcome};
use crate::host::HostDevice;
use crate::places::ExtensionPlaces;
use crate::store::Store;
use crate::wait::{block_on, readable_by};

/// How long nothing may arrive of a request that has not arrived completely.
const SILENCE: Duration = Duration::from_secs(30);

/// Reads one request from standard input and writes its reply to standard output. The exit code is 0 if there was a
/// reply, even one that reports a failure.
pub fn run(places: ExtensionPlaces) -> ExitCode {
    let process = match ExtensionProcess::take() {
        Ok(process) => process,
        Err(error) => {
            // The proxy quotes it. If this fails, the exit code still tells.
            let _ = writeln!(io::stderr(), "cannot replace the standard streams: {error}");
            return ExitCode::FAILURE;
        }
    };
    let reply = reply(&process, places)
        .unwrap_or_else(|error| RelayReply::Failed { exit: error.exit_code(), line: error.report() });
    // The proxy may be gone.
    match process.output().write_all(to_line(&reply).as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn reply(process: &ExtensionProcess, places: ExtensionPlaces) -> Result<RelayReply, DeviceError> {
    let input = process.input().try_clone().map_err(unreadable)?;
    let mut input = BufReader::new(RequestInput(input));
    let mut line = Vec::new();
    (&mut input).take(MAX_LINE).read_until(b'\n', &mut line).map_err(unreadable)?;
    let request = from_line(&line).map_err(|error| match error {
        RelayLineError::Incompatible { .. } => DeviceError::invalid(error),
        RelayLineError::Malformed(_) => DeviceError::invalid(format!("version {VERSION} {error}")),
    })?;
    let store = Store::new(&places.state);
    match request {
        RelayRequest::Identify => Ok(RelayReply::Done),
        RelayRequest::Command { name, milliseconds, bytes, delta_since } => {
            let payload = read(&mut input, bytes)?;
            let time = Duration::from_millis(milliseconds);
            let deadline = Deadline::at(Instant::now() + time);
            let reply = carry_out(process, places, &name, payload, time, input.into_inner().0)?;
            let (output, ReplicaPosition { router, serial }) = match (reply, delta_since) {
                (RelayReply::Succeeded { output, .. }, Some(position)) => (output, position),
                (reply, _) => return Ok(reply),
            };
            let delta = block_on(failover::delta_since(&store, router, serial, &deadline));
            // The command was carried out, even if its delta cannot be read.
            let delta = delta.unwrap_or_else(|error| {
                tracing::warn!(%router, error = %error.report(), "cannot read the delta of a router");
                None
            });
            Ok(RelayReply::Succeeded { output, delta })
        }
        RelayRequest::Probe { router } => failover::failover_state(&store, router).map(RelayReply::Probed),
        RelayRequest::ReadDelta { since: ReplicaPosition { router, serial }, milliseconds } => {
            let deadline = deadline(milliseconds, input.into_inner().0)?;
            block_on(failover::delta_since(&store, router, serial, &deadline)).map(RelayReply::Delta)
        }
        RelayRequest::StoreReplica { milliseconds, bytes } => {
            let delta = serde_json::from_slice(&read(&mut input, bytes)?)
                .map_err(|error| DeviceError::invalid("cannot read the delta").with_source(error))?;
            let deadline = deadline(milliseconds, input.into_inner().0)?;
            let outcome = block_on(failover::store_replica(&store, delta, &deadline))?;
            Ok(match outcome {
                ReplicaOutcome::Stored => RelayReply::Done,
                ReplicaOutcome::Behind => RelayReply::Behind,
                ReplicaOutcome::Outdated(epoch) => RelayReply::Outdated { epoch },
            })
        }
        RelayRequest::TakeOver { router, epoch, milliseconds } => {
            let deadline = deadline(milliseconds, input.into_inner().0)?;
            block_on(failover::take_over(&store, router, epoch, &deadline))?;
            Ok(RelayReply::Done)
        }
        RelayRequest::StepDown { router, epoch, forget, milliseconds } => {
            let deadline = deadline(milliseconds, input.into_inner().0)?;
            block_on(failover::step_down(&store, router, epoch, forget, &deadline))?;
            Ok(RelayReply::Done)
        }
    }
}

/// The caller's standard input, as long as a request is expected on it: a caller that hangs is not waited for.
struct RequestInput(File);

impl Read for RequestInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if readable_by(&self.0, Instant::now() + SILENCE)? {
            self.0.read(buffer)
        } else {
            let words = format!("nothing arrived for {} s", SILENCE.as_secs());
            Err(io::Error::new(io::ErrorKind::TimedOut, words))
        }
    }
}

/// Reads the bytes that follow the line.
fn read(input: &mut impl Read, bytes: u64) -> Result<Vec<u8>, DeviceError> {
    if bytes > MAX_PAYLOAD_BYTES {
        return Err(DeviceError::invalid(format!("more than {} MiB follow", MAX_PAYLOAD_BYTES >> 20)));
    }
    let mut payload = Vec::new();
    input.take(bytes).read_to_end(&mut payload).map_err(unreadable)?;
    if payload.len() as u64 != bytes {
        return Err(DeviceError::connection("the payload broke off"));
    }
    Ok(payload)
}

/// The deadline of a request other than a command. It is called off at the end of the input.
fn deadline(milliseconds: u64, input: impl Read + Send + 'static) -> Result<Deadline, DeviceError> {
    let deadline = Deadline::after(Duration::from_millis(milliseconds));
    let called_off = deadline.clone();
    at_the_end_of(input, move || called_off.cancel())?;
    Ok(deadline)
}

/// Runs a command as if CloudStack had started it here. It is called off at the end of the input.
fn carry_out(
    process: &ExtensionProcess,
    places: ExtensionPlaces,
    name: &str,
    payload: Vec<u8>,
    time: Duration,
    input: impl Read + Send + 'static,
) -> Result<RelayReply, DeviceError> {
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
        Ending::Succeeded => RelayReply::Succeeded { output: outcome.output, delta: None },
        ending => RelayReply::Failed { exit: ending.exit_code(), line: outcome.error.unwrap_or_default() },
    })
}

/// Calls the work off at the end of the input: the connection is gone, or the proxy gave up. Nothing else follows.
fn at_the_end_of(
    mut input: impl Read + Send + 'static,
    call_off: impl FnOnce() + Send + 'static,
) -> Result<(), DeviceError> {
    let watch = move || {
        let _ = input.read(&mut [0]);
        call_off();
    };
    let watching = thread::Builder::new().name("caller".to_owned()).spawn(watch);
    watching.map(drop).map_err(|error| DeviceError::device("cannot watch the connection").with_source(error))
}

fn unreadable(error: io::Error) -> DeviceError {
    DeviceError::connection("cannot read the request").with_source(error)
}
