//! The start of the server as a daemon: a process that ends when the server is ready, as dnsmasq's does.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// A start of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    configuration: PathBuf,
    pid_file: PathBuf,
}

impl Start {
    /// The first word of the arguments that ask for it: configuration and pid file follow.
    pub const MODE: &str = "start-metadata";
    /// What the server's process is called, whatever name the executable was started by.
    pub const PROCESS: &str = "netext-metadata";

    /// The start of a server by its configuration, which writes its pid to a file.
    pub fn new(configuration: impl Into<PathBuf>, pid_file: impl Into<PathBuf>) -> Self {
        Self { configuration: configuration.into(), pid_file: pid_file.into() }
    }

    /// Starts the server and waits until it is ready. Its own words tell why it is not.
    pub fn run(&self) -> ExitCode {
        match self.start() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                // If this fails there is nowhere left to say so; the exit code still does.
                let _ = writeln!(io::stderr(), "cannot start the metadata server: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn start(&self) -> io::Result<bool> {
        let mut server = Command::new(std::env::current_exe()?)
            .arg0(Self::PROCESS)
            .arg(super::MODE)
            .arg(&self.configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let mut said = String::new();
        if let Some(stdout) = server.stdout.take() {
            BufReader::new(stdout).read_line(&mut said)?;
        }
        if said != "ready\n" {
            server.wait()?;
            return Ok(false);
        }
        write_whole(&self.pid_file, &format!("{}\n", server.id()))?;
        Ok(true)
    }
}

/// Nobody ever reads half of it.
fn write_whole(path: &Path, content: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, content)?;
    fs::rename(new, path)
}
