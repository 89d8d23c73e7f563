//! Why links may not match a plan.

use std::io;

use ipnet::IpNet;

use crate::kernel::namespace::NamespaceError;
use crate::kernel::netlink::NetlinkError;
use crate::model::InterfaceName;

/// Why the links do not match the plan.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The namespace could not be used.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// The kernel refused a request.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
    /// The NIC that carries a segment does not exist.
    #[error(
        "this host has no network interface {device} for bridge {bridge}: name one that it has in the detail guest.network.device or public.network.device, or 'none' for a bridge of this host alone"
    )]
    NoDevice {
        /// The NIC.
        device: InterfaceName,
        /// The bridge that it was wanted for.
        bridge: InterfaceName,
    },
    /// A bridge that is not ours to create does not exist.
    #[error("this host has no bridge {bridge}: create it, or configure the segment so that it is created")]
    NoBridge {
        /// The bridge.
        bridge: InterfaceName,
    },
    /// Another kind of interface has the name of a bridge.
    #[error("{name} is not a Linux bridge but {kind}: rename or delete it")]
    NotABridge {
        /// The interface.
        name: InterfaceName,
        /// Its kind.
        kind: String,
    },
    /// Another kind of interface has the name of one end of a veth pair.
    #[error("{name} is not one end of a veth pair but {kind}: rename or delete it")]
    NotAVeth {
        /// The interface.
        name: InterfaceName,
        /// Its kind.
        kind: String,
    },
    /// The NIC belongs to something that is not a bridge, such as a bond.
    #[error("cannot put {device} into bridge {bridge}: it belongs to {master}, which is not a Linux bridge")]
    Enslaved {
        /// The NIC.
        device: InterfaceName,
        /// The bridge that it was wanted for.
        bridge: InterfaceName,
        /// The interface that it belongs to.
        master: String,
    },
    /// The NIC is in use by the host itself.
    #[error(
        "refusing to put {device} into bridge {bridge}: it carries {address}, and the host would lose it; configure the host with a bridge that holds {device} and carries its addresses, or use another NIC"
    )]
    Addressed {
        /// The NIC.
        device: InterfaceName,
        /// The bridge that it was wanted for.
        bridge: InterfaceName,
        /// An address that it carries.
        address: IpNet,
    },
    /// The default route leads through an interface that the router does not have.
    #[error("the default route leads through {interface}, which the router does not have")]
    NoInterface {
        /// The interface.
        interface: InterfaceName,
    },
    /// The kernel cannot create VLAN interfaces.
    #[error("this kernel may lack 802.1Q (try 'modprobe 8021q')")]
    NoVlan {
        /// The kernel's refusal.
        source: NetlinkError,
    },
    /// A kernel parameter could not be read or written.
    #[error("cannot set {path} to {value}")]
    Sysctl {
        /// The parameter's file.
        path: String,
        /// The desired value.
        value: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}
