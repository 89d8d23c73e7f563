//! Runs the tool.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The result of a run of the tool.
#[derive(Debug)]
pub(crate) struct ToolRun {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl ToolRun {
    /// The run succeeded with an empty standard error; returns its output.
    #[track_caller]
    pub(crate) fn succeeds(&self) -> &str {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        &self.stdout
    }

    /// The run ended with this exit code; returns its output as JSON.
    #[track_caller]
    pub(crate) fn json(&self, code: i32) -> Value {
        assert_eq!(self.code, Some(code), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The tool with arguments.
pub(crate) fn netext(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netext"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs the tool.
#[track_caller]
pub(crate) fn run(arguments: &[&str]) -> ToolRun {
    run_to_end(netext(arguments))
}

/// Runs the tool with a standard input.
#[track_caller]
pub(crate) fn run_with_input(arguments: &[&str], input: &[u8]) -> ToolRun {
    let mut command = netext(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    result(&child.wait_with_output().unwrap())
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run_to_end(mut command: Command) -> ToolRun {
    result(&command.output().unwrap())
}

fn result(output: &std::process::Output) -> ToolRun {
    ToolRun {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout.clone()).unwrap(),
        stderr: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}
