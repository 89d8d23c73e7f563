//! The switch that a KVM host is cabled to: a machine, because the kernel that runs the tests may know nothing of
//! VLANs.

use std::fmt::Write;
use std::time::Duration;

use crate::lab::Lab;
use crate::machine::{Blueprint, Machine, Nic};

/// The bridge that stands for the cable between the host's `eth1` and the switch; it forwards frames as they are.
pub(super) const TRUNK: &str = "lab-trunk";
/// What tags frames, and what forwards them.
const MODULES: [&str; 6] = [
    "net/llc/llc.ko",
    "net/802/stp.ko",
    "net/802/garp.ko",
    "net/802/mrp.ko",
    "net/8021q/8021q.ko",
    "net/bridge/bridge.ko",
];
const PATIENCE: Duration = Duration::from_secs(60);

/// A machine whose `eth0` is a trunk of tagged VLANs, with an access port for each: the lab's bridge `brnone-<vlan>`,
/// which is what the VLAN is to the lab's machines.
#[derive(Debug)]
pub(super) struct Switch {
    _machine: Machine,
}

impl Switch {
    #[track_caller]
    pub(super) fn boot(lab: &Lab, vlans: &[u16]) -> Self {
        let bridges: Vec<_> = vlans.iter().map(|vlan| format!("brnone-{vlan}")).collect();
        let macs: Vec<_> = (0..=vlans.len()).map(|port| format!("02:1a:b2:00:00:{port:02x}")).collect();
        let all = std::iter::once(TRUNK).chain(bridges.iter().map(String::as_str)).zip(&macs);
        let nics: Vec<_> = all.map(|(bridge, mac)| Nic { bridge, mac }).collect();
        let blueprint = Blueprint { memory: 128, nics: &nics, modules: &MODULES, disks: &[] };
        let machine = Machine::boot(lab, "switch", &blueprint, PATIENCE);
        let mut script = String::from("set -e\n");
        for (port, vlan) in (1..).zip(vlans) {
            let _ = write!(
                script,
                "ip link add link eth0 name eth0.{vlan} type vlan id {vlan}\n\
                 ip link add br{vlan} type bridge\n\
                 for link in eth0.{vlan} eth{port}; do\n\
                 ip link set $link master br{vlan}\n\
                 ip link set $link up\n\
                 done\n\
                 ip link set br{vlan} up\n"
            );
        }
        machine.runs(&script);
        Self { _machine: machine }
    }
}
