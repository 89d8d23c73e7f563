//! `netext normalize`: the strict form of a payload, and a front for an executable that reads that form only.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use netext_core::Runner;
use netext_protocol::{Command, Envelope};

use crate::arguments::{Services, commands, read, services};
use crate::front::Front;
use crate::printer::{fail, say};

/// Convert a payload to its strict form, or stand in front of an executable that reads the strict form only.
///
/// In the strict form, which the strict schemas describe, numbers are numbers, absent fields are left out, every field
/// has one spelling, and rules and metadata are objects and lists. An invalid payload is refused.
///
/// In front of an executable it takes the server's command lines, and runs the executable with a strict payload in a
/// private file. It enforces the protocol's contract on deadline, output and exit codes. To use it as the extension,
/// write the extension's .sh file with one line: #!/usr/bin/env -S netext normalize --shebang acme.py
///
/// Exit code 0: the strict form was printed; 1: the payload is invalid; 2: usage. In front of an executable: the exit
/// codes of an extension.
#[derive(clap::Args)]
pub(crate) struct NormalizeArguments {
    /// The command of the payload, such as assign-ip.
    #[arg(required_unless_present_any = ["exec", "shebang"], value_parser = commands(), hide_possible_values = true)]
    command: Option<Command>,
    /// The payload file; - for standard input.
    #[arg(required_unless_present_any = ["exec", "shebang"])]
    file: Option<PathBuf>,
    /// The services of the executable, such as Dhcp,Dns, or none. Commands of other services then succeed without
    /// running it. By default all commands run it.
    #[arg(long, value_name = "SERVICES", value_parser = services, conflicts_with = "command")]
    services: Option<Services>,
    /// Run this executable; the arguments of an extension follow.
    #[arg(long, num_args = 1.., allow_hyphen_values = true, value_names = ["PATH", "ARGUMENTS"], conflicts_with_all = ["command", "shebang"])]
    exec: Vec<OsString>,
    /// The same for the first line of a script: the kernel adds the script's path and arguments. A relative PATH begins
    /// at the script's folder.
    #[arg(long, num_args = 2.., allow_hyphen_values = true, value_names = ["PATH", "SCRIPT", "ARGUMENTS"], conflicts_with = "command")]
    shebang: Vec<OsString>,
}

pub(crate) fn run(arguments: &NormalizeArguments) -> ExitCode {
    match (arguments.exec.as_slice(), arguments.shebang.as_slice()) {
        (command_line @ [path, ..], _) => stand_in_front(arguments, &in_place(Path::new(path)), command_line),
        (_, [path, command_line @ ..]) => {
            let script = command_line.first().map(Path::new);
            let folder = script.and_then(Path::parent).unwrap_or(Path::new(""));
            stand_in_front(arguments, &in_place(&folder.join(path)), command_line)
        }
        _ => match (arguments.command, &arguments.file) {
            (Some(command), Some(file)) => normalize(command, file),
            _ => fail("a command and a file are needed"),
        },
    }
}

/// A path that the system does not look up in `PATH`, which may have another executable of this name.
fn in_place(path: &Path) -> PathBuf {
    Path::new(".").join(path)
}

fn normalize(command: Command, file: &Path) -> ExitCode {
    let payload = match read(file) {
        Ok(payload) => payload,
        Err(error) => return fail(format_args!("cannot read {}: {error}", file.display())),
    };
    match Envelope::parse(command, &payload) {
        Ok(envelope) => {
            say(envelope.to_strict_json());
            ExitCode::SUCCESS
        }
        Err(error) => fail(error),
    }
}

/// Answers the extension's command line, beginning with the program's name.
fn stand_in_front(arguments: &NormalizeArguments, executable: &Path, command_line: &[OsString]) -> ExitCode {
    match command_line {
        [_, flag] if flag.to_string_lossy().starts_with('-') => {
            // The executable answers flags itself. `exec` returns only if it fails.
            let error = std::process::Command::new(executable).arg(flag).exec();
            return fail(format_args!("cannot run {}: {error}", executable.display()));
        }
        _ => {}
    }
    let front = Front::new(executable);
    let front = match &arguments.services {
        Some(Services(services)) => front.services(services.iter().copied()),
        None => front,
    };
    netext_core::main_with_args(command_line, || Ok(Runner::new(front)))
}
