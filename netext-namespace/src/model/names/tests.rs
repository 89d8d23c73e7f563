//! Names that are accepted, and names that are made.

use std::collections::HashSet;

use netext_protocol::VpcId;

use super::*;

fn network(id: u64) -> RouterId {
    RouterId::Network(NetworkId::new(id))
}

#[test]
fn short_names_follow_the_convention() {
    let (host, inner) = guest_interface(network(209), &Segment::Vlan(1910));
    assert_eq!((host.as_ref(), inner.as_ref()), ("vh-1910-209", "vn-1910-209"));
    let (host, inner) = public_interface(network(209), &Segment::Vlan(101));
    assert_eq!((host.as_ref(), inner.as_ref()), ("vph-101-209", "vpn-101-209"));
    let device = SegmentDevice::Nic("eth1".parse().unwrap());
    assert_eq!(bridge_name(&device, &Segment::Vlan(1910)).as_ref(), "breth1-1910");
    assert_eq!(vlan_interface(&"eth1".parse().unwrap(), 1910).as_ref(), "eth1.1910");
}

#[test]
fn long_names_are_packed_without_collisions() {
    let ids = (1_000_000..1_000_500).chain([1 << 38, (1 << 38) + 1]);
    let segments = [Segment::Vlan(4094), Segment::Vlan(4093), Segment::Untagged, Segment::Vxlan(5000)];
    let mut seen = HashSet::new();
    for id in ids {
        for segment in &segments {
            for router in [network(id), RouterId::Vpc(VpcId::new(id))] {
                let (host, _) = public_interface(router, segment);
                assert!(host.as_ref().len() <= 15);
                assert!(seen.insert(host.to_string()), "{router} {segment}: {host}");
            }
        }
    }
}

#[test]
fn any_segment_of_any_router_has_a_name() {
    let odd = "a/b c:d%e\u{7f}".parse::<Segment>();
    assert!(odd.is_err(), "blanks are no part of a segment's name");
    for name in ["a/b:c%d", "..", "x", &"y".repeat(255)] {
        let segment = Segment::Named(name.to_owned());
        let (host, inner) = guest_interface(network(u64::MAX), &segment);
        assert!(host.as_ref().len() <= 15 && inner.as_ref().len() <= 15);
    }
}

#[test]
fn gateways_have_stable_local_unicast_addresses() {
    assert_eq!(gateway_mac(NetworkId::new(209)).to_string(), gateway_mac(NetworkId::new(209)).to_string());
    assert_ne!(gateway_mac(NetworkId::new(209)), gateway_mac(NetworkId::new(210)));
    assert_eq!(gateway_mac(NetworkId::new(209)).octets()[0], 0x02);
}

#[test]
fn interface_names_are_what_the_kernel_takes() {
    for good in ["eth1", "breth1-100", "eth1.100", "vpn-1000-123456", "é-7"] {
        assert!(InterfaceName::try_from(good).is_ok(), "{good}");
    }
    for bad in
        ["", ".", "..", "a/b", "a b", "a\tb", "a:1", "eth%d", "a\u{7f}", "sixteen-bytes-xx", "éééééééé"]
    {
        assert!(InterfaceName::try_from(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn namespace_names_stay_inside_their_folder() {
    for good in ["cs-net-42", "cs-vpc-7", "a.b_c", &"x".repeat(64)] {
        assert!(NamespaceName::try_from(good).is_ok(), "{good}");
    }
    for bad in ["", ".", "..", ".hidden", "-n", "a/b", "a b", "é", &"x".repeat(65)] {
        assert!(NamespaceName::try_from(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn names_are_checked_when_they_are_read_back() {
    let name: InterfaceName = serde_json::from_str("\"br0\"").unwrap();
    assert_eq!(serde_json::to_string(&name).unwrap(), "\"br0\"");
    assert!(serde_json::from_str::<InterfaceName>("\"../x\"").is_err());
    assert!(serde_json::from_str::<NamespaceName>("\"../x\"").is_err());
}
