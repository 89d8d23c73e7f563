//! `netext completions` and `netext man`: files that a package installs with the tool.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap_complete::Shell;

use crate::printer::{Printer, fail};

/// Print the completion script of a shell.
#[derive(clap::Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

/// Print the manual page, or write the pages of all subcommands.
#[derive(clap::Args)]
pub(crate) struct Man {
    /// Write a page for the tool and one for every subcommand to this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn completions(arguments: &Completions, mut tool: clap::Command, printer: Printer) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut tool, "netext", &mut script);
    printer.show(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}

pub(crate) fn man(arguments: &Man, tool: clap::Command, printer: Printer) -> ExitCode {
    let (written, place) = match &arguments.out {
        Some(folder) => {
            let written = std::fs::create_dir_all(folder);
            (
                written.and_then(|()| clap_mangen::generate_to(tool, folder)),
                format!(" to {}", folder.display()),
            )
        }
        None => (page(tool, printer), String::new()),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(format_args!("cannot write the manual{place}: {error}")),
    }
}

fn page(tool: clap::Command, printer: Printer) -> io::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(tool).render(&mut page)?;
    printer.show(&String::from_utf8_lossy(&page));
    Ok(())
}
