//! The beginning of a connection: an ssh that logs in and stays in the background.

use std::env;
use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use netext_protocol::Secret;

use super::connection::{SshConnection, SshFolder};
use crate::files::{self, FileLock, failed};
use crate::programs::{OutputMode, Program, in_memory, last_line};
use crate::proxy::error::HostError;
use crate::proxy::fleet::SshLogin;
use crate::proxy::remote::HostAddress;

/// The variable of ssh's environment with the path of the password.
pub const ASKPASS: &str = "NETEXT_ASKPASS";

/// The variables of our environment that ssh needs: they lead to its agent and its files.
const INHERITED: [&str; 5] = ["PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK"];

/// How long a connection stays up after its last use.
const KEPT_SECONDS: u32 = 600;

/// Prints the password. In this mode ssh runs the executable to ask for it.
pub fn tell_password(path: OsString) -> ExitCode {
    let told = File::open(path).and_then(|mut secret| io::copy(&mut secret, &mut io::stdout()));
    // ssh takes silence for a refusal, and reports a failed login.
    if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Begins a connection. If another process is doing so, this waits and uses that connection.
///
/// The ssh in the background holds nothing of this process: its streams are `/dev/null`, and it has a session of its
/// own.
pub(super) async fn begin(
    folder: &SshFolder,
    connection: &SshConnection,
    host: &HostAddress,
    login: &SshLogin,
    patience: Duration,
) -> Result<(), HostError> {
    let SshConnection { socket, lock } = connection;
    let locked = FileLock::acquire(lock, std::future::pending()).await;
    let _locked = locked.map_err(failed("lock", lock))?;
    if connection.is_up().await {
        return Ok(());
    }
    files::remove(socket)?;
    let refusal =
        log_in(folder, socket, host, login, patience).await.map_err(failed("run", Path::new("ssh")))?;
    match refusal {
        None => Ok(()),
        Some(words) => Err(failed_login(host, login, &folder.known_hosts(), &words)),
    }
}

/// Runs ssh until it is logged in. If it cannot log in, this returns its words.
async fn log_in(
    folder: &SshFolder,
    socket: &Path,
    host: &HostAddress,
    login: &SshLogin,
    patience: Duration,
) -> io::Result<Option<String>> {
    let secret = |secret: &Secret| SecretFile::holding(secret.expose());
    let key = login.key.as_ref().map(secret).transpose()?;
    let password = login.password.as_ref().map(secret).transpose()?;
    let host_keys = login.host_keys.as_ref().map(|keys| SecretFile::holding(keys.as_str())).transpose()?;
    let key_path = key.as_ref().map(SecretFile::path);
    let known_hosts = host_keys.as_ref().map_or_else(|| folder.known_hosts(), SecretFile::path);

    let mut command = Command::new("ssh");
    command
        .args(arguments(host, login, socket, key_path.as_deref(), &known_hosts, patience))
        .env_clear()
        .envs(INHERITED.into_iter().filter_map(|name| Some((name, env::var_os(name)?))))
        .env("LC_ALL", "C")
        .current_dir("/");
    if let Some(password) = &password {
        command
            .env(ASKPASS, password.path())
            .env("SSH_ASKPASS", env::current_exe()?)
            .env("SSH_ASKPASS_REQUIRE", "force")
            // Before OpenSSH 8.4 ssh asks the program only where there is a display and no terminal.
            .env("DISPLAY", "none");
    }
    let ended = Program::new(command, OutputMode::Errors).run_aside().await?;
    Ok(if ended.status.success() { None } else { Some(ended.complaint().into_owned()) })
}

/// The arguments of an ssh that logs in, leaves a connection in the background, and ends. They overrule the account's
/// own configuration; everything else, such as a jump host, is left to that configuration.
fn arguments(
    host: &HostAddress,
    login: &SshLogin,
    socket: &Path,
    key: Option<&Path>,
    known_hosts: &Path,
    patience: Duration,
) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["-f".into(), "-N".into(), "-T".into(), "-x".into(), "-a".into()];
    let mut option = |name: &str, value: &str| {
        arguments.push("-o".into());
        arguments.push(format!("{name}={value}").into());
    };
    option("ControlMaster", "yes");
    option("ControlPersist", &KEPT_SECONDS.to_string());
    option("ConnectTimeout", &patience.as_secs().max(1).to_string());
    // If the host falls silent, the connection ends within 15 seconds.
    option("ServerAliveInterval", "5");
    option("ServerAliveCountMax", "2");
    option("LogLevel", "ERROR");
    option("EscapeChar", "none");
    option("RemoteCommand", "none");
    option("PermitLocalCommand", "no");
    option("ClearAllForwardings", "yes");
    option("UpdateHostKeys", "no");
    option("VisualHostKey", "no");
    option("NumberOfPasswordPrompts", "1");
    // No user can answer ssh's questions; only the registered password is available.
    option("BatchMode", if login.password.is_some() { "no" } else { "yes" });
    // Registered credentials are the only ones that are tried; without any, the account's own are.
    match (&login.key, &login.password) {
        (Some(_), Some(_)) => option("PreferredAuthentications", "publickey,password,keyboard-interactive"),
        (Some(_), None) => option("PreferredAuthentications", "publickey"),
        (None, Some(_)) => option("PreferredAuthentications", "password,keyboard-interactive"),
        (None, None) => {}
    }
    if login.host_keys.is_some() {
        option("StrictHostKeyChecking", "yes");
        option("GlobalKnownHostsFile", "/dev/null");
    } else {
        option("StrictHostKeyChecking", "accept-new");
    }
    if key.is_some() {
        option("IdentitiesOnly", "yes");
        option("IdentityAgent", "none");
    }
    let mut file = |name: &str, path: &Path| {
        let mut word = OsString::from(format!("{name}="));
        word.push(path);
        arguments.extend(["-o".into(), word]);
    };
    file("ControlPath", socket);
    file("UserKnownHostsFile", known_hosts);
    if let Some(key) = key {
        file("IdentityFile", key);
    }
    arguments.extend(["-p".into(), login.port.to_string().into()]);
    arguments.extend(["-l".into(), login.user.as_str().into()]);
    arguments.extend(["--".into(), host.as_str().into()]);
    arguments
}

