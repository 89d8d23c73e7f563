//! Shows the life of an isolated network on throwaway namespaces.
//!
//! The demo calls the executable command by command, as CloudStack does. After each step it shows the effect with real
//! packets. It leaves nothing behind, and exits with 1 if anything failed.

mod birth;
mod picture;
mod screen;
mod stage;
mod story;

use std::process::ExitCode;

use lexopt::prelude::{Long, ValueExt};
use netext_lab::Lab;
use netext_lab::console::{self, say};

use screen::DemoScreen;
use stage::Stage;

const HELP: &str = "\
Shows the life of an isolated network on throwaway namespaces. Needs root.

Usage: demo --exec PATH [--plain]

  --exec PATH   the netext-namespace executable to run
  --plain       ASCII only, without colours; NO_COLOR also turns colours off";

struct DemoArguments {
    executable: String,
    plain: bool,
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return say(HELP, 0),
        Err(error) => return say(&format!("{error}\n\n{HELP}"), 2),
    };
    let screen = DemoScreen::new(arguments.plain);
    screen.open("The life of an isolated network, on throwaway namespaces", picture::NETWORK);
    let lab = Lab::boot(&arguments.executable);
    let mut stage = Stage::new(&lab, screen);
    story::play(&mut stage);
    if stage.close() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `None` for `--help`.
fn arguments() -> Result<Option<DemoArguments>, lexopt::Error> {
    let (mut executable, mut plain) = (None, false);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("exec") => executable = Some(parser.value()?.string()?),
            Long("plain") => plain = true,
            Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let executable = console::executable(executable)?;
    Ok(Some(DemoArguments { executable, plain }))
}
