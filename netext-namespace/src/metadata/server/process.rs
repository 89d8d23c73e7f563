//! The mode of the executable: how the server starts, and what it says to whoever started it.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, absolute};
use std::process::ExitCode;
use std::sync::Arc;

use rustix::stdio;

use super::{Configuration, ServeError, serve};

/// The first word of the arguments that ask for the server; the configuration file follows.
pub const MODE: &str = "serve-metadata";

/// Serves until it is told to end.
pub fn run(configuration: &Path) -> ExitCode {
    match start(configuration) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If this fails there is nowhere left to say so; the exit code still does.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(match error {
                ServeError::Configuration { .. } => 1,
                ServeError::Listen { .. } | ServeError::Process { .. } => 3,
            })
        }
    }
}

fn start(path: &Path) -> Result<(), ServeError> {
    let process = |action| move |source| ServeError::Process { action, source };
    let path = absolute(path).map_err(process("find its configuration"))?;
    let configuration = Configuration::load(&path)?;
    if let Some(log) = &configuration.log {
        log_to(log);
    }
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")
        .map_err(process("let go of its streams"))?;
    // A folder that a process stands in cannot be unmounted.
    std::env::set_current_dir("/").map_err(process("leave its folder"))?;
    serve(&path, configuration, || {
        // None of these can fail, for the descriptors are open, and nobody listening is no reason not to serve.
        // Stdout goes last: who reads it to its end may rely on the others being let go of.
        let _ = stdio::dup2_stdin(&null);
        let _ = stdio::dup2_stderr(&null);
        let _ = io::stdout().write_all(b"ready\n");
        let _ = stdio::dup2_stdout(&null);
    })
}

/// A log that cannot be opened is given up: it must not keep guests from being served.
fn log_to(path: &Path) {
    let Ok(file) = OpenOptions::new().append(true).create(true).mode(0o600).open(path) else { return };
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(Arc::new(file)).finish();
    // Fails if there is one already, which then gets what is logged.
    let _ = tracing::subscriber::set_global_default(log);
}
