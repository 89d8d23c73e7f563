//! The first root file system of a machine: busybox, the modules of its hardware and five scripts, as the cpio
//! archive that the kernel unpacks.

use std::fs;
use std::io::{self, Write};

use cpio::newc::{Builder, ModeFileType, trailer};

use super::parts::Parts;

/// The programs of the machine that are not busybox's.
const SCRIPTS: [(&str, &str); 5] = [
    ("init", include_str!("image/init")),
    ("bin/carry-out", include_str!("image/carry-out")),
    ("bin/greet", include_str!("image/greet")),
    ("bin/hear", include_str!("image/hear")),
    ("bin/lease", include_str!("image/lease")),
];
const FOLDERS: [&str; 7] = ["bin", "dev", "etc", "modules", "proc", "sys", "tmp"];

/// The archive for a machine that calls itself `name`.
pub(super) fn archive(parts: &Parts, name: &str) -> io::Result<Vec<u8>> {
    let mut archive = Vec::new();
    for folder in FOLDERS {
        let entry = Builder::new(folder).mode(0o755).set_mode_file_type(ModeFileType::Directory);
        entry.write(&mut archive, 0).finish()?;
    }
    file(&mut archive, "bin/busybox", &fs::read(&parts.busybox)?)?;
    for (number, module) in parts.modules.iter().enumerate() {
        // Loaded in the order of their names.
        file(&mut archive, &format!("modules/{number:02}.ko"), &fs::read(module)?)?;
    }
    for (path, script) in SCRIPTS {
        file(&mut archive, path, script.as_bytes())?;
    }
    file(&mut archive, "etc/hostname", name.as_bytes())?;
    trailer(&mut archive)?;
    Ok(archive)
}

fn file(archive: &mut Vec<u8>, path: &str, content: &[u8]) -> io::Result<()> {
    let length = u32::try_from(content.len()).map_err(io::Error::other)?;
    let entry = Builder::new(path).mode(0o755).set_mode_file_type(ModeFileType::Regular);
    let mut writer = entry.write(archive, length);
    writer.write_all(content)?;
    writer.finish().map(|_| ())
}
