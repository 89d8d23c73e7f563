//! The name of the extension and the places of its files.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The extension's name and paths. CloudStack deploys an extension as a folder, whose name is the extension's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionPlaces {
    /// The extension's name.
    pub extension: String,
    /// The folder of the state: `/var/lib/cloudstack/<extension>`, or below `NETEXT_STATE_ROOT`.
    pub state: PathBuf,
    /// The log: `/var/log/cloudstack/extensions/<extension>/<extension>.log`, or below `NETEXT_LOG_ROOT`.
    pub log: PathBuf,
}

impl ExtensionPlaces {
    /// The places for this executable and its environment.
    pub fn of_this_process() -> Self {
        let executable = env::current_exe().unwrap_or_default();
        Self::of(&executable, |variable| env::var_os(variable))
    }

    fn of(executable: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let folder = executable.parent().and_then(Path::file_name);
        let extension =
            folder.map_or_else(|| "netext-namespace".into(), |name| name.to_string_lossy().into_owned());
        let root = |name, default: &str| variable(name).map_or_else(|| default.into(), PathBuf::from);
        Self {
            state: root("NETEXT_STATE_ROOT", "/var/lib/cloudstack").join(&extension),
            log: root("NETEXT_LOG_ROOT", "/var/log/cloudstack/extensions")
                .join(&extension)
                .join(format!("{extension}.log")),
            extension,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_has_the_name_of_its_folder() {
        let places =
            ExtensionPlaces::of(Path::new("/etc/cloudstack/extensions/acme/acme-wrapper.sh"), |_| None);
        assert_eq!(places.extension, "acme");
        assert_eq!(places.state, Path::new("/var/lib/cloudstack/acme"));
        assert_eq!(places.log, Path::new("/var/log/cloudstack/extensions/acme/acme.log"));
    }

    #[test]
    fn the_environment_moves_the_roots() {
        let places =
            ExtensionPlaces::of(Path::new("/x/acme/acme.sh"), |name| Some(format!("/tmp/{name}").into()));
        assert_eq!(places.state, Path::new("/tmp/NETEXT_STATE_ROOT/acme"));
        assert_eq!(places.log, Path::new("/tmp/NETEXT_LOG_ROOT/acme/acme.log"));
    }
}
