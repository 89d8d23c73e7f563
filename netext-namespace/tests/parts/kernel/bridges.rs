//! The bridges of segments, and how segments leave the host.

use netext_core::error_chain;

use crate::throwaway::{apply, host, name, peers, rehearse, remove, router, router_name, sh, try_sh};
use netext_namespace::kernel::links::LinkError;
use netext_namespace::plan::{BridgePlan, LinkPlan, Uplink};

fn on(uplink: Uplink) -> LinkPlan {
    let mut plan = router();
    plan.bridges[0] = BridgePlan { name: name("breth1-100"), uplink };
    plan
}

#[test]
fn a_bridge_of_the_conventional_name_is_used_as_it_is() {
    host();
    sh("ip link add breth1-100 type bridge stp_state 1 && ip address add 192.0.2.1/24 dev breth1-100");
    let vlan = Uplink::Vlan { device: name("eth1"), id: 100, name: name("eth1.100") };
    for uplink in [Uplink::HostLocal, Uplink::Existing, vlan, Uplink::Untagged { device: name("eth1") }] {
        apply(&on(uplink)).unwrap();
        let bridge = sh("ip -d address show breth1-100");
        assert!(
            bridge.contains("stp_state 1") && bridge.contains("192.0.2.1/24") && bridge.contains("UP"),
            "{bridge}"
        );
        assert!(sh("ip link show vh-100-42").contains("master breth1-100"));
    }
}

#[test]
fn a_vlan_interface_of_the_conventional_name_is_put_into_the_bridge() {
    host();
    // This stands in for an operator's own VLAN interface.
    sh("ip link add eth1.100 type veth peer name wire");
    let plan = on(Uplink::Vlan { device: name("eth1"), id: 100, name: name("eth1.100") });
    apply(&plan).unwrap();
    let vlan = sh("ip link show eth1.100");
    assert!(vlan.contains("master breth1-100") && vlan.contains(",UP"), "{vlan}");

    remove(&router_name(), &peers()).unwrap();
    sh("ip link del breth1-100; ip link add cloudbr1 type bridge; ip link set eth1.100 master cloudbr1");
    apply(&plan).unwrap();
    assert!(
        sh("ip link show vh-100-42").contains("master cloudbr1"),
        "the bridge that holds the VLAN is the segment"
    );
}

#[test]
fn an_untagged_segment_is_the_nics_bridge() {
    host();
    sh("ip link add eth1 type veth peer name wire");
    let plan = on(Uplink::Untagged { device: name("eth1") });
    sh("ip address add 192.0.2.1/24 dev eth1");
    let refused = apply(&plan).unwrap_err();
    assert!(matches!(refused, LinkError::Addressed { .. }), "{refused}");
    assert!(refused.to_string().contains("192.0.2.1/24"), "{refused}");
    assert!(!try_sh("ip link show breth1-100").0);
    assert_eq!(sh("ip -n cs-net-42 -o link show type veth"), "");

    sh("ip address flush dev eth1");
    apply(&plan).unwrap();
    assert!(sh("ip link show eth1").contains("master breth1-100"));
    sh("ip link add cloudbr1 type bridge; ip link set eth1 master cloudbr1");
    apply(&plan).unwrap();
    assert!(sh("ip link show vh-100-42").contains("master cloudbr1"));
    apply(&on(Uplink::Untagged { device: name("breth1-50") })).unwrap();
    assert!(sh("ip link show vh-100-42").contains("master breth1-50"));
}

#[test]
fn a_router_takes_packets_as_long_as_its_segment_does() {
    host();
    let mtus = || {
        let ends = ["-n cs-net-42 link show vn-100-42", "link show vh-100-42", "link show breth1-100"];
        ends.map(|end| {
            sh(&format!("ip -o {end}")).split_once("mtu ").unwrap().1.split(' ').next().unwrap().to_owned()
        })
    };
    sh("ip link add eth1 mtu 9000 type veth peer name wire mtu 9000");
    let plan = on(Uplink::Untagged { device: name("eth1") });
    apply(&plan).unwrap();
    assert_eq!(mtus(), ["9000"; 3]);
    assert_eq!(sh("ip -n cs-net-42 -o link show vpn-50-42 | grep -c 'mtu 1500'").trim(), "1");
    assert_eq!(apply(&plan).unwrap(), []);
    // It follows the NIC, down and up again.
    for mtu in ["1400", "9000"] {
        sh(&format!("ip link set eth1 mtu {mtu}"));
        let rehearsed = rehearse(&plan);
        assert!(
            format!("{rehearsed:?}").contains(&format!("set the MTU of vn-100-42 to {mtu}")),
            "{rehearsed:?}"
        );
        apply(&plan).unwrap();
        assert_eq!(mtus(), [mtu; 3]);
    }

    remove(&router_name(), &peers()).unwrap();
    sh(
        "ip link del breth1-100; ip link add breth1-100 type bridge; ip link add vxlan mtu 1450 type veth peer name far",
    );
    sh("ip link set vxlan master breth1-100");
    apply(&on(Uplink::Existing)).unwrap();
    assert_eq!(mtus(), ["1450"; 3]);
}

#[test]
fn an_error_names_the_interface_that_is_missing_or_of_another_kind() {
    host();
    let told = |plan: &LinkPlan| error_chain(&apply(plan).unwrap_err());
    let missing = told(&on(Uplink::Vlan { device: name("eth7"), id: 100, name: name("eth7.100") }));
    assert!(missing.contains("eth7") && missing.contains("guest.network.device"), "{missing}");
    assert!(told(&on(Uplink::Existing)).contains("no bridge breth1-100"));
    sh("ip link add breth1-100 type veth peer name other");
    assert!(told(&router()).contains("breth1-100 is not a Linux bridge but of kind veth"));
    sh("ip link del breth1-100; ip link add eth1 type veth peer name wire");
    if !std::path::Path::new("/proc/net/vlan").exists() {
        let no_vlan = told(&on(Uplink::Vlan { device: name("eth1"), id: 100, name: name("eth1.100") }));
        assert!(no_vlan.contains("eth1.100") && no_vlan.contains("modprobe 8021q"), "{no_vlan}");
    }
}
