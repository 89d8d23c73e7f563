//! A KVM host with its own kernel: 802.1Q on a real NIC, a switch that tags the same VLANs, modules that load on demand,
//! and only the packages that the extension requires.
//!
//! One host serves all tests: booting a host takes longer than the tests.

mod isolated;
mod shared;
mod tiers;

use netext_lab::{Hypervisor, machine};

use isolated::Isolated;
use shared::Shared;
use tiers::Tiers;

const PUBLIC_VLAN: u16 = 101;

#[test]
fn networks_on_tagged_vlans_work_and_survive_a_reset_and_end() {
    let ours = [PUBLIC_VLAN, isolated::VLAN, tiers::WEB_VLAN, tiers::DATABASE_VLAN];
    let lab = machine!(&[&ours[..], &[shared::VLAN]].concat());
    let host = lab.hypervisor();
    host.operates(&["doctor"]);

    // The operator left eth1 down; it has no other use yet.
    let isolated = Isolated::deployed(&lab);
    let tiers = Tiers::deployed(&lab);
    shared::configure(host);
    let shared = Shared::deployed(&lab);
    isolated.works();
    tiers.work();
    shared.works();
    for vlan in ours {
        let tag = host.machine().runs(&format!("grep -e VID: -e Device: /proc/net/vlan/eth1.{vlan}"));
        assert!(tag.contains(&format!("VID: {vlan}\t")) && tag.contains("Device: eth1\n"), "{tag}");
    }
    assert_eq!(ports(host, "breth1-101"), ["eth1.101", "vph-101-209", "vph-101-v7"]);
    assert_eq!(ports(host, "breth1-1910"), ["eth1.1910", "vh-1910-209"]);
    assert_eq!(ports(host, "breth1-2001"), ["eth1.2001", "vh-2001-v7"]);
    isolated.is_healed();

    host.machine().resets();
    assert_eq!(namespaces(host), "");
    isolated.is_cut_off();
    shared::configure(host);
    host.operates(&["reconcile", "--all"]);
    host.operates(&["status"]);
    isolated.works();
    tiers.work();
    shared.works();

    isolated.ends();
    tiers.end();
    shared.ends();
    assert_eq!(namespaces(host), "");
    for vlan in ours {
        // A bridge belongs to the segment that instances are plugged into, not to the router.
        assert_eq!(ports(host, &format!("breth1-{vlan}")), [format!("eth1.{vlan}")]);
    }
}

/// The ports of a bridge of the host, sorted by name.
fn ports(host: &Hypervisor, bridge: &str) -> Vec<String> {
    let listed = host.machine().runs(&format!("ls /sys/class/net/{bridge}/brif"));
    listed.lines().map(str::to_owned).collect()
}

fn namespaces(host: &Hypervisor) -> String {
    host.machine().runs("ls /run/netns 2>/dev/null || true")
}
