//! `netext record`: stands in for an extension and keeps what is said.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use netext_core::recording::{Ended, record};

use crate::screen::fail;

/// Stand in for an extension, pass everything on, and keep what was said without its credentials.
///
/// Put a script in the extension's place that holds, below its #!/bin/sh, the line
///
///     exec netext record --out DIR -- /path/of/the/extension "$@"
///
/// Every run is a file in DIR, readable by its owner only.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder that the recording goes to.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The extension, and the arguments that the server called it with.
    #[arg(last = true, required = true, value_name = "PATH [ARGUMENTS]")]
    call: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let (program, rest) = arguments.call.split_first().expect("clap asks for it");
    match record(&arguments.out, program, rest) {
        Ok(Ended::Exited(code)) => ExitCode::from(code),
        Ok(Ended::Killed(signal)) => {
            // Ends this process, unless the signal is one that ends none.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
            ExitCode::FAILURE
        }
        Err(error) => fail(format_args!("cannot run {}: {error}", program.display())),
    }
}
