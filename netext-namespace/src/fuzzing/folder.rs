//! A folder in memory for checks that need files.

use std::path::{Path, PathBuf};

/// A folder in memory that is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// The folder of the check `name` of this process.
    pub(super) fn new(name: &str) -> Self {
        let path = Path::new("/dev/shm").join(format!("netext-fuzz-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder in memory");
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
