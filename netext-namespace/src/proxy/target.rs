//! Where the hosts are and how one gets in: what the operator registered, as types that cannot hold what is
//! dangerous on ssh's command line.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use netext_protocol::{HostName, PhysicalDetails, Secret};

/// A detail of the physical network that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("physical-network-extension-details.{detail}: {problem}")]
pub struct InvalidTarget {
    detail: &'static str,
    problem: String,
}

fn invalid(detail: &'static str, problem: impl Into<String>) -> InvalidTarget {
    InvalidTarget { detail, problem: problem.into() }
}

/// A host by its address or its name in the DNS. It does not start with `-`, and holds nothing but letters,
/// digits, `.`, `-`, `_` and, in an IPv6 address, `:`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(String);

impl Host {
    /// The host as ssh takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.parse::<IpAddr>().is_ok() {
            return Ok(Self(text.to_owned()));
        }
        match text.parse::<HostName>() {
            Ok(name) => Ok(Self(name.as_str().to_owned())),
            Err(_) => Err(format!("{text:?} is neither an address nor a host name")),
        }
    }
}

/// An account on the hosts: letters, digits, `.`, `_`, `-` and `@`, not starting with `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserName(String);

impl UserName {
    /// The account as ssh takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it may do everything.
    pub fn is_root(&self) -> bool {
        self.0 == "root"
    }
}

impl FromStr for UserName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-') {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("{text:?} is not the name of an account"))
    }
}

/// The executable on the hosts: an absolute path of letters, digits and `/._+@-`. To a shell it is one plain word.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RemotePath(String);

impl RemotePath {
    /// Where an extension's executable is deployed to.
    pub fn of_extension(extension: &str) -> Result<Self, String> {
        format!("/etc/cloudstack/extensions/{extension}/{extension}-wrapper.sh").parse()
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder that it lies in.
    pub fn folder(&self) -> Self {
        Self(match self.0.rsplit_once('/') {
            Some((folder, _)) if !folder.is_empty() => folder.to_owned(),
            _ => "/".to_owned(),
        })
    }

    /// Its name in that folder.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Where what shall take its place is written; every number is another file.
    pub fn draft(&self, number: u64) -> Self {
        Self(format!("{self}.{number:016x}.new"))
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for RemotePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/._+@-".contains(&byte);
        if text.starts_with('/') && text.len() <= 1024 && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("{text:?} is not an absolute path of letters, digits and /._+@-"))
    }
}

/// The keys that hosts may have: lines as they stand in `known_hosts`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostKeys(String);

impl HostKeys {
    /// The lines.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostKeys {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.replace("\\n", "\n");
        let mut lines = String::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let words = line.split_whitespace().skip_while(|word| word.starts_with('@'));
            if words.count() < 3 {
                return Err(format!("{line:?} is not \"<hosts> <key type> <key>\", as in known_hosts"));
            }
            lines.push_str(line);
            lines.push('\n');
        }
        Ok(Self(lines))
    }
}

/// How one gets into every host.
#[derive(Clone, Debug)]
pub struct Login {
    /// The account.
    pub user: UserName,
    /// The SSH port.
    pub port: u16,
    /// The account's private key in PEM.
    pub key: Option<Secret>,
    /// The account's password.
    pub password: Option<Secret>,
    /// The only keys that the hosts may have; without them the first that a host shows is believed.
    pub host_keys: Option<HostKeys>,
}

/// The hosts that are registered, how one gets in, and what to run there.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The hosts, each once, in the order in which they are registered.
    pub hosts: Vec<Host>,
    /// How one gets in.
    pub login: Login,
    /// The executable on every host.
    pub path: RemotePath,
    /// Whether routers are copied to a second host.
    pub standby: bool,
}

impl Fleet {
    /// What is registered. The path of the executable on the hosts is the detail `remote.path`, else
    /// `overridden`, else where the extension is deployed to.
    pub fn registered(
        details: &PhysicalDetails,
        extension: &str,
        overridden: Option<&str>,
    ) -> Result<Self, InvalidTarget> {
        let mut hosts: Vec<Host> = Vec::new();
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
        let login = Login {
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
            invalid("remote.path", format!("{problem}; it may also stand in NETEXT_REMOTE_PATH"))
        })?;
        let standby = match details.get("standby").map(str::trim) {
            None => true,
            Some("none") => false,
            Some(other) => return Err(invalid("standby", format!("{other:?} is not `none`"))),
        };
        Ok(Self { hosts, login, path, standby })
    }
}

/// OpenSSH wants line feeds, the last line's included.
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
    fn a_fleet_is_what_is_registered() {
        let fleet =
            fleet(&[("hosts", " kvm1.example.org, 192.0.2.11,2001:db8::7,192.0.2.11 "), ("port", "2222")])
                .unwrap();
        let hosts: Vec<_> = fleet.hosts.iter().map(Host::as_str).collect();
        assert_eq!(hosts, ["kvm1.example.org", "192.0.2.11", "2001:db8::7"]);
        assert_eq!((fleet.login.user.as_str(), fleet.login.port), ("root", 2222));
        assert_eq!(fleet.path.as_str(), "/etc/cloudstack/extensions/acme/acme-wrapper.sh");
    }

    #[test]
    fn nothing_that_ssh_or_a_shell_could_misread_gets_in() {
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
    fn a_key_reaches_ssh_as_it_reads_keys_however_it_was_sent() {
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
