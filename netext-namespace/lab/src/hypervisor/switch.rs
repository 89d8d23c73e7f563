//! The switch that a KVM host is cabled to: an emulated machine, because the kernel that runs the tests may not support
//! VLANs.

use std::fmt::Write;
use std::time::Duration;

use crate::machine::{Machine, MachineBlueprint, MachineNic};
use crate::testbed::Testbed;

/// The bridge that acts as the cable between the host's `eth1` and the switch; it forwards frames unchanged.
pub(super) const TRUNK: &str = "lab-trunk";
/// The modules that tag frames and forward them.
const MODULES: [&str; 6] = [
    "net/llc/llc.ko",
    "net/802/stp.ko",
    "net/802/garp.ko",
    "net/802/mrp.ko",
    "net/8021q/8021q.ko",
    "net/bridge/bridge.ko",
];
const PATIENCE: Duration = Duration::from_secs(60);

/// A machine whose `eth0` is a trunk of tagged VLANs. Each VLAN has an access port, the lab's bridge `brnone-<vlan>`, which
/// the lab's machines are plugged into.
#[derive(Debug)]
pub(super) struct Switch {
    _machine: Machine,
}

impl Switch {
    #[track_caller]
    pub(super) fn boot(testbed: &Testbed, vlans: &[u16]) -> Self {
        let bridges: Vec<_> = vlans.iter().map(|vlan| format!("brnone-{vlan}")).collect();
        let macs: Vec<_> = (0..=vlans.len()).map(|port| format!("02:1a:b2:00:00:{port:02x}")).collect();
        let all = std::iter::once(TRUNK).chain(bridges.iter().map(String::as_str)).zip(&macs);
        let nics: Vec<_> = all.map(|(bridge, mac)| MachineNic { bridge, mac }).collect();
        let blueprint = MachineBlueprint { memory: 128, nics: &nics, modules: &MODULES, disks: &[] };
        let machine = Machine::boot(testbed, "switch", &blueprint, PATIENCE);
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
