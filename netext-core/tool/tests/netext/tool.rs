//! Runs the tool.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What the tool came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// It succeeded without complaint; what it printed.
    #[track_caller]
    pub(crate) fn succeeds(&self) -> &str {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        &self.stdout
    }

    /// It succeeded, or it answered no: what it printed, as JSON.
    #[track_caller]
    pub(crate) fn json(&self, code: i32) -> Value {
        assert_eq!(self.code, Some(code), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The tool with arguments, ready to run.
pub(crate) fn netext(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netext"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs the tool.
#[track_caller]
pub(crate) fn run(arguments: &[&str]) -> Run {
    come_to(netext(arguments))
}

/// Runs the tool with something to read on its standard input.
#[track_caller]
pub(crate) fn run_with_input(arguments: &[&str], input: &[u8]) -> Run {
    let mut command = netext(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    told(&child.wait_with_output().unwrap())
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn come_to(mut command: Command) -> Run {
    told(&command.output().unwrap())
}

fn told(output: &std::process::Output) -> Run {
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout.clone()).unwrap(),
        stderr: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}
