//! The beginning of a connection: an ssh that logs in and stays in the background.

use std::env;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::command_line::{self, Files};
use super::folder::{Connection, Folder};
use super::secret::SecretFile;
use super::{askpass, complaint, session};
use crate::lock::FileLock;
use crate::programs::{Output, Program};
use crate::proxy::error::HostError;
use crate::proxy::target::{Host, Login};

/// What of our environment ssh sees: where its agent is, and whose files to read.
const INHERITED: [&str; 5] = ["PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK"];

/// Begins a connection, unless somebody else does at the same time: then theirs is waited for.
///
/// The ssh that stays behind has nothing of ours: its three streams are `/dev/null`, and its session is its own.
pub(super) async fn begin(
    folder: &Folder,
    connection: &Connection,
    host: &Host,
    login: &Login,
    patience: Duration,
) -> Result<(), HostError> {
    let Connection { socket, lock } = connection;
    let failed = |action, path: &Path| {
        let path = path.to_owned();
        move |source| HostError::Local { action, path, source }
    };
    let locked = FileLock::acquire(lock, std::future::pending()).await.map_err(failed("lock", lock))?;
    if session::is_served(socket).await {
        return Ok(());
    }
    match fs::remove_file(socket) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("remove", socket)(error)),
        _ => {}
    }
    let said =
        log_in(folder, socket, host, login, patience).await.map_err(failed("run", Path::new("ssh")))?;
    drop(locked);
    match said {
        Ok(()) => Ok(()),
        Err(said) => {
            let known_hosts = folder.known_hosts();
            Err(complaint::understand(host, login, &known_hosts.to_string_lossy(), &said))
        }
    }
}

/// Runs ssh until it is logged in; if it is not, its words tell why.
async fn log_in(
    folder: &Folder,
    socket: &Path,
    host: &Host,
    login: &Login,
    patience: Duration,
) -> io::Result<Result<(), String>> {
    let key = login.key.as_ref().map(SecretFile::of).transpose()?;
    let password = login.password.as_ref().map(SecretFile::of).transpose()?;
    let host_keys = login.host_keys.as_ref().map(|keys| SecretFile::holding(keys.as_str())).transpose()?;
    let (key_path, keys_path) =
        (key.as_ref().map(SecretFile::path), host_keys.as_ref().map(SecretFile::path));
    let known_hosts = keys_path.unwrap_or_else(|| folder.known_hosts());
    let files = Files { socket, key: key_path.as_deref(), known_hosts: &known_hosts };

    let mut command = Command::new("ssh");
    command
        .args(command_line::begin(host, login, &files, patience))
        .env_clear()
        .envs(INHERITED.into_iter().filter_map(|name| Some((name, env::var_os(name)?))))
        .env("LC_ALL", "C")
        .current_dir("/");
    if let Some(password) = &password {
        command
            .env(askpass::VARIABLE, password.path())
            .env("SSH_ASKPASS", env::current_exe()?)
            .env("SSH_ASKPASS_REQUIRE", "force")
            // Before OpenSSH 8.4 the program is asked where there is a display and no terminal.
            .env("DISPLAY", "none");
    }
    let ended = Program::new(command, Output::Errors).run_aside().await?;
    Ok(if ended.status.success() { Ok(()) } else { Err(ended.complaint().into_owned()) })
}
