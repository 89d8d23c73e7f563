//! The files that machines boot: Debian's cloud kernel, and a first root file system of busybox, the modules of the
//! hardware and five scripts.
//!
//! `.ci/packages` unpacks the packages aside. It does not install them: the machine that runs the tests keeps its own
//! kernel and busybox.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cpio::newc::{Builder, ModeFileType, trailer};

use crate::requirements;

/// The folder where `.ci/packages` unpacks, with a folder for each package.
const ASIDE: &str = "/var/cache/netext-lab";
/// The drivers of virtio devices; each needs those before it.
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
/// The program that emulates the hardware.
pub(super) const QEMU: &str = "qemu-system-x86_64";

/// The machine's programs that do not come from busybox.
const SCRIPTS: [(&str, &str); 5] = [
    ("init", include_str!("image/init")),
    ("bin/carry-out", include_str!("image/carry-out")),
    ("bin/greet", include_str!("image/greet")),
    ("bin/hear", include_str!("image/hear")),
    ("bin/lease", include_str!("image/lease")),
];
const FOLDERS: [&str; 7] = ["bin", "dev", "etc", "modules", "proc", "sys", "tmp"];

/// The files that a machine boots with.
#[derive(Debug)]
pub(super) struct BootFiles {
    pub(super) kernel: PathBuf,
    /// In the order in which they load.
    pub(super) modules: Vec<PathBuf>,
    pub(super) busybox: PathBuf,
}

impl BootFiles {
    /// Finds the files, with the modules `more`, or ends the test with the missing file: a test that cannot run must
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

    /// The first root file system of the machine `name`, as the cpio archive that the kernel unpacks.
    pub(super) fn archive(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut archive = Vec::new();
        for folder in FOLDERS {
            let entry = Builder::new(folder).mode(0o755).set_mode_file_type(ModeFileType::Directory);
            entry.write(&mut archive, 0).finish()?;
        }
        file(&mut archive, "bin/busybox", &fs::read(&self.busybox)?)?;
        for (number, module) in self.modules.iter().enumerate() {
            // They load in the order of their names.
            file(&mut archive, &format!("modules/{number:02}.ko"), &fs::read(module)?)?;
        }
        for (path, script) in SCRIPTS {
            file(&mut archive, path, script.as_bytes())?;
        }
        file(&mut archive, "etc/hostname", name.as_bytes())?;
        trailer(&mut archive)?;
        Ok(archive)
    }
}

fn file(archive: &mut Vec<u8>, path: &str, content: &[u8]) -> io::Result<()> {
    let length = u32::try_from(content.len()).map_err(io::Error::other)?;
    let entry = Builder::new(path).mode(0o755).set_mode_file_type(ModeFileType::Regular);
    let mut writer = entry.write(archive, length);
    writer.write_all(content)?;
    writer.finish().map(|_| ())
}

/// The entry of `folder` whose name begins with `prefix`.
fn only_entry(folder: &Path, prefix: &str) -> Result<PathBuf, String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    found.next().map(|entry| entry.path()).ok_or_else(|| format!("no {}/{prefix}*", folder.display()))
}
