//! `netext record`: stands in for an extension and keeps what is said.

use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{PAYLOAD_FILE, Recorded};
use crate::screen::fail;

/// Stand in for an extension, pass everything on, and keep what was said without its credentials.
///
/// Put a script in the extension's place that holds, below its #!/bin/sh, the line
///
///     exec netext record --out DIR -- /path/of/the/extension "$@"
///
/// Every run is a file in DIR, readable by its owner only.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder that the recording goes to.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The extension, and the arguments that the server called it with.
    #[arg(last = true, required = true, value_name = "PATH [ARGUMENTS]")]
    call: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let (program, rest) = arguments.call.split_first().expect("clap asks for it");
    match record(&arguments.out, program, rest) {
        Ok(Ended::Exited(code)) => ExitCode::from(code),
        Ok(Ended::Killed(signal)) => {
            // Ends this process, unless the signal is one that ends none.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
            ExitCode::FAILURE
        }
        Err(error) => fail(format_args!("cannot run {}: {error}", program.display())),
    }
}

/// How an extension ended, for whoever is to end in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// With an exit code.
    Exited(u8),
    /// By a signal.
    Killed(i32),
}

/// Runs an extension in the place of this process, and keeps what was said.
///
/// Standard input, output, error and the signals that ask a process to end are passed on, so the server notices
/// nothing: where output and error are one stream they stay one, in the order in which they were written, and
/// it ends when the extension's ends. What cannot be kept is not kept; the extension goes before.
fn record(folder: &Path, program: &OsStr, arguments: &[OsString]) -> io::Result<Ended> {
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
    // There is nowhere to say that this failed: both streams are the extension's.
    let _ = recorded.without_secrets(payload.as_deref(), &path).write(folder);
    Ok(match ran.status.signal() {
        Some(signal) => Ended::Killed(signal),
        None => Ended::Exited(ran.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)),
    })
}

/// The arguments, with a word for the path of the payload file.
fn shown(arguments: &[OsString]) -> Vec<String> {
    let mut shown: Vec<_> = arguments.iter().map(|it| it.to_string_lossy().into_owned()).collect();
    if let [_, path, ..] = shown.as_mut_slice() {
        PAYLOAD_FILE.clone_into(path);
    }
    shown
}

struct Ran {
    status: ExitStatus,
    output: Vec<u8>,
    error_output: Option<Vec<u8>>,
}

fn call(program: &OsStr, arguments: &[OsString]) -> io::Result<Ran> {
    // Before the child is there, so that no signal is lost.
    let signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT])?;
    let (output, writer) = io::pipe()?;
    let (errors, error_writer) = if is_one_stream()? {
        (None, writer.try_clone()?)
    } else {
        io::pipe().map(|(reader, writer)| (Some(reader), writer))?
    };
    let mut command = Command::new(program);
    command.args(arguments).stdout(writer).stderr(error_writer);
    let mut child = command.spawn()?;
    // It holds the writing ends, which must have no holder but the child.
    drop(command);
    let handle = signals.handle();
    let forwarding = forward(signals, Pid::from_child(&child));
    let errors = errors.map(|errors| thread::spawn(move || relay(errors, &mut io::stderr())));
    let output = relay(output, &mut io::stdout());
    let error_output = errors.map(|it| it.join().unwrap_or_default());
    let status = child.wait()?;
    handle.close();
    let _ = forwarding.join();
    Ok(Ran { status, output, error_output })
}

/// Whether standard output and standard error are one and the same.
fn is_one_stream() -> io::Result<bool> {
    let output = rustix::fs::fstat(rustix::stdio::stdout())?;
    let errors = rustix::fs::fstat(rustix::stdio::stderr())?;
    Ok((output.st_dev, output.st_ino) == (errors.st_dev, errors.st_ino))
}

fn forward(mut signals: Signals, child: Pid) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for signal in signals.forever() {
            if let Some(signal) = Signal::from_named_raw(signal) {
                // It may be over by now.
                let _ = kill_process(child, signal);
            }
        }
    })
}

/// Passes a stream on to its end, as it comes, and keeps it.
fn relay(mut from: PipeReader, to: &mut dyn Write) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return kept,
            Ok(length) => {
                kept.extend_from_slice(&buffer[..length]);
                if to.write_all(&buffer[..length]).and_then(|()| to.flush()).is_err() {
                    // Nobody reads any more; the extension is to notice, as it would without us.
                    return kept;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return kept,
        }
    }
}
