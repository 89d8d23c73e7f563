//! An extension that behaves as badly as its script says. `NETEXT_DOUBLE` names a file with a JSON array of
//! steps, done one after the other for whatever command; without it every command succeeds silently.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "it is here to misbehave")]

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use netext_core::protocol::{DeviceDetails, Service};
use netext_core::{Description, DeviceError, ErrorKind, Handler, Invocation, Reply, Runner, async_trait};
use serde::Deserialize;

/// One thing that the double does.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Step {
    /// Reads the payload as a request.
    Parse,
    /// Prints a line on standard output.
    Print(String),
    /// Prints a line on standard error.
    Complain(String),
    /// Emits a `tracing` event.
    Trace(String),
    /// Waits asynchronously, in milliseconds.
    Sleep(u64),
    /// Blocks the thread, in milliseconds.
    Block(u64),
    /// Never ends, never waits.
    Spin,
    /// Waits until the work is called off.
    AwaitCancellation,
    /// Starts a shell command and leaves it behind, with the streams that it is given.
    Spawn(String),
    /// Runs a shell command to its end.
    Run(String),
    /// Panics.
    Panic(String),
    /// Ends with an error of the kind that has this exit code.
    Fail(i32, String),
    /// Ends with this text as the reply.
    Answer(String),
    /// Ends with these details as the reply.
    Details(serde_json::Map<String, serde_json::Value>),
}

struct Double(Vec<Step>);

#[async_trait]
impl Handler for Double {
    fn description(&self) -> Description {
        Description::new("double", "1.2.3").services([Service::Dhcp, Service::SourceNat])
    }

    async fn handle(&self, invocation: Invocation) -> Result<Reply, DeviceError> {
        for step in self.0.clone() {
            match step {
                Step::Parse => drop(invocation.parse()?),
                Step::Print(text) => println!("{text}"),
                Step::Complain(text) => eprintln!("{text}"),
                Step::Trace(text) => tracing::info!("{text}"),
                Step::Sleep(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
                Step::Block(milliseconds) => std::thread::sleep(Duration::from_millis(milliseconds)),
                Step::Spin => loop {
                    std::hint::spin_loop();
                },
                Step::AwaitCancellation => invocation.deadline().cancelled().await,
                Step::Spawn(command) => drop(shell(&command).spawn().unwrap()),
                Step::Run(command) => drop(shell(&command).status().unwrap()),
                Step::Panic(message) => panic!("{message}"),
                Step::Fail(code, message) => {
                    return Err(DeviceError::new(ErrorKind::from_exit_code(code), message));
                }
                Step::Answer(text) => return Ok(Reply::Relayed(text)),
                Step::Details(details) => {
                    let details = details
                        .into_iter()
                        .fold(DeviceDetails::default(), |details, (name, value)| details.with(name, value));
                    return Ok(details.into());
                }
            }
        }
        Ok(Reply::Nothing)
    }
}

fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    shell
}

fn main() -> ExitCode {
    netext_core::main_with(|| {
        println!("printed while it is being built");
        let steps = std::env::var_os("NETEXT_DOUBLE").map_or_else(Vec::new, |script| {
            let script = std::fs::read(script).unwrap();
            serde_json::from_slice(&script).expect("the script is made of steps")
        });
        let runner = Runner::new(Double(steps));
        Ok(match std::env::var_os("NETEXT_DOUBLE_LOG") {
            Some(path) => runner.log_file(PathBuf::from(path)),
            None => runner,
        })
    })
}
