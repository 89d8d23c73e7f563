//! A KVM host with its own kernel, for tests that a namespace cannot serve: it tags VLANs on a real NIC, loads modules,
//! and keeps only its disk over a reset.
//!
//! It runs Debian with the packages that the extension needs, and no others. Its NIC `eth1` is cabled to a
//! [`Switch`], whose access ports are the bridges that the lab's machines are plugged into.

mod switch;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::extension::deployed;
use crate::machine::{Machine, MachineBlueprint, MachineNic};
use crate::outcome::CommandOutcome;
use crate::testbed::Testbed;

use switch::{Switch, TRUNK};

/// Debian with the packages that the extension needs, as the image of a file system that `.ci/packages` makes.
const DISK: &str = "/var/cache/netext-lab/kvm-host/disk";

/// How long a script may take: milliseconds become a second under emulation, and more when many tests share few
/// processors.
const PATIENCE: Duration = Duration::from_secs(240);
/// The timeout in seconds of commands.
const TIMEOUT: u64 = 180;
/// The bridge of `eth0`, through which an operator would reach the host.
const MANAGEMENT: &str = "lab-management";
const PAYLOAD: &str = "/run/lab/payload.json";

/// An emulated machine with the extension, and the switch that it is cabled to.
#[derive(Debug)]
pub struct Hypervisor {
    machine: Machine,
    _switch: Switch,
}

impl Hypervisor {
    /// Boots a host with `executable` whose guest and public traffic is tagged with one of `vlans`.
    #[track_caller]
    pub(crate) fn boot(testbed: &Testbed, executable: &Path, vlans: &[u16]) -> Self {
        let disk = Path::new(DISK);
        assert!(disk.is_file(), "no KVM host can boot here: no {DISK} (run .ci/packages)");
        let size = match fs::metadata(executable) {
            Ok(metadata) => metadata.len(),
            Err(error) => panic!("{}: {error}", executable.display()),
        };
        let switch = Switch::boot(testbed, vlans);
        let nics = [
            MachineNic { bridge: MANAGEMENT, mac: "02:1a:b1:00:00:00" },
            MachineNic { bridge: TRUNK, mac: "02:1a:b1:00:00:01" },
        ];
        let blueprint =
            MachineBlueprint { memory: 512, nics: &nics, modules: &[], disks: &[disk, executable] };
        let machine = Machine::boot(testbed, "hypervisor", &blueprint, PATIENCE);
        // Deployed as by the server. A disk is a multiple of its block size; the executable is not.
        machine.runs(&format!(
            "mkdir -p $(dirname {0})\n\
             head -c {size} /dev/vdb >{0}\n\
             chmod 755 {0}\n\
             sync",
            deployed(),
        ));
        Self { machine, _switch: switch }
    }

    /// Runs a command as the server runs it on the host.
    #[track_caller]
    pub(crate) fn run(&self, command: &str, payload: &str) -> CommandOutcome {
        let begun = Instant::now();
        // A hardened server creates private files. The payload has no quotes that the shell would read.
        assert!(!payload.contains('\''), "{payload}");
        let timeout = TIMEOUT.to_string();
        let call = call(&[command, PAYLOAD, &timeout]);
        let ran = self.machine.tries(&format!(
            "umask 077\n\
             printf %s '{payload}' >{PAYLOAD}\n\
             {call} 2>&1"
        ));
        let output = String::from_utf8_lossy(&ran.output).into_owned();
        CommandOutcome {
            command: command.to_owned(),
            code: Some(ran.code),
            signal: None,
            output,
            duration: begun.elapsed(),
        }
    }

    /// Runs a command for operators and returns its output.
    #[track_caller]
    pub fn operates(&self, words: &[&str]) -> String {
        self.machine.runs(&call(words))
    }

    /// The host itself, to inspect with busybox.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }
}

/// A call of the executable in the environment of a systemd service.
fn call(words: &[&str]) -> String {
    format!("env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin {} {}", deployed(), words.join(" "))
}
