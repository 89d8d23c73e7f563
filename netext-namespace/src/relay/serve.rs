//! The host's end of a connection.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use netext_core::runner::{Ending, Environment, Interrupter, MAX_PAYLOAD_BYTES, Signal};
use netext_core::{DeviceError, Process, Runner};

use super::{Answer, Call, LineError, MAX_LINE, MODE, VERSION, from_line, to_line};
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
    let Ok(process) = Process::take() else { return ExitCode::FAILURE };
    let answer = answer(&process, places)
        .unwrap_or_else(|error| Answer::Failed { exit: error.exit_code(), line: error.report() });
    // Whoever asked may be gone.
    match process.output().write_all(to_line(&answer).as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer(process: &Process, places: Places) -> Result<Answer, DeviceError> {
    let input = process.input().try_clone().map_err(unheard)?;
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    (&mut input).take(MAX_LINE).read_until(b'\n', &mut line).map_err(unheard)?;
    match from_line(&line) {
        Ok(Call::Probe { router }) => Ok(Answer::Probed { holds: Store::new(places.state).has(router) }),
        Ok(Call::Command { name, milliseconds, bytes }) => {
            if bytes > MAX_PAYLOAD_BYTES {
                let limit = MAX_PAYLOAD_BYTES >> 20;
                return Err(DeviceError::invalid(format!("the payload is larger than {limit} MiB")));
            }
            let mut payload = Vec::new();
            (&mut input).take(bytes).read_to_end(&mut payload).map_err(unheard)?;
            if payload.len() as u64 != bytes {
                return Err(DeviceError::connection("the payload broke off"));
            }
            let time = Duration::from_millis(milliseconds);
            carry_out(process, places, &name, payload, time, input)
        }
        Err(error @ LineError::Incompatible { .. }) => Err(DeviceError::invalid(format!("{error}"))),
        Err(error) => Err(DeviceError::invalid(format!("version {VERSION}: {error}"))),
    }
}

/// Runs a command as if the server had called it here, until nobody waits for it any more.
fn carry_out(
    process: &Process,
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
    call_off_at_the_end_of(input, environment.interrupter())?;
    let runner = Runner::new(HostDevice::new(Store::new(places.state))).log_file(places.log);
    let outcome = process.run(&runner, environment)?;
    Ok(match outcome.ending {
        Ending::Succeeded => Answer::Succeeded { output: outcome.output },
        ending => Answer::Failed { exit: ending.exit_code(), line: outcome.error.unwrap_or_default() },
    })
}

/// Nothing follows the payload, so whatever comes is the end: the connection is gone, or the proxy gave up.
fn call_off_at_the_end_of(
    mut input: impl Read + Send + 'static,
    interrupter: Interrupter,
) -> Result<(), DeviceError> {
    let watch = move || {
        let _ = input.read(&mut [0]);
        interrupter.interrupt(Signal::Terminate);
    };
    let watching = thread::Builder::new().name("caller".to_owned()).spawn(watch);
    watching.map(drop).map_err(|error| DeviceError::internal("cannot watch the caller").with_source(error))
}

fn unheard(error: io::Error) -> DeviceError {
    DeviceError::connection("cannot hear the call").with_source(error)
}
