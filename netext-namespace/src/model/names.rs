//! Names: of routers, of namespaces and interfaces as the kernel accepts them, of the NICs that carry a router's
//! traffic, and of the router's own interfaces, with their hardware addresses.
//!
//! The names of a router's interfaces follow the convention that operators and their tools know (`vh-1910-209`). The
//! kernel allows 15 bytes. A name that would be longer is packed: its parts as one number in 62 digits. Packing is
//! reversible for VLANs and VXLANs of networks numbered below 2^39, so those cannot collide; the rest is hashed into
//! numbers above the packed ones.

use std::fmt;
use std::str::FromStr;

use netext_protocol::{MacAddr, NetworkId, PhysicalDetails, Segment, VpcId};
use serde::{Deserialize, Serialize};

/// The kernel's `IFNAMSIZ` less its closing zero byte.
const LONGEST_INTERFACE_NAME: usize = 15;
/// Our own limit: namespaces are files under `/run/netns`, and people type their names.
const LONGEST_NAMESPACE_NAME: usize = 64;

/// The identity of a router: it serves a network outside of VPCs, or a VPC with its tiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouterId {
    /// The router of a network outside of VPCs.
    Network(NetworkId),
    /// The router of a VPC.
    Vpc(VpcId),
}

impl RouterId {
    /// The number that the names of the router's interfaces carry.
    pub fn number(self) -> u64 {
        match self {
            Self::Network(id) => id.get(),
            Self::Vpc(id) => id.get(),
        }
    }

    /// The router's namespace: `cs-net-<id>` or `cs-vpc-<id>`.
    pub fn namespace(self) -> NamespaceName {
        let name = match self {
            Self::Network(id) => format!("cs-net-{id}"),
            Self::Vpc(id) => format!("cs-vpc-{id}"),
        };
        NamespaceName::try_from(name).expect("a prefix and a number make a valid name")
    }
}

/// `network-209` or `vpc-7`: the name of the router for operators, and of its folder.
impl fmt::Display for RouterId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(id) => write!(formatter, "network-{id}"),
            Self::Vpc(id) => write!(formatter, "vpc-{id}"),
        }
    }
}

/// A name that no router can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no router; routers are named as network-209, vpc-7, or after their namespaces, as cs-net-209"
)]
pub struct InvalidRouterId(String);

/// The name of a router, or that of its namespace, as operators type them.
impl FromStr for RouterId {
    type Err = InvalidRouterId;

    fn from_str(name: &str) -> Result<Self, InvalidRouterId> {
        let (kind, number) = name.rsplit_once('-').unwrap_or_default();
        let id = number.parse().ok().and_then(|number| match kind {
            "network" | "cs-net" => Some(Self::Network(NetworkId::new(number))),
            "vpc" | "cs-vpc" => Some(Self::Vpc(VpcId::new(number))),
            _ => None,
        });
        // A number with a sign or leading zeros is another name.
        let is_spelled = |id: &Self| id.number().to_string() == number;
        id.filter(is_spelled).ok_or_else(|| InvalidRouterId(name.to_owned()))
    }
}

/// Why a name was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The kernel does not accept it as the name of an interface.
    #[error(
        "{0:?} cannot name an interface: 1 to 15 bytes, without '/', ':', '%' or white space, and not '.' or '..'"
    )]
    Interface(String),
    /// It is not accepted as the name of a namespace.
    #[error(
        "{0:?} cannot name a namespace: 1 to 64 letters, digits, '-', '_' or '.', not starting with '.' or '-'"
    )]
    Namespace(String),
}

/// Name of a network interface that the kernel accepts.
///
/// ```
/// use netext_namespace::model::InterfaceName;
///
/// let bridge: InterfaceName = "breth1-100".parse()?;
/// assert_eq!(bridge.as_ref(), "breth1-100");
/// assert!("an-interface-name-too-long".parse::<InterfaceName>().is_err());
/// # Ok::<(), netext_namespace::model::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InterfaceName(String);

/// Name of a network namespace, that is of a file under `/run/netns`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamespaceName(String);

