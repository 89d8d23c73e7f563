//! The commands of operators: they inspect and repair routers on this host, and check many hosts at once.
//!
//! They are commands of the same executable, under any name. No command of the protocol has the same name.

mod arguments;
mod doctor;
mod error;
mod fleet;
mod graph;
mod reconcile;
mod screen;
mod show;
mod status;
mod sweep;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::places::ExtensionPlaces;
use crate::store::Store;
use arguments::{OperatorArguments, OperatorCommand};
use error::{OperatorError, OperatorExit};
use screen::Screen;

/// The first arguments that ask for these commands.
pub const COMMANDS: [&str; 7] = ["doctor", "fleet", "graph", "help", "reconcile", "show", "status"];

/// Carries out the command of the arguments, the executable's own name first.
pub fn run(arguments: &[OsString]) -> ExitCode {
    let mut screen = Screen::of_this_process();
    let outcome = OperatorArguments::read(arguments).and_then(|it| carry_out(it.command, &mut screen));
    let exit = outcome.unwrap_or_else(|error| {
        screen.error(&error);
        error.exit()
    });
    exit.into()
}

fn carry_out(command: OperatorCommand, screen: &mut Screen) -> Result<OperatorExit, OperatorError> {
    let places = ExtensionPlaces::of_this_process();
    match command {
        OperatorCommand::Status(arguments) => status::run(&store(places)?, &arguments, screen),
        OperatorCommand::Show(arguments) => show::run(&store(places)?, &arguments, screen),
        OperatorCommand::Graph(arguments) => graph::run(&store(places)?, &arguments, screen),
        OperatorCommand::Doctor(arguments) => doctor::run(&store(places)?, &arguments, screen),
        OperatorCommand::Reconcile(arguments) => reconcile::run(&store(places)?, &arguments, screen),
        OperatorCommand::Fleet(arguments) => fleet::run(&places, &arguments.command, screen),
    }
}

/// The routers of this host. Only root may use them.
fn store(places: ExtensionPlaces) -> Result<Store, OperatorError> {
    if rustix::process::geteuid().is_root() {
        Ok(Store::new(places.state))
    } else {
        Err(OperatorError::NotRoot)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use netext_protocol::Command;

    use super::*;

    #[test]
    fn every_command_is_known_by_its_first_word() {
        let mut defined = OperatorArguments::command();
        defined.build();
        let mut names: Vec<_> = defined.get_subcommands().map(|it| it.get_name().to_owned()).collect();
        names.sort();
        assert_eq!(names, COMMANDS);
    }

    #[test]
    fn no_command_has_the_name_of_one_of_the_protocol() {
        for name in COMMANDS {
            assert!(name.parse::<Command>().is_err(), "{name}");
        }
    }
}
