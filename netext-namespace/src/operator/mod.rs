//! The commands of the people who run hosts: how routers do, what they are, and how to put them right; and the same
//! for many hosts at once.
//!
//! They are commands of the same executable, by whatever name it is called, and none of them is named like a command
//! of the protocol. Nothing of them is touched unless one is asked for.

mod arguments;
mod doctor;
mod failure;
mod fleet;
mod graph;
mod reconcile;
mod screen;
mod show;
mod status;
mod sweep;
mod table;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::places::Places;
use crate::store::Store;
use arguments::{Arguments, Command};
use failure::Failure;
use screen::Screen;

/// The first words of the commands.
const COMMANDS: [&str; 7] = ["doctor", "fleet", "graph", "help", "reconcile", "show", "status"];

/// How a command ended, as its exit code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Everything is well.
    Well,
    /// The question made no sense: the command line is wrong, or there is no such router.
    Usage,
    /// No host can be reached.
    OutOfReach,
    /// Something differs, is unwell, or failed.
    Unwell,
}

impl Verdict {
    fn of(is_well: bool) -> Self {
        if is_well { Self::Well } else { Self::Unwell }
    }
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        Self::from(match verdict {
            Verdict::Well => 0,
            Verdict::Usage => 1,
            Verdict::OutOfReach => 2,
            Verdict::Unwell => 3,
        })
    }
}

/// Whether the executable's arguments, its own name first, are one of these commands.
pub fn is_asked_for(arguments: impl IntoIterator<Item = OsString>) -> bool {
    arguments.into_iter().nth(1).is_some_and(|word| COMMANDS.iter().any(|command| word == *command))
}

/// Carries out the command that the arguments ask for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut screen = Screen::of_this_process();
    let outcome = Arguments::read(arguments).and_then(|arguments| carry_out(arguments.command, &mut screen));
    match outcome {
        Ok(verdict) => verdict.into(),
        Err(failure) => {
            screen.say_why(&failure);
            failure.verdict().into()
        }
    }
}

fn carry_out(command: Command, screen: &mut Screen) -> Result<Verdict, Failure> {
    let places = Places::of_this_process();
    match command {
        Command::Status(arguments) => status::run(&store(places)?, &arguments, screen),
        Command::Show(arguments) => show::run(&store(places)?, &arguments, screen),
        Command::Graph(arguments) => graph::run(&store(places)?, &arguments, screen),
        Command::Doctor(arguments) => doctor::run(&store(places)?, &arguments, screen),
        Command::Reconcile(arguments) => reconcile::run(&store(places)?, &arguments, screen),
        Command::Fleet(arguments) => fleet::run(&places, &arguments.command, screen),
    }
}

/// The routers of this host, which are root's.
fn store(places: Places) -> Result<Store, Failure> {
    if rustix::process::geteuid().is_root() { Ok(Store::new(places.state)) } else { Err(Failure::NotRoot) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use netext_protocol::Command as ProtocolCommand;

    use super::*;

    #[test]
    fn every_command_is_known_by_its_first_word() {
        let mut defined = Arguments::command();
        defined.build();
        let mut names: Vec<_> = defined.get_subcommands().map(|it| it.get_name().to_owned()).collect();
        names.sort();
        assert_eq!(names, COMMANDS);
    }

    #[test]
    fn no_command_is_taken_for_one_of_the_protocol() {
        for name in COMMANDS {
            assert!(name.parse::<ProtocolCommand>().is_err(), "{name}");
        }
    }
}