fn names_an_interface(name: &str) -> bool {
    // The kernel refuses '/', ':' and white space; '%' makes it a pattern (`eth%d`) that it numbers itself.
    let forbidden = |c: char| matches!(c, '/' | ':' | '%') || c.is_whitespace() || c.is_control();
    (1..=LONGEST_INTERFACE_NAME).contains(&name.len())
        && !matches!(name, "." | "..")
        && !name.contains(forbidden)
}

fn names_a_namespace(name: &str) -> bool {
    (1..=LONGEST_NAMESPACE_NAME).contains(&name.len())
        && !name.starts_with(['.', '-'])
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

macro_rules! name_type {
    ($name:ident, $accepts:ident, $error:ident) => {
        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(name: String) -> Result<Self, NameError> {
                if $accepts(&name) { Ok(Self(name)) } else { Err(NameError::$error(name)) }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = NameError;

            fn try_from(name: &str) -> Result<Self, NameError> {
                Self::try_from(name.to_owned())
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::try_from(name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name_type!(InterfaceName, names_an_interface, Interface);
name_type!(NamespaceName, names_a_namespace, Namespace);

/// The NICs that the operator registered for guest and for public traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentDevices {
    /// `guest.network.device`.
    pub guest: SegmentDevice,
    /// `public.network.device`.
    pub public: SegmentDevice,
}

/// A NIC of the host, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SegmentDevice {
    /// A NIC, or a bridge.
    Nic(InterfaceName),
    /// `none`: segments stay on the host.
    None,
}

impl SegmentDevices {
    /// Applies the NICs that the operator registered. Others stay as they are.
    pub fn learn(&mut self, details: &PhysicalDetails) -> Result<(), InvalidDevice> {
        let device = |detail: &'static str, value: Option<&str>, known: &SegmentDevice| match value {
            None => Ok(known.clone()),
            Some(value) => {
                SegmentDevice::try_from(value.to_owned()).map_err(|source| InvalidDevice { detail, source })
            }
        };
        self.guest = device("guest.network.device", details.guest_device(), &self.guest)?;
        self.public = device("public.network.device", details.public_device(), &self.public)?;
        Ok(())
    }
}

/// A registered detail that does not name a NIC.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("physical-network-extension-details.{detail} must be a NIC of the hosts, or none")]
pub struct InvalidDevice {
    detail: &'static str,
    source: NameError,
}

impl Default for SegmentDevice {
    fn default() -> Self {
        Self::Nic(InterfaceName::try_from("eth1").expect("eth1 is a valid name"))
    }
}

impl TryFrom<String> for SegmentDevice {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        if name == "none" { Ok(Self::None) } else { InterfaceName::try_from(name).map(Self::Nic) }
    }
}

impl From<SegmentDevice> for String {
    fn from(device: SegmentDevice) -> Self {
        device.to_string()
    }
}

impl fmt::Display for SegmentDevice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nic(name) => name.fmt(formatter),
            Self::None => formatter.write_str("none"),
        }
    }
}

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

/// The conventional name if the kernel accepts it: it may be too long, or contain the name of an unknown kind of
/// segment.
fn conventional(name: String, packed: impl FnOnce() -> String) -> InterfaceName {
    InterfaceName::try_from(name)
        .or_else(|_| InterfaceName::try_from(packed()))
        .expect("a short prefix and 62-based digits are a valid name")
}

/// Segment and id as one number below 62^11, different for every pair of a segment and an id that can be numbered.
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

/// An address in the range for locally administered unicast addresses.
fn mac(parts: &[&str]) -> MacAddr {
    let mut octets = [0x02; 6];
    octets[1..].copy_from_slice(&hash(parts).to_be_bytes()[..5]);
    MacAddr::new(octets)
}

/// FNV-1a over 128 bits: the same on every host and in every version, which `std`'s hashers do not guarantee.
fn hash(parts: &[&str]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    // A byte that stands in no part keeps ("ab", "c") and ("a", "bc") apart.
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests;
