//! How ssh is told to begin a connection. What stands here overrules the account's own configuration; what does not
//! (such as a jump host) is the operator's to say there.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::proxy::target::{Host, Login};

/// How long a connection stays up after its last use.
const KEPT_SECONDS: u32 = 600;

/// The files that ssh reads while it begins a connection.
#[derive(Debug)]
pub(super) struct Files<'a> {
    pub(super) socket: &'a Path,
    pub(super) key: Option<&'a Path>,
    pub(super) known_hosts: &'a Path,
}

/// The arguments of an ssh that logs in, leaves a connection in the background for others to use, and ends.
pub(super) fn begin(host: &Host, login: &Login, files: &Files<'_>, patience: Duration) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["-f".into(), "-N".into(), "-T".into(), "-x".into(), "-a".into()];
    let mut option = |name: &str, value: &str| {
        arguments.push("-o".into());
        arguments.push(format!("{name}={value}").into());
    };
    option("ControlMaster", "yes");
    option("ControlPersist", &KEPT_SECONDS.to_string());
    option("ConnectTimeout", &patience.as_secs().max(1).to_string());
    // A host that went silent ends its connection by itself, within 15 seconds.
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
    // Nobody is there to be asked, except for the password that is registered.
    option("BatchMode", if login.password.is_some() { "no" } else { "yes" });
    if let Some(methods) = methods(login) {
        option("PreferredAuthentications", methods);
    }
    if login.host_keys.is_some() {
        option("StrictHostKeyChecking", "yes");
        option("GlobalKnownHostsFile", "/dev/null");
    } else {
        option("StrictHostKeyChecking", "accept-new");
    }
    if files.key.is_some() {
        option("IdentitiesOnly", "yes");
        option("IdentityAgent", "none");
    }
    let mut file = |name: &str, path: &Path| {
        let mut word = OsString::from(format!("{name}="));
        word.push(path);
        arguments.extend(["-o".into(), word]);
    };
    file("ControlPath", files.socket);
    file("UserKnownHostsFile", files.known_hosts);
    if let Some(key) = files.key {
        file("IdentityFile", key);
    }
    arguments.extend(["-p".into(), login.port.to_string().into()]);
    arguments.extend(["-l".into(), login.user.as_str().into()]);
    arguments.extend(["--".into(), host.as_str().into()]);
    arguments
}

/// What is registered is what is tried; where nothing is, whatever the account has.
fn methods(login: &Login) -> Option<&'static str> {
    match (&login.key, &login.password) {
        (Some(_), Some(_)) => Some("publickey,password,keyboard-interactive"),
        (Some(_), None) => Some("publickey"),
        (None, Some(_)) => Some("password,keyboard-interactive"),
        (None, None) => None,
    }
}
