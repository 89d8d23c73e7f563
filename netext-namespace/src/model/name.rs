//! Names that the kernel and the file system will accept.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The kernel's `IFNAMSIZ` less its closing zero byte.
const LONGEST_INTERFACE_NAME: usize = 15;
/// Ours: namespaces are files under `/run/netns`, and people type their names.
const LONGEST_NAMESPACE_NAME: usize = 64;

/// Why a name was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a name that the kernel takes for an interface.
    #[error(
        "{0:?} cannot name an interface: 1 to 15 bytes, without '/', ':', '%' or white space, and not '.' or '..'"
    )]
    Interface(String),
    /// Not a name that we take for a namespace.
    #[error(
        "{0:?} cannot name a namespace: 1 to 64 letters, digits, '-', '_' or '.', not starting with '.' or '-'"
    )]
    Namespace(String),
}

/// Name of a network interface, of the form that the kernel accepts.
///
/// ```
/// use netext_namespace::model::InterfaceName;
///
/// let bridge: InterfaceName = "breth1-100".parse()?;
/// assert_eq!(bridge.as_ref(), "breth1-100");
/// assert!("an-interface-name-too-long".parse::<InterfaceName>().is_err());
/// # Ok::<(), netext_namespace::model::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InterfaceName(String);

/// Name of a network namespace, that is of a file under `/run/netns`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamespaceName(String);

fn names_an_interface(name: &str) -> bool {
    // The kernel refuses '/', ':' and white space; '%' makes it a pattern (`eth%d`) that it numbers itself.
    let forbidden = |c: char| matches!(c, '/' | ':' | '%') || c.is_whitespace() || c.is_control();
    (1..=LONGEST_INTERFACE_NAME).contains(&name.len())
        && !matches!(name, "." | "..")
        && !name.contains(forbidden)
}

fn names_a_namespace(name: &str) -> bool {
    (1..=LONGEST_NAMESPACE_NAME).contains(&name.len())
        && !name.starts_with(['.', '-'])
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

macro_rules! name_type {
    ($name:ident, $accepts:ident, $error:ident) => {
        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(name: String) -> Result<Self, NameError> {
                if $accepts(&name) { Ok(Self(name)) } else { Err(NameError::$error(name)) }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = NameError;

            fn try_from(name: &str) -> Result<Self, NameError> {
                Self::try_from(name.to_owned())
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::try_from(name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name_type!(InterfaceName, names_an_interface, Interface);
name_type!(NamespaceName, names_a_namespace, Namespace);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interface_names_are_what_the_kernel_takes() {
        for good in ["eth1", "breth1-100", "eth1.100", "vpn-1000-123456", "é-7"] {
            assert!(InterfaceName::try_from(good).is_ok(), "{good}");
        }
        for bad in
            ["", ".", "..", "a/b", "a b", "a\tb", "a:1", "eth%d", "a\u{7f}", "sixteen-bytes-xx", "éééééééé"]
        {
            assert!(InterfaceName::try_from(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn namespace_names_stay_inside_their_folder() {
        for good in ["cs-net-42", "cs-vpc-7", "a.b_c", &"x".repeat(64)] {
            assert!(NamespaceName::try_from(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", ".hidden", "-n", "a/b", "a b", "é", &"x".repeat(65)] {
            assert!(NamespaceName::try_from(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_are_checked_when_they_are_read_back() {
        let name: InterfaceName = serde_json::from_str("\"br0\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"br0\"");
        assert!(serde_json::from_str::<InterfaceName>("\"../x\"").is_err());
        assert!(serde_json::from_str::<NamespaceName>("\"../x\"").is_err());
    }
}
