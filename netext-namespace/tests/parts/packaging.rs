//! The files that are installed beside the executable.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::mount::{MountFlags, mount, mount_bind};

use crate::throwaway::{host, sh, try_sh};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/systemd");
/// Restores routers after a reboot.
const ROUTERS: &str = "netext-namespace";
/// Looks after daemons.
const DAEMONS: &str = "netext-namespace-daemons";

/// The text of a unit for the extension `acme`.
fn unit(name: &str) -> String {
    let text = fs::read_to_string(format!("{FOLDER}/{name}@.service")).expect("a unit");
    text.replace("%i", "acme")
}

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
    let units = [ROUTERS, DAEMONS].map(|name| {
        let unit = format!("/mnt/{name}@acme.service");
        fs::copy(format!("{FOLDER}/{name}@.service"), &unit).unwrap();
        unit
    });
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(units).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    // It also reports on other units of this machine.
    let of_ours: Vec<_> = said.lines().filter(|line| line.contains("netext-namespace")).collect();
    assert!(verified.status.success() && of_ours.is_empty(), "{said}");
}

#[test]
fn the_units_command_is_one_of_the_executables() {
    let wrapper = install();
    let unit = unit(ROUTERS);
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let words: Vec<_> = command.split(' ').collect();
    assert_eq!(Path::new(words[0]), wrapper);
    let ran =
        Command::new(words[0]).args(&words[1..]).env("NETEXT_STATE_ROOT", "/mnt/state").output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(String::from_utf8_lossy(&ran.stdout).starts_with("0 routers"), "{ran:?}");
}

#[test]
fn the_unit_for_daemons_runs_the_executable_again_and_again() {
    let wrapper = install();
    let unit = unit(DAEMONS).replace("\\\n", " ");
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    // systemd quotes as the shell does here.
    let (loops, run) = ("sleep 10", "sleep 0.01; echo again");
    assert!(command.contains(loops) && command.ends_with(wrapper.to_str().unwrap()), "{command}");
    let command = command.replace(loops, run);
    let (_, printed) = try_sh(&format!("NETEXT_STATE_ROOT=/mnt/state timeout 2 {command}"));
    let again = printed.lines().filter(|line| *line == "again").count();
    assert!(again > 2 && again == printed.lines().count(), "{printed}");
}
