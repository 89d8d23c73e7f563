//! The hosts that an operator registered, how to log in to them, and which executable to run there.

use netext_core::DeviceError;
use netext_protocol::{PhysicalDetails, Secret};

use super::remote::{HostAddress, HostKeys, RemotePath, UserName};

/// A detail of the physical network that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("physical-network-extension-details.{detail}: {problem}")]
pub struct InvalidFleet {
    detail: &'static str,
    problem: String,
}

fn invalid(detail: &'static str, problem: impl Into<String>) -> InvalidFleet {
    InvalidFleet { detail, problem: problem.into() }
}

impl From<InvalidFleet> for DeviceError {
    fn from(error: InvalidFleet) -> Self {
        Self::invalid(error)
    }
}

/// How to log in to every host.
#[derive(Clone, Debug)]
pub struct SshLogin {
    /// The account.
    pub user: UserName,
    /// The SSH port.
    pub port: u16,
    /// The account's private key in PEM.
    pub key: Option<Secret>,
    /// The account's password.
    pub password: Option<Secret>,
    /// The only keys that the hosts may have; without them the first key that a host shows is trusted.
    pub host_keys: Option<HostKeys>,
}

/// The registered hosts, how to log in to them, and which executable to run there.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The hosts, each once, in the order in which they are registered.
    pub hosts: Vec<HostAddress>,
    /// How to log in to each of them.
    pub login: SshLogin,
    /// The executable on every host.
    pub path: RemotePath,
    /// Whether a second host keeps a replica of every router.
    pub standby: bool,
}

impl Fleet {
    /// The fleet that is registered. The path of the executable on the hosts is the detail `remote.path`, else
    /// `overridden`, else where the extension is deployed.
    pub fn registered(
        details: &PhysicalDetails,
        extension: &str,
        overridden: Option<&str>,
    ) -> Result<Self, InvalidFleet> {
        let mut hosts: Vec<HostAddress> = Vec::new();
        for host in details.hosts() {
            let host = host.parse().map_err(|problem: String| invalid("hosts", problem))?;
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        let user = details.username().map_or("root", str::trim);
        let port = details.port().map_err(|error| invalid("port", error.to_string()))?.unwrap_or(22);
        if port == 0 {
            return Err(invalid("port", "no host listens on port 0"));
        }
        let host_keys = details.get("hostkeys").map(str::parse).transpose();
        let login = SshLogin {
            user: user.parse().map_err(|problem: String| invalid("username", problem))?,
            port,
            key: details.ssh_key().map(as_ssh_reads),
            password: details.password().cloned(),
            host_keys: host_keys.map_err(|problem| invalid("hostkeys", problem))?,
        };
        let path = match details.get("remote.path").map(str::trim).or(overridden) {
            Some(path) => path.parse(),
            None => RemotePath::of_extension(extension),
        };
        let path = path.map_err(|problem: String| {
            invalid("remote.path", format!("{problem}; it can also be set in NETEXT_REMOTE_PATH"))
        })?;
        let standby = match details.get("standby").map(str::trim) {
            None => true,
            Some("none") => false,
            Some(other) => return Err(invalid("standby", format!("{other:?} is not `none`"))),
        };
        Ok(Self { hosts, login, path, standby })
    }
}

/// The key with a line feed after every line, as OpenSSH requires.
fn as_ssh_reads(key: Secret) -> Secret {
    let mut lines = String::with_capacity(key.expose().len() + 1);
    for line in key.expose().trim().lines() {
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    lines.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet(details: &[(&str, &str)]) -> Result<Fleet, String> {
        let details =
            details.iter().map(|(name, value)| ((*name).to_owned(), Secret::from(*value))).collect();
        Fleet::registered(&details, "acme", None).map_err(|error| error.to_string())
    }

    #[test]
    fn a_fleet_has_the_registered_hosts() {
        let fleet =
            fleet(&[("hosts", " kvm1.example.org, 192.0.2.11,2001:db8::7,192.0.2.11 "), ("port", "2222")])
                .unwrap();
        let hosts: Vec<_> = fleet.hosts.iter().map(HostAddress::as_str).collect();
        assert_eq!(hosts, ["kvm1.example.org", "192.0.2.11", "2001:db8::7"]);
        assert_eq!((fleet.login.user.as_str(), fleet.login.port), ("root", 2222));
        assert_eq!(fleet.path.as_str(), "/etc/cloudstack/extensions/acme/acme-wrapper.sh");
    }

    #[test]
    fn words_that_ssh_or_a_shell_could_misread_are_refused() {
        for host in ["-oProxyCommand=reboot", "a b", "root@kvm1", "kvm1;reboot", "$(reboot)", "a..b", "[::1]"]
        {
            let error = fleet(&[("hosts", host)]).unwrap_err();
            assert!(error.contains("details.hosts") && error.contains(&format!("{host:?}")), "{error}");
        }
        for (detail, value) in [
            ("username", "-lroot"),
            ("username", "a b"),
            ("username", "a;b"),
            ("port", "0"),
            ("port", "-1"),
            ("port", "65536"),
            ("port", "22 -v"),
            ("remote.path", "relative/path"),
            ("remote.path", "-/path"),
            ("remote.path", "/path with space"),
            ("remote.path", "/path;reboot"),
            ("remote.path", "/p\n/q"),
            ("remote.path", "/$HOME"),
            ("hostkeys", "kvm1 AAAAC3NzaC1"),
        ] {
            let error = fleet(&[("hosts", "kvm1"), (detail, value)]).unwrap_err();
            assert!(error.contains(&format!("details.{detail}")), "{error}");
        }
    }

    #[test]
    fn a_key_reaches_ssh_in_the_form_that_it_reads() {
        let expected = "-----BEGIN K-----\nabc\n-----END K-----\n";
        for sent in [
            "-----BEGIN K-----\nabc\n-----END K-----\n",
            "-----BEGIN K-----\\nabc\\n-----END K-----",
            "-----BEGIN K-----\r\nabc\r\n-----END K-----\r\n",
        ] {
            let fleet = fleet(&[("hosts", "kvm1"), ("sshkey", sent)]).unwrap();
            assert_eq!(fleet.login.key.unwrap().expose(), expected);
        }
    }
}