/// A secret in a file without a name, in memory, that ends with this process at the latest. ssh runs as the same user
/// and can open it by its path, as can every process that may read this one's memory, and no other.
#[derive(Debug)]
struct SecretFile(File);

impl SecretFile {
    fn holding(text: &str) -> io::Result<Self> {
        let file = in_memory(text.as_bytes())?;
        // ssh refuses a key that other users can read.
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(Self(file))
    }

    fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd()).into()
    }
}

/// Tells from ssh's words whether the host cannot be reached or refuses the login.
///
/// ssh has one exit code for everything, and its last words name the cause. They are not translated, and have been the
/// same for many years. If they ever change, the advice in the error gets worse, and nothing else does.
fn failed_login(host: &HostAddress, login: &SshLogin, known_hosts: &Path, said: &str) -> HostError {
    let (words, host) = (last_line(said), host.clone());
    if said.contains("Host key verification failed") {
        return wrong_host_key(host, login, known_hosts);
    }
    if words.contains("Permission denied (") || words.contains("Too many authentication failures") {
        let means = match (&login.key, &login.password) {
            (Some(_), Some(_)) => "the registered key or password",
            (Some(_), None) => "the registered key",
            (None, Some(_)) => "the registered password",
            (None, None) => "this account's own keys (neither `sshkey` nor `password` is registered)",
        };
        return HostError::LoginRefused { host, user: login.user.as_str().to_owned(), means, words };
    }
    HostError::Unreachable { host, words }
}

fn wrong_host_key(host: HostAddress, login: &SshLogin, known_hosts: &Path) -> HostError {
    let (expected, advice) = if login.host_keys.is_some() {
        (
            "`hostkeys` of the physical network has for it".to_owned(),
            "if the host was reinstalled, register its new key there".to_owned(),
        )
    } else {
        let name = if login.port == 22 { host.to_string() } else { format!("[{host}]:{}", login.port) };
        let known_hosts = known_hosts.display();
        (
            format!("the one noted in {known_hosts}"),
            format!(
                "if the host was reinstalled, forget the old key: ssh-keygen -R '{name}' -f {known_hosts}"
            ),
        )
    };
    HostError::WrongHostKey { host, expected, advice }
}
