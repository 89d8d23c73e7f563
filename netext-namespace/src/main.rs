//! One executable with two roles: on the management server it sends commands to the hosts, on a KVM host it carries them
//! out. Its first argument can select a mode instead: the host's end of the relay, the metadata server for instances,
//! or a command for operators. ssh runs it to ask for a password.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use netext_core::{DeviceError, Runner};
use netext_namespace::host::HostDevice;
use netext_namespace::metadata::server;
use netext_namespace::operator;
use netext_namespace::places::ExtensionPlaces;
use netext_namespace::proxy::Proxy;
use netext_namespace::proxy::ssh::login;
use netext_namespace::relay;
use netext_namespace::store::Store;

fn main() -> ExitCode {
    if let Some(secret) = env::var_os(login::ASKPASS) {
        return login::tell_password(secret);
    }
    let arguments: Vec<OsString> = env::args_os().collect();
    let mode = arguments.get(1).and_then(|word| word.to_str()).unwrap_or_default();
    match (mode, arguments.get(2..).unwrap_or_default()) {
        (relay::MODE, []) => relay::serve::run(ExtensionPlaces::of_this_process()),
        (server::MODE, [configuration]) => server::run(Path::new(configuration)),
        (server::START_MODE, [configuration, pid_file]) => {
            server::start(Path::new(configuration), Path::new(pid_file))
        }
        _ if operator::COMMANDS.contains(&mode) => operator::run(&arguments),
        _ => extension(&arguments),
    }
}

fn extension(arguments: &[OsString]) -> ExitCode {
    netext_core::main_with(|| {
        let called = arguments.first().map(OsString::as_os_str).unwrap_or_default();
        let role =
            Role::choose(env::var_os("NETEXT_ROLE").as_deref(), called).map_err(DeviceError::invalid)?;
        let places = ExtensionPlaces::of_this_process();
        let host = HostDevice::new(Store::new(places.state.clone()));
        let log = places.log.clone();
        let runner = match role {
            Role::Host => Runner::new(host),
            Role::Proxy => Runner::new(Proxy::new(host, places, remote_path())),
        };
        Ok(runner.log_file(log))
    })
}

/// The path of the executable on the hosts, if the environment names it. An unusable path is refused where it is needed.
fn remote_path() -> Option<String> {
    let path = env::var_os("NETEXT_REMOTE_PATH").filter(|path| !path.is_empty())?;
    Some(path.to_string_lossy().into_owned())
}

/// The role of the executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// On the management server: it sends commands to the hosts.
    Proxy,
    /// On a KVM host: it carries them out.
    Host,
}

/// A value of `NETEXT_ROLE` that is not a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("NETEXT_ROLE is {0:?}; it must be host or proxy")]
struct UnknownRole(String);

impl Role {
    /// The role that `NETEXT_ROLE` names, else the one of the executable's name: on a host it is called
    /// `<extension>-wrapper.sh`.
    fn choose(variable: Option<&OsStr>, called: &OsStr) -> Result<Self, UnknownRole> {
        match variable.map(OsStr::to_string_lossy).as_deref() {
            Some("host") => return Ok(Self::Host),
            Some("proxy") => return Ok(Self::Proxy),
            Some("") | None => {}
            Some(other) => return Err(UnknownRole(other.to_owned())),
        }
        let name = Path::new(called).file_name().unwrap_or_default().to_string_lossy();
        let is_wrapper = name.ends_with("-wrapper.sh") || name.ends_with("-wrapper");
        Ok(if is_wrapper { Self::Host } else { Self::Proxy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(variable: Option<&str>, called: &str) -> Result<Role, UnknownRole> {
        Role::choose(variable.map(OsStr::new), OsStr::new(called))
    }

    #[test]
    fn the_name_of_the_executable_decides_the_role() {
        assert_eq!(choose(None, "/etc/cloudstack/extensions/acme/acme-wrapper.sh"), Ok(Role::Host));
        assert_eq!(choose(None, "acme-wrapper"), Ok(Role::Host));
        assert_eq!(choose(None, "/usr/share/cloudstack-management/extensions/acme/acme.sh"), Ok(Role::Proxy));
    }

    #[test]
    fn the_environment_overrules_the_name() {
        assert_eq!(choose(Some("host"), "acme.sh"), Ok(Role::Host));
        assert_eq!(choose(Some("proxy"), "acme-wrapper.sh"), Ok(Role::Proxy));
        assert_eq!(choose(Some(""), "acme-wrapper.sh"), Ok(Role::Host));
        assert!(choose(Some("hots"), "acme.sh").is_err());
    }
}
