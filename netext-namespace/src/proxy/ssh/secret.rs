//! Secrets on their way to ssh.

use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use netext_protocol::Secret;

use crate::programs::in_memory;

/// A file without a name, in memory, that ends with this process at the latest. Whoever may read this process'
/// own memory can open it by the path, and nobody else: ssh runs as the same user.
#[derive(Debug)]
pub(super) struct SecretFile(File);

impl SecretFile {
    pub(super) fn holding(text: &str) -> io::Result<Self> {
        let file = in_memory(text.as_bytes())?;
        // ssh takes no key that others could read.
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(Self(file))
    }

    pub(super) fn of(secret: &Secret) -> io::Result<Self> {
        Self::holding(secret.expose())
    }

    pub(super) fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd()).into()
    }
}
