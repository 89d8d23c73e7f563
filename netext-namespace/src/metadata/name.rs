//! The names of metadata files.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// As long as file systems allow.
const LONGEST: usize = 255;
/// What the management server calls the file with the hypervisor's name.
const HYPERVISOR: &str = "hypervisor-host-name";

/// The name of a metadata file: what stands after `/latest/meta-data/`.
///
/// It can be put into a path, a listing or a message as it is: it holds no slash, no `..`, no white space or
/// control character and nothing that an address would have to escape.
///
/// ```
/// use netext_namespace::metadata::FileName;
///
/// let name: FileName = "local-hostname".parse()?;
/// assert_eq!(name.as_ref(), "local-hostname");
/// assert!("../10.1.1.11".parse::<FileName>().is_err());
/// # Ok::<(), netext_namespace::metadata::InvalidFileName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(String);

/// A text that names no metadata file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot name a metadata file: 1 to 255 letters, digits, '-', '_', '.', ':', '@' or '+', not starting with '.' \
     and without '..'"
)]
pub struct InvalidFileName(String);

impl FileName {
    /// The file with the name of the instance's hypervisor.
    pub fn hypervisor() -> Self {
        Self(HYPERVISOR.to_owned())
    }
}

impl FromStr for FileName {
    type Err = InvalidFileName;

    fn from_str(text: &str) -> Result<Self, InvalidFileName> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@+".contains(&byte);
        if text.is_empty()
            || text.len() > LONGEST
            || text.starts_with('.')
            || text.contains("..")
            || !text.bytes().all(is_allowed)
        {
            return Err(InvalidFileName(text.chars().take(LONGEST).collect()));
        }
        Ok(match text {
            // The first is what the bash reference saves, the second what the command's field is called.
            "hypervisor-hostname" | "hypervisor_hostname" => Self::hypervisor(),
            name => Self(name.to_owned()),
        })
    }
}

impl TryFrom<String> for FileName {
    type Error = InvalidFileName;

    fn try_from(text: String) -> Result<Self, InvalidFileName> {
        text.parse()
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

impl AsRef<str> for FileName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
