//! What machines boot: Debian's cloud kernel and busybox, which `.ci/packages` unpacks aside.
//!
//! Unpacked and not installed: the machine that runs the tests keeps the kernel and the busybox it has.

use std::fs;
use std::path::{Path, PathBuf};

use crate::requirements;

/// Where `.ci/packages` unpacks, a folder for each package.
const ASIDE: &str = "/var/cache/netext-lab";
/// What makes network interfaces and disks of the virtio devices; each needs those before it.
const MODULES: [&str; 9] = [
    "drivers/virtio/virtio_ring.ko",
    "drivers/virtio/virtio.ko",
    "drivers/virtio/virtio_pci_modern_dev.ko",
    "drivers/virtio/virtio_pci_legacy_dev.ko",
    "drivers/virtio/virtio_pci.ko",
    "net/core/failover.ko",
    "drivers/net/net_failover.ko",
    "drivers/net/virtio_net.ko",
    "drivers/block/virtio_blk.ko",
];
/// The program that is the machines' hardware.
pub(super) const QEMU: &str = "qemu-system-x86_64";

/// The files that a machine boots with.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) kernel: PathBuf,
    /// In the order in which they load.
    pub(super) modules: Vec<PathBuf>,
    pub(super) busybox: PathBuf,
}

impl Parts {
    /// Finds them, with the modules `more`, or ends the test with what is missing; a test that could not run must
    /// not pass.
    #[track_caller]
    pub(super) fn demand(more: &[&str]) -> Self {
        match Self::find(Path::new(ASIDE), more) {
            Ok(_) if requirements::find(QEMU).is_none() => {
                panic!("no machine can boot here: no {QEMU} found (run .ci/packages)")
            }
            Ok(parts) => parts,
            Err(missing) => panic!("no machine can boot here: {missing} (run .ci/packages)"),
        }
    }

    fn find(aside: &Path, more: &[&str]) -> Result<Self, String> {
        let kernel_package = aside.join("linux-image-cloud-amd64");
        let kernel = only_entry(&kernel_package.join("boot"), "vmlinuz-")?;
        let modules = only_entry(&kernel_package.join("lib/modules"), "")?.join("kernel");
        let parts = Self {
            kernel,
            modules: MODULES.iter().chain(more).map(|name| modules.join(name)).collect(),
            busybox: aside.join("busybox-static/bin/busybox"),
        };
        let absent = parts.modules.iter().chain([&parts.busybox]).find(|file| !file.is_file());
        match absent {
            Some(file) => Err(format!("no {}", file.display())),
            None => Ok(parts),
        }
    }
}

/// The entry of `folder` whose name begins with `prefix`.
fn only_entry(folder: &Path, prefix: &str) -> Result<PathBuf, String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    found.next().map(|entry| entry.path()).ok_or_else(|| format!("no {}/{prefix}*", folder.display()))
}
