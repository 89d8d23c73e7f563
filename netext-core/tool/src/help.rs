//! `netext help`: explains a command of the protocol or of this tool.

use std::process::ExitCode;

use netext_protocol::Command;

use crate::printer::{Printer, fail};
use crate::reference;

/// Explain a command of the protocol, such as assign-ip: when the server sends it, its fields, a payload and an answer.
///
/// Without a command it prints the usage of this tool, with one of this tool's own commands the usage of that command.
#[derive(clap::Args)]
pub(crate) struct HelpArguments {
    /// A command of the protocol, or of this tool.
    #[arg(value_name = "COMMAND")]
    word: Option<String>,
}

/// `tool` is the command line of the tool itself.
pub(crate) fn run(arguments: &HelpArguments, mut tool: clap::Command, printer: Printer) -> ExitCode {
    tool.build();
    let Some(word) = &arguments.word else {
        printer.show(&tool.render_long_help().to_string());
        return ExitCode::SUCCESS;
    };
    if let Ok(command) = word.parse::<Command>() {
        printer.show(&reference::command(command));
        return ExitCode::SUCCESS;
    }
    match tool.find_subcommand_mut(word) {
        Some(subcommand) => printer.show(&subcommand.render_long_help().to_string()),
        None => {
            return fail(format_args!(
                "{word:?} is not a command of the protocol or of this tool{}",
                similar(word)
            ));
        }
    }
    ExitCode::SUCCESS
}

/// The commands of the protocol that share a part with a word.
fn similar(word: &str) -> String {
    let parts =
        |text: &str| text.split('-').filter(|part| part.len() > 1).map(str::to_owned).collect::<Vec<_>>();
    let own = parts(&word.to_lowercase());
    let names: Vec<_> = Command::ALL
        .iter()
        .map(|command| command.name())
        .filter(|name| parts(name).iter().any(|part| own.contains(part)))
        .collect();
    match names.as_slice() {
        [] => "; `netext help` lists the commands of this tool, `netext sample --list` those of the protocol"
            .to_owned(),
        names => format!("; similar ones are {}", names.join(", ")),
    }
}
