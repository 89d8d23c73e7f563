//! A KVM host with a kernel of its own, for what a namespace cannot be: a machine that tags VLANs on a real NIC,
//! loads modules, and keeps nothing but its disk when it is reset.
//!
//! It has Debian with the packages that the extension needs, and no others. Its NIC `eth1` is cabled to a
//! [`Switch`], whose access ports are the bridges that the lab's machines are plugged into.

mod disk;
mod switch;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::extension::{self, EXTENSION};
use crate::lab::Lab;
use crate::machine::{Blueprint, Machine, Nic};
use crate::outcome::Outcome;

use switch::{Switch, TRUNK};

/// How long a script may take: what takes milliseconds elsewhere takes a second where everything is emulated,
/// and more where many tests run on few processors.
const PATIENCE: Duration = Duration::from_secs(240);
/// The timeout in seconds that commands are given.
const TIMEOUT: u64 = 180;
/// The bridge of `eth0`, by which an operator would reach the host.
const MANAGEMENT: &str = "lab-management";
const PAYLOAD: &str = "/run/lab/payload.json";

/// A whole machine that carries the extension, and the switch that it is cabled to.
#[derive(Debug)]
pub struct Hypervisor {
    machine: Machine,
    _switch: Switch,
}

impl Lab {
    /// A lab whose extension runs on a [machine of its own](Hypervisor), where guest and public traffic leaves `eth1`
    /// with one of the tags `vlans`. The lab's other machines are plugged in where the switch has an access port for
    /// a VLAN: what is `brnone-1910` here is `breth1-1910` there.
    ///
    /// The lab does not look into that host: ask [`Lab::hypervisor`].
    #[track_caller]
    pub fn boot_machine(extension: &str, vlans: &[u16]) -> Self {
        let mut lab = Self::without_extension();
        lab.register("guest.network.device", "eth1");
        lab.register("public.network.device", "eth1");
        lab.hypervisor = Some(Hypervisor::boot(&lab, Path::new(&extension::executable(extension)), vlans));
        lab
    }

    /// The KVM host that is a machine of its own.
    #[track_caller]
    pub fn hypervisor(&self) -> &Hypervisor {
        self.hypervisor.as_ref().expect("the lab was booted with a machine")
    }
}

impl Hypervisor {
    /// Boots a host that carries `executable`, where guest and public traffic is tagged with one of `vlans`.
    #[track_caller]
    pub(crate) fn boot(lab: &Lab, executable: &Path, vlans: &[u16]) -> Self {
        let root = disk::demand();
        let size = disk::size_of(executable);
        let switch = Switch::boot(lab, vlans);
        let nics = [
            Nic { bridge: MANAGEMENT, mac: "02:1a:b1:00:00:00" },
            Nic { bridge: TRUNK, mac: "02:1a:b1:00:00:01" },
        ];
        let blueprint = Blueprint { memory: 512, nics: &nics, modules: &[], disks: &[&root, executable] };
        let machine = Machine::boot(lab, "hypervisor", &blueprint, PATIENCE);
        // As the server deploys it; a disk is a multiple of its blocks, the executable is not.
        machine.runs(&format!(
            "mkdir -p /etc/cloudstack/extensions/{EXTENSION}\n\
             head -c {size} /dev/vdb >{0}\n\
             chmod 755 {0}\n\
             sync",
            wrapper(),
        ));
        Self { machine, _switch: switch }
    }

    /// Runs a command as the server has it run on the host.
    #[track_caller]
    pub(crate) fn run(&self, command: &str, payload: &str) -> Outcome {
        let begun = Instant::now();
        // A server that keeps its files to itself, as hardened ones do. Its text has no quotes of the shell's.
        assert!(!payload.contains('\''), "{payload}");
        let timeout = TIMEOUT.to_string();
        let call = call(&[command, PAYLOAD, &timeout]);
        let ran = self.machine.tries(&format!(
            "umask 077\n\
             printf %s '{payload}' >{PAYLOAD}\n\
             {call} 2>&1"
        ));
        let output = String::from_utf8_lossy(&ran.output).into_owned();
        Outcome {
            command: command.to_owned(),
            code: Some(ran.code),
            signal: None,
            output,
            duration: begun.elapsed(),
        }
    }

    /// Runs one of the commands for operators, and tells what it printed.
    #[track_caller]
    pub fn operates(&self, words: &[&str]) -> String {
        self.machine.runs(&call(words))
    }

    /// The host itself, to look at with busybox.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }
}

/// The executable, with nothing in its environment but what a service has.
fn call(words: &[&str]) -> String {
    format!("env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin {} {}", wrapper(), words.join(" "))
}

fn wrapper() -> String {
    format!("/etc/cloudstack/extensions/{EXTENSION}/{EXTENSION}-wrapper.sh")
}
