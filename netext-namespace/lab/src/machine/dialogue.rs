//! Scripts that a machine runs, and their outcomes: the test's side of `image/carry-out`.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// The outcome of a script that a machine ran.
#[derive(Clone)]
pub struct ScriptOutcome {
    /// The exit code.
    pub code: i32,
    /// Standard output, byte for byte.
    pub output: Vec<u8>,
    /// Standard error.
    pub errors: String,
}

impl fmt::Debug for ScriptOutcome {
    /// Shows the output as text, for the messages of failed tests.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let output = String::from_utf8_lossy(&self.output);
        write!(
            formatter,
            "exit code {}, standard output {output:?}, standard error {:?}",
            self.code, self.errors
        )
    }
}

/// The serial port between the test and the machine's first program.
#[derive(Debug)]
pub(super) struct Dialogue {
    port: ChildStdin,
    lines: Receiver<String>,
    number: u32,
}

impl Dialogue {
    pub(super) fn new(port: ChildStdin, output: ChildStdout) -> Self {
        let (sender, lines) = channel();
        // Ends with the machine, which holds the other end of the pipe.
        std::thread::spawn(move || {
            let read = BufReader::new(output).split(b'\n').map_while(Result::ok);
            for line in read {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { port, lines, number: 0 }
    }

    /// Waits until the machine is up.
    pub(super) fn await_ready(&mut self, patience: Duration) -> Result<(), String> {
        self.receive(patience, |line| (line == "ready").then_some(()))
    }

    /// Runs `script` on the machine, within `patience`.
    pub(super) fn ask(&mut self, script: &str, patience: Duration) -> Result<ScriptOutcome, String> {
        let number = self.send(script)?;
        // A late outcome of an earlier script has another number.
        let line = self.receive(patience, |line| {
            line.split_once(' ').filter(|(of, _)| *of == number).map(|(_, outcome)| outcome.to_owned())
        })?;
        parse(&line).ok_or_else(|| format!("{line:?} is not the outcome of a script"))
    }

    /// Sends `script` to the machine, and returns the number of its outcome.
    pub(super) fn send(&mut self, script: &str) -> Result<String, String> {
        self.number += 1;
        let line = format!("{} {}\n", self.number, BASE64_STANDARD.encode(format!("{script}\n")));
        let sent = self.port.write_all(line.as_bytes()).and_then(|()| self.port.flush());
        sent.map_err(|error| format!("its serial port cannot be written: {error}"))?;
        Ok(self.number.to_string())
    }

    /// Waits for a line that `wanted` accepts, and returns its result.
    fn receive<T>(&self, patience: Duration, wanted: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    if let Some(found) = wanted(line.trim_end()) {
                        return Ok(found);
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Err(format!("it sent nothing within {patience:?}")),
                Err(RecvTimeoutError::Disconnected) => return Err("it is switched off".to_owned()),
            }
        }
    }
}

/// Reads `<exit code> <output in base64>:<errors in base64>`.
fn parse(outcome: &str) -> Option<ScriptOutcome> {
    let (code, printed) = outcome.split_once(' ')?;
    let (output, errors) = printed.split_once(':')?;
    let errors = BASE64_STANDARD.decode(errors).ok()?;
    Some(ScriptOutcome {
        code: code.parse().ok()?,
        output: BASE64_STANDARD.decode(output).ok()?,
        errors: String::from_utf8_lossy(&errors).into_owned(),
    })
}
