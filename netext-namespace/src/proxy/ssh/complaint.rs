//! What ssh says when it cannot log in. It has one exit code for everything, so its words must tell a host that
//! cannot be reached from one that does not let us in. They are not translated, and have been these for many years;
//! if they ever change, the worst that follows is less good advice.

use crate::programs::last_line;
use crate::proxy::error::HostError;
use crate::proxy::target::{Host, Login};

/// Makes an error of what ssh said; the cause it says last.
pub(super) fn understand(host: &Host, login: &Login, known_hosts: &str, said: &str) -> HostError {
    let (words, host) = (last_line(said), host.to_string());
    if said.contains("Host key verification failed") {
        return not_the_same(host, login, known_hosts);
    }
    if words.contains("Permission denied (") || words.contains("Too many authentication failures") {
        let means = match (&login.key, &login.password) {
            (Some(_), Some(_)) => "the registered key or password",
            (Some(_), None) => "the registered key",
            (None, Some(_)) => "the registered password",
            (None, None) => "this account's own keys (neither `sshkey` nor `password` is registered)",
        };
        return HostError::NotAdmitted { host, user: login.user.as_str().to_owned(), means, words };
    }
    HostError::Unreachable { host, words }
}

fn not_the_same(host: String, login: &Login, known_hosts: &str) -> HostError {
    if login.host_keys.is_some() {
        return HostError::NotTheSame {
            expected: "`hostkeys` of the physical network has for it".to_owned(),
            advice: "if the host was installed anew, register its new key there".to_owned(),
            host,
        };
    }
    let name = if login.port == 22 { host.clone() } else { format!("[{host}]:{}", login.port) };
    HostError::NotTheSame {
        expected: format!("the one noted in {known_hosts}"),
        advice: format!(
            "if the host was installed anew, forget the old key: ssh-keygen -R '{name}' -f {known_hosts}"
        ),
        host,
    }
}
