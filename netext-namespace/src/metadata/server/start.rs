//! How the server starts: its modes of the executable, and its configuration.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf, absolute};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use netext_core::error_chain;
use rustix::stdio;
use serde::{Deserialize, Serialize};

use super::{MetadataServerError, serve};
use crate::files::{self, Access, Durability};

/// The first argument of the server; the configuration follows.
pub const MODE: &str = "serve-metadata";
/// The first argument of its start as a daemon; the configuration and the pid file follow.
pub const START_MODE: &str = "start-metadata";
/// The name of the server's process, by whatever name the executable was started.
pub const PROCESS: &str = "netext-metadata";

/// The server's configuration: a JSON file in the router's folder. The server reads it when it starts and at every
/// SIGHUP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataServerConfiguration {
    /// The guest networks of the router.
    pub tiers: Vec<ServedTier>,
    /// The log file, if there is one. Read at the start only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<PathBuf>,
}

/// A guest network that is served.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ServedTier {
    /// The router's address in the guest network: the extension IP.
    pub address: Ipv4Addr,
    /// The interface of the guest network. Requests through other interfaces are not answered, whatever their source
    /// address. Without it any interface will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The folder of the [`Instances`](crate::metadata::Instances) of the guest network.
    pub folder: PathBuf,
}

impl MetadataServerConfiguration {
    /// The name of the file in the router's folder.
    pub const FILE: &str = "metadata-server.json";

    /// Reads a configuration.
    pub fn load(path: &Path) -> Result<Self, MetadataServerError> {
        let refused = |source| MetadataServerError::Configuration { path: path.to_owned(), source };
        let bytes = fs::read(path).map_err(refused)?;
        serde_json::from_slice(&bytes).map_err(|error| refused(error.into()))
    }
}

/// Starts the server as a daemon, as dnsmasq starts: this process ends when the server is ready and its process id is
/// in the pid file. If the server does not start, its own message says why.
pub fn start(configuration: &Path, pid_file: &Path) -> ExitCode {
    match start_and_wait(configuration, pid_file) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // If this fails the exit code still tells.
            let _ = writeln!(io::stderr(), "cannot start the metadata server: {}", error_chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn start_and_wait(configuration: &Path, pid_file: &Path) -> Result<bool, Box<dyn Error>> {
    let mut server = Command::new(std::env::current_exe()?)
        .arg0(PROCESS)
        .arg(MODE)
        .arg(configuration)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let mut line = String::new();
    if let Some(stdout) = server.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    if line != "ready\n" {
        server.wait()?;
        return Ok(false);
    }
    files::replace(pid_file, format!("{}\n", server.id()).as_bytes(), Access::Everyone, Durability::None)?;
    Ok(true)
}

/// Serves until a signal ends it.
pub fn run(configuration: &Path) -> ExitCode {
    match detach_and_serve(configuration) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If this fails the exit code still tells.
            let _ = writeln!(io::stderr(), "{}", error_chain(&error));
            ExitCode::from(match error {
                MetadataServerError::Configuration { .. } => 1,
                MetadataServerError::Listen { .. } | MetadataServerError::Process { .. } => 3,
            })
        }
    }
}

fn detach_and_serve(path: &Path) -> Result<(), MetadataServerError> {
    let process = |action| move |source| MetadataServerError::Process { action, source };
    let path = absolute(path).map_err(process("find its configuration"))?;
    let configuration = MetadataServerConfiguration::load(&path)?;
    if let Some(log) = &configuration.log {
        log_to(log);
    }
    let null =
        OpenOptions::new().read(true).write(true).open("/dev/null").map_err(process("open /dev/null"))?;
    // The working folder of a process cannot be unmounted.
    std::env::set_current_dir("/").map_err(process("change its folder"))?;
    serve(&path, configuration, || {
        // The descriptors are open, so only the write can fail, if its reader is gone; guests are served all the same.
        // Stdout is closed last: a reader may expect that the other streams are closed at its end.
        let _ = stdio::dup2_stdin(&null);
        let _ = stdio::dup2_stderr(&null);
        let _ = io::stdout().write_all(b"ready\n");
        let _ = stdio::dup2_stdout(&null);
    })
}

/// Guests are served even if the log cannot be opened.
fn log_to(path: &Path) {
    let Ok(file) = OpenOptions::new().append(true).create(true).mode(0o600).open(path) else { return };
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(Arc::new(file)).finish();
    // Fails if a log is set already, which then gets the messages.
    let _ = tracing::subscriber::set_global_default(log);
}
