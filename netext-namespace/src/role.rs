//! Which of its two roles the executable plays.

use std::ffi::OsStr;
use std::path::Path;

/// Where the executable runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// On the management server: it carries commands to the hosts.
    Proxy,
    /// On a KVM host: it does what they say.
    Host,
}

/// A value of `NETEXT_ROLE` that is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("NETEXT_ROLE is {0:?}; it must be host or proxy")]
pub struct UnknownRole(String);

impl Role {
    /// The role that `NETEXT_ROLE` names, else the one that the executable is deployed for: on a host it is
    /// called `<extension>-wrapper.sh`.
    pub fn choose(variable: Option<&OsStr>, called: &OsStr) -> Result<Self, UnknownRole> {
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
    fn the_name_that_it_is_called_by_tells_the_role() {
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
