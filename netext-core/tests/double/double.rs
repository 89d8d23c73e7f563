//! An extension that misbehaves by script. `NETEXT_DOUBLE` names a file with a JSON array of steps, which it does one after
//! the other for every command; without it every command succeeds silently.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "its purpose is to misbehave"
)]

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use netext_core::protocol::{DeviceDetails, Service};
use netext_core::{Description, DeviceError, ErrorKind, Handler, Invocation, Reply, Runner, async_trait};
use serde::Deserialize;

/// One step of the script.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum DoubleStep {
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
    /// Runs for ever without waiting.
    Spin,
    /// Waits until the work is called off.
    AwaitCancellation,
    /// Starts a shell command and leaves it behind, with the streams that it inherits.
    Spawn(String),
    /// Runs a shell command to its end.
    Run(String),
    /// Panics.
    Panic(String),
    /// Ends with an error of the kind with this exit code.
    Fail(i32, String),
    /// Ends with this text as the reply.
    Answer(String),
    /// Ends with these details as the reply.
    Details(serde_json::Map<String, serde_json::Value>),
}

struct Double(Vec<DoubleStep>);

#[async_trait]
impl Handler for Double {
    fn description(&self) -> Description {
        Description::new("double", "1.2.3").services([Service::Dhcp, Service::SourceNat])
    }

    async fn handle(&self, invocation: Invocation) -> Result<Reply, DeviceError> {
        for step in self.0.clone() {
            match step {
                DoubleStep::Parse => drop(invocation.parse()?),
                DoubleStep::Print(text) => println!("{text}"),
                DoubleStep::Complain(text) => eprintln!("{text}"),
                DoubleStep::Trace(text) => tracing::info!("{text}"),
                DoubleStep::Sleep(milliseconds) => {
                    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                }
                DoubleStep::Block(milliseconds) => std::thread::sleep(Duration::from_millis(milliseconds)),
                DoubleStep::Spin => loop {
                    std::hint::spin_loop();
                },
                DoubleStep::AwaitCancellation => invocation.deadline().cancelled().await,
                DoubleStep::Spawn(command) => drop(shell(&command).spawn().unwrap()),
                DoubleStep::Run(command) => drop(shell(&command).status().unwrap()),
                DoubleStep::Panic(message) => panic!("{message}"),
                DoubleStep::Fail(code, message) => {
                    return Err(DeviceError::new(ErrorKind::from_exit_code(code), message));
                }
                DoubleStep::Answer(text) => return Ok(Reply::Relayed(text)),
                DoubleStep::Details(details) => {
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
