//! Scripts that a machine carries out, and what it says came of them: the test's side of `image/carry-out`.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// What came of a command that a machine ran.
#[derive(Clone)]
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// What it printed, byte for byte.
    pub output: Vec<u8>,
    /// What it said on standard error.
    pub errors: String,
}

impl fmt::Debug for Ran {
    /// What it printed as text: messages of failed tests are read by people.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let output = String::from_utf8_lossy(&self.output);
        write!(formatter, "exit code {}, printed {output:?}, complained {:?}", self.code, self.errors)
    }
}

/// The serial port over which the test and the machine's first program talk.
#[derive(Debug)]
pub(super) struct Dialogue {
    port: ChildStdin,
    lines: Receiver<String>,
    number: u32,
}

impl Dialogue {
    pub(super) fn new(port: ChildStdin, output: ChildStdout) -> Self {
        let (sender, lines) = channel();
        // Ends with the machine, whose end of the pipe it reads.
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

    /// Waits until the machine says that it is up.
    pub(super) fn await_ready(&mut self, patience: Duration) -> Result<(), String> {
        self.hear(patience, |line| (line == "ready").then_some(()))
    }

    /// Has the machine carry out `script`, within `patience`.
    pub(super) fn ask(&mut self, script: &str, patience: Duration) -> Result<Ran, String> {
        let number = self.tell(script)?;
        // An answer that comes late, to an earlier script, bears another number.
        let answer = self.hear(patience, |line| {
            line.split_once(' ').filter(|(of, _)| *of == number).map(|(_, answer)| answer.to_owned())
        })?;
        parse(&answer).ok_or_else(|| format!("it answers {answer:?}, which makes no sense"))
    }

    /// Has the machine begin to carry out `script`, and tells the number that the answer will bear.
    pub(super) fn tell(&mut self, script: &str) -> Result<String, String> {
        self.number += 1;
        let line = format!("{} {}\n", self.number, BASE64_STANDARD.encode(format!("{script}\n")));
        let said = self.port.write_all(line.as_bytes()).and_then(|()| self.port.flush());
        said.map_err(|error| format!("it cannot be spoken to: {error}"))?;
        Ok(self.number.to_string())
    }

    /// What `wanted` makes of the first line that it makes something of.
    fn hear<T>(&self, patience: Duration, wanted: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    if let Some(found) = wanted(line.trim_end()) {
                        return Ok(found);
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Err(format!("no word of it within {patience:?}")),
                Err(RecvTimeoutError::Disconnected) => return Err("it is switched off".to_owned()),
            }
        }
    }
}

/// Reads `<exit code> <output in base64>:<errors in base64>`.
fn parse(answer: &str) -> Option<Ran> {
    let (code, said) = answer.split_once(' ')?;
    let (output, errors) = said.split_once(':')?;
    let errors = BASE64_STANDARD.decode(errors).ok()?;
    Some(Ran {
        code: code.parse().ok()?,
        output: BASE64_STANDARD.decode(output).ok()?,
        errors: String::from_utf8_lossy(&errors).into_owned(),
    })
}
