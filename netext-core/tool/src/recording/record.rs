//! `netext record`: runs in an extension's place and records its calls.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{PAYLOAD_FILE, Recorded};
use crate::printer::fail;

/// Run in an extension's place, pass everything on, and record the calls without credentials.
///
/// Put a script in the extension's place with, below its #!/bin/sh, the line
///
///     exec netext record --out DIR -- /path/of/the/extension "$@"
///
/// Every run becomes a file in DIR, readable by its owner only.
#[derive(clap::Args)]
pub(crate) struct RecordArguments {
    /// The folder of the recording.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The extension, and the server's arguments.
    #[arg(last = true, required = true, value_name = "PATH [ARGUMENTS]")]
    call: Vec<OsString>,
}

pub(crate) fn run(arguments: &RecordArguments) -> ExitCode {
    let (program, rest) = arguments.call.split_first().expect("clap asks for it");
    match record(&arguments.out, program, rest) {
        Ok(RecordedEnd::Exited(code)) => ExitCode::from(code),
        Ok(RecordedEnd::Killed(signal)) => {
            // Ends this process, unless the signal is one that does not end processes.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
            ExitCode::FAILURE
        }
        Err(error) => fail(format_args!("cannot run {}: {error}", Path::new(program).display())),
    }
}

/// How an extension ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecordedEnd {
    /// With an exit code.
    Exited(u8),
    /// By a signal.
    Killed(i32),
}

/// Runs an extension in the place of this process, and records the call.
///
/// Standard input, output, error and the signals that end a process are passed on, so that the server notices no
/// difference: output and error stay one stream if they are one, in the order of writing, and it ends when the extension's
/// stream ends. If recording fails, the extension still runs.
fn record(folder: &Path, program: &OsStr, arguments: &[OsString]) -> io::Result<RecordedEnd> {
    let path = arguments.get(1).map(Path::new);
    let payload = path.and_then(|path| std::fs::read(path).ok());
    let began_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_millis());
    let began = Instant::now();
    let ran = call(program, arguments)?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let recorded = Recorded {
        arguments: shown(arguments),
        payload: None,
        output: text(ran.output),
        error_output: ran.error_output.map(text),
        exit_code: ran.status.code(),
        signal: ran.status.signal(),
        began_ms: u64::try_from(began_ms).unwrap_or_default(),
        took_ms: began.elapsed().as_secs_f64() * 1000.0,
    };
    let path = path.map(Path::to_string_lossy).unwrap_or_default();
    // A failure cannot be reported: both streams belong to the extension.
    let _ = recorded.without_secrets(payload.as_deref(), &path).write(folder);
    Ok(match ran.status.signal() {
        Some(signal) => RecordedEnd::Killed(signal),
        None => {
            RecordedEnd::Exited(ran.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
        }
    })
}

/// The arguments, with a placeholder for the path of the payload file.
fn shown(arguments: &[OsString]) -> Vec<String> {
    let mut shown: Vec<_> = arguments.iter().map(|it| it.to_string_lossy().into_owned()).collect();
    if let [_, path, ..] = shown.as_mut_slice() {
        PAYLOAD_FILE.clone_into(path);
    }
    shown
}

struct RelayedRun {
    status: ExitStatus,
    output: Vec<u8>,
    error_output: Option<Vec<u8>>,
}

fn call(program: &OsStr, arguments: &[OsString]) -> io::Result<RelayedRun> {
    // Before the child starts, so that no signal is lost.
    let signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT])?;
    let (output, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    let (errors, error_writer) = if is_one_stream()? {
        (None, writer.try_clone()?)
    } else {
        pipe_with(PipeFlags::CLOEXEC).map(|(reader, writer)| (Some(reader), writer))?
    };
    let mut command = Command::new(program);
    command.args(arguments).stdout(writer).stderr(error_writer);
    let mut child = command.spawn()?;
    // It holds the writing ends, which only the child must hold.
    drop(command);
    let handle = signals.handle();
    let forwarding = forward(signals, Pid::from_child(&child));
    let errors = errors.map(|errors| thread::spawn(move || relay(errors, &mut io::stderr())));
    let output = relay(output, &mut io::stdout());
    let error_output = errors.map(|it| it.join().unwrap_or_default());
    let status = child.wait()?;
    handle.close();
    let _ = forwarding.join();
    Ok(RelayedRun { status, output, error_output })
}

/// Whether standard output and standard error are the same stream.
fn is_one_stream() -> io::Result<bool> {
    let output = rustix::fs::fstat(rustix::stdio::stdout())?;
    let errors = rustix::fs::fstat(rustix::stdio::stderr())?;
    Ok((output.st_dev, output.st_ino) == (errors.st_dev, errors.st_ino))
}

fn forward(mut signals: Signals, child: Pid) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for signal in signals.forever() {
            if let Some(signal) = Signal::from_named_raw(signal) {
                // The child may have ended.
                let _ = kill_process(child, signal);
            }
        }
    })
}

/// Passes a stream on to its end, and returns it.
fn relay(from: OwnedFd, to: &mut dyn Write) -> Vec<u8> {
    let mut from = File::from(from);
    let mut kept = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return kept,
            Ok(length) => {
                kept.extend_from_slice(&buffer[..length]);
                if to.write_all(&buffer[..length]).and_then(|()| to.flush()).is_err() {
                    // The reader is gone. The extension must notice it, as without the recorder.
                    return kept;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return kept,
        }
    }
}
