//! `netext normalize`: the strict form of a payload, and a front for an executable that reads nothing else.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use netext_core::Runner;
use netext_protocol::{Command, Envelope};

use crate::extension::{Services, services};
use crate::front::Front;
use crate::screen::{fail, say};
use crate::validate::{commands, read};

/// Turn a payload into its strict form, or stand in front of an executable that reads no other.
///
/// In the strict form, which the strict schemas describe, numbers are numbers, what is absent is left out, every
/// field has one spelling, and rules and metadata are objects and lists. What is no payload of the command is refused.
///
/// In front of an executable it takes the server's command lines, and calls it with a strict payload in a file of its
/// own. Deadline, output and exit codes are kept as the protocol has them. To put it in the extension's place, make
/// the extension's .sh file of one line, `#!/usr/bin/env -S netext normalize --shebang acme.py`.
///
/// Exit code 0: the strict form was printed; 1: the file is no payload; 2: usage. In front of an executable, those of
/// an extension.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The command that the file is a payload of, such as assign-ip.
    #[arg(required_unless_present_any = ["exec", "shebang"], value_parser = commands(), hide_possible_values = true)]
    command: Option<Command>,
    /// The payload file; `-` for standard input.
    #[arg(required_unless_present_any = ["exec", "shebang"])]
    file: Option<PathBuf>,
    /// The services that the executable provides, such as Dhcp,Dns; `none` for none. Commands of other services
    /// then succeed without reaching it. By default all commands do.
    #[arg(long, value_name = "SERVICES", value_parser = services, conflicts_with = "command")]
    services: Option<Services>,
    /// Call this executable with the arguments of an extension that follow it.
    #[arg(long, num_args = 1.., allow_hyphen_values = true, value_names = ["PATH", "ARGUMENTS"], conflicts_with_all = ["command", "shebang"])]
    exec: Vec<OsString>,
    /// The same in the first line of a script, whose path and arguments follow. A relative PATH begins at the
    /// script's folder.
    #[arg(long, num_args = 2.., allow_hyphen_values = true, value_names = ["PATH", "SCRIPT", "ARGUMENTS"], conflicts_with = "command")]
    shebang: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
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

/// A path that is never looked up in `PATH`: an executable of the same name there is another one.
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

/// Answers the extension's command line, the name that it was called by first.
fn stand_in_front(arguments: &Arguments, executable: &Path, command_line: &[OsString]) -> ExitCode {
    if let [_, flag] = command_line
        && flag.to_string_lossy().starts_with('-')
    {
        // It speaks for itself. This returns only if it cannot be run.
        let error = std::process::Command::new(executable).arg(flag).exec();
        return fail(format_args!("cannot run {}: {error}", executable.display()));
    }
    let front = Front::new(executable);
    let front = match &arguments.services {
        Some(Services(services)) => front.services(services.iter().copied()),
        None => front,
    };
    netext_core::main_with_args(command_line, || Ok(Runner::new(front)))
}
