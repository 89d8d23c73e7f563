//! The files that are installed beside the executable.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::mount::{MountFlags, mount, mount_bind};

use crate::throwaway::{host, sh, try_sh};

const UNIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/systemd/netext-namespace@.service");

/// The extension `acme` where a package puts it, on a host to throw away.
fn install() -> PathBuf {
    host();
    let folder = Path::new("/etc/cloudstack/extensions/acme");
    mount("tmpfs", "/mnt", "tmpfs", MountFlags::empty(), None).unwrap();
    sh("cp -a /etc /mnt/etc && mount --bind /mnt/etc /etc");
    fs::create_dir_all(folder).unwrap();
    let wrapper = folder.join("acme-wrapper.sh");
    fs::write(&wrapper, "").unwrap();
    mount_bind(env!("CARGO_BIN_EXE_netext-namespace"), &wrapper).unwrap();
    wrapper
}

#[test]
fn systemd_understands_the_unit() {
    assert!(try_sh("command -v systemd-analyze").0, "systemd-analyze is missing: run .ci/packages");
    install();
    let unit = "/mnt/netext-namespace@acme.service";
    fs::copy(UNIT, unit).unwrap();
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no", unit]).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    // It also reports on other units of this machine.
    let of_ours: Vec<_> = said.lines().filter(|line| line.contains("netext-namespace")).collect();
    assert!(verified.status.success() && of_ours.is_empty(), "{said}");
}

#[test]
fn the_units_command_is_one_of_the_executables() {
    let wrapper = install();
    let unit = fs::read_to_string(UNIT).unwrap();
    let command =
        unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap().replace("%i", "acme");
    let words: Vec<_> = command.split(' ').collect();
    assert_eq!(Path::new(words[0]), wrapper);
    let ran =
        Command::new(words[0]).args(&words[1..]).env("NETEXT_STATE_ROOT", "/mnt/state").output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(String::from_utf8_lossy(&ran.stdout).starts_with("0 routers"), "{ran:?}");
}
