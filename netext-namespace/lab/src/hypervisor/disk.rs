//! What the host has on its disks: Debian as `.ci/packages` puts it together, and the executable.

use std::fs;
use std::path::{Path, PathBuf};

/// Debian with what the extension needs, as the image of a file system.
const ROOT: &str = "/var/cache/netext-lab/kvm-host/disk";

/// The image, or the end of the test; a test that could not run must not pass.
#[track_caller]
pub(super) fn demand() -> PathBuf {
    let root = PathBuf::from(ROOT);
    assert!(root.is_file(), "no KVM host can boot here: no {ROOT} (run .ci/packages)");
    root
}

/// The size of the executable in bytes.
#[track_caller]
pub(super) fn size_of(executable: &Path) -> u64 {
    let metadata = fs::metadata(executable);
    metadata.unwrap_or_else(|error| panic!("{}: {error}", executable.display())).len()
}
