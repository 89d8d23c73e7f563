//! The names and hardware addresses of a router's interfaces.
//!
//! Names follow the convention that operators and their tools know (`vh-1910-209`). The kernel allows 15
//! bytes; a name that would be longer is packed: its parts as one number in 62 digits. Packing is reversible
//! for VLANs and VXLANs of networks numbered below 2^39, so those cannot collide; the rest is hashed into
//! numbers above the packed ones.

use netext_protocol::{MacAddr, NetworkId, Segment};

use super::{InterfaceName, RouterId, SegmentDevice};

/// The two ends of a guest veth: on the host (`vh-<vlan>-<id>`) and in the namespace (`vn-<vlan>-<id>`).
pub fn guest_interface(router: RouterId, segment: &Segment) -> (InterfaceName, InterfaceName) {
    port_names("vh", "vn", router, segment)
}

/// The two ends of a public veth: on the host (`vph-<vlan>-<id>`) and in the namespace (`vpn-<vlan>-<id>`).
pub fn public_interface(router: RouterId, segment: &Segment) -> (InterfaceName, InterfaceName) {
    port_names("vph", "vpn", router, segment)
}

/// The bridge of a segment: `br<nic>-<vlan>`; for a VXLAN the one that the hypervisor's agent makes.
pub fn bridge_name(device: &SegmentDevice, segment: &Segment) -> InterfaceName {
    let name = match segment {
        Segment::Vxlan(vni) => format!("brvx-{vni}"),
        _ => format!("br{device}-{segment}"),
    };
    conventional(name, || format!("br_{}", digits(hash(&[&device.to_string(), &segment.to_string()]), 12)))
}

/// The 802.1Q sub-interface of a NIC: `<nic>.<vlan>`.
pub fn vlan_interface(device: &InterfaceName, vlan: u16) -> InterfaceName {
    conventional(format!("{device}.{vlan}"), || {
        format!("vl_{}", digits(hash(&[device.as_ref(), &vlan.to_string()]), 12))
    })
}

/// The hardware address of the guests' gateway. It depends on the network alone, so that guests' ARP caches
/// stay right over restarts and on any host.
pub fn gateway_mac(network: NetworkId) -> MacAddr {
    mac(&["gateway", &network.to_string()])
}

/// The hardware address of a router on a public segment.
pub fn public_mac(router: RouterId, segment: &Segment) -> MacAddr {
    mac(&["public", &router.to_string(), &segment.to_string()])
}

/// Both ends of a router's port on a segment. The host end of a VPC's port says `v7` for VPC 7, because VPCs
/// and networks are numbered apart and their host ends share one namespace.
fn port_names(
    host: &str,
    inner: &str,
    router: RouterId,
    segment: &Segment,
) -> (InterfaceName, InterfaceName) {
    let number = router.number();
    let kind = if matches!(router, RouterId::Vpc(_)) { "v" } else { "" };
    let packed = || digits(packed(router, segment), 11);
    (
        conventional(format!("{host}-{segment}-{kind}{number}"), || format!("{host}_{}", packed())),
        conventional(format!("{inner}-{segment}-{number}"), || format!("{inner}_{}", packed())),
    )
}

/// The conventional name where the kernel takes it: not one that is too long or made of a foreign segment's
/// name.
fn conventional(name: String, packed: impl FnOnce() -> String) -> InterfaceName {
    InterfaceName::try_from(name)
        .or_else(|_| InterfaceName::try_from(packed()))
        .expect("a short prefix and 62-based digits are a valid name")
}

/// Segment and id as one number below 62^11, the same number for no other pair of them as far as they can be
/// numbered.
fn packed(router: RouterId, segment: &Segment) -> u128 {
    const HASHED: u128 = 1 << 65;
    let vpc = u128::from(matches!(router, RouterId::Vpc(_)));
    let segment_number = match segment {
        Segment::Untagged => Some(0),
        Segment::Vlan(id) => Some(u128::from(*id)),
        Segment::Vxlan(vni) => Some((1 << 24) + u128::from(*vni)),
        _ => None,
    };
    match segment_number {
        Some(segment_number) if router.number() < 1 << 39 => {
            (segment_number << 40) | (vpc << 39) | u128::from(router.number())
        }
        _ => HASHED + hash(&[&router.to_string(), &segment.to_string()]) % (62u128.pow(11) - HASHED),
    }
}

fn digits(mut number: u128, count: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = vec![b'0'; count];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[usize::try_from(number % 62).expect("a remainder below 62")];
        number /= 62;
    }
    String::from_utf8(digits).expect("the digits are ASCII")
}

/// An address in the range that is ours to give (locally administered, unicast).
fn mac(parts: &[&str]) -> MacAddr {
    let mut octets = [0x02; 6];
    octets[1..].copy_from_slice(&hash(parts).to_be_bytes()[..5]);
    MacAddr::new(octets)
}

/// FNV-1a over 128 bits: the same on every host and in every version, which `std`'s hashers do not promise.
fn hash(parts: &[&str]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    // A byte that stands in no part keeps ("ab", "c") and ("a", "bc") apart.
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            gateway_mac(NetworkId::new(209)).to_string(),
            gateway_mac(NetworkId::new(209)).to_string()
        );
        assert_ne!(gateway_mac(NetworkId::new(209)), gateway_mac(NetworkId::new(210)));
        assert_eq!(gateway_mac(NetworkId::new(209)).octets()[0], 0x02);
    }
}
