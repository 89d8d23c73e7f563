//! Kernel parameters of a router's network stack, and of the bridges on the host that lead to it.
//!
//! `/proc/sys/net` shows the namespace of the thread that reads it. A new namespace starts with the host's values
//! (IPv4), so every parameter that matters is set, whatever the host's own value.

use std::fs::{self, File};
use std::io::{self, Read};

use super::error::LinkError;
use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::model::InterfaceName;

/// For all present and future interfaces.
const ROUTER: &[(&str, &str)] = &[
    // No redirects: packets that take a shorter way would bypass the rules.
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/conf/default/send_redirects", "0"),
    ("ipv4/conf/all/accept_redirects", "0"),
    ("ipv4/conf/default/accept_redirects", "0"),
    ("ipv4/conf/all/accept_source_route", "0"),
    // The packet filter checks sources: it knows the subnets.
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    // ARP answers for an address only on its own interface, and asks with an address of that subnet.
    ("ipv4/conf/all/arp_ignore", "1"),
    ("ipv4/conf/all/arp_announce", "2"),
    // An interface announces its addresses when it comes up or gets a hardware address.
    ("ipv4/conf/all/arp_notify", "1"),
    // Removing an address must not remove the others of its subnet.
    ("ipv4/conf/all/promote_secondaries", "1"),
    ("ipv6/conf/default/accept_ra", "0"),
    ("ipv6/conf/default/accept_redirects", "0"),
    // The link-local address, which router advertisements are sent from, is usable at once.
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv6/conf/default/disable_ipv6", "0"),
];

/// For each interface, which may be older than the defaults above.
const INTERFACE: &[(&str, &str, &str)] = &[
    ("ipv4", "send_redirects", "0"),
    ("ipv4", "accept_redirects", "0"),
    ("ipv4", "rp_filter", "0"),
    // A router gets its addresses from its plan, not from a neighbour's advertisement.
    ("ipv6", "accept_ra", "0"),
    ("ipv6", "accept_redirects", "0"),
    ("ipv6", "disable_ipv6", "0"),
];

/// Sets the parameters of the network stack that this thread is in. For a new one, this is a part of creating it.
pub(super) fn settle_router(forwarding: bool, is_new: bool, pass: &mut Pass) -> Result<(), LinkError> {
    let forwarding = if forwarding { "1" } else { "0" };
    // First: a change of this one resets others.
    let forwarding = [("ipv4/ip_forward", forwarding), ("ipv6/conf/all/forwarding", forwarding)];
    let mut parameters = forwarding.iter().chain(ROUTER);
    parameters.try_for_each(|(parameter, value)| settle(parameter, value, is_new, pass))
}

/// Sets the parameters of one of the router's interfaces. For a new one, this is a part of creating it.
pub(super) fn settle_interface(name: &InterfaceName, is_new: bool, pass: &mut Pass) -> Result<(), LinkError> {
    INTERFACE.iter().try_for_each(|(family, parameter, value)| {
        settle(&format!("{family}/conf/{name}/{parameter}"), value, is_new, pass)
    })
}

/// For a bridge of the host that carries a tenant's segment. The host has no address there. But it accepts packets and
/// ARP requests for its addresses on any interface, and, as most hypervisors, forwards packets that it has a route for.
const SEGMENT: &[(&str, &str, &str)] = &[
    // Not even a router advertisement gives it an address.
    ("ipv6", "disable_ipv6", "1"),
    // No route of the host leads to the segment, so no packet from there is accepted.
    ("ipv4", "rp_filter", "1"),
    ("ipv4", "arp_ignore", "1"),
];

/// Keeps the host out of a segment on one of its bridges.
pub(super) fn settle_segment(name: &InterfaceName, pass: &mut Pass) -> Result<(), LinkError> {
    SEGMENT.iter().try_for_each(|(family, parameter, value)| {
        settle(&format!("{family}/conf/{name}/{parameter}"), value, true, pass)
    })
}

fn settle(parameter: &str, value: &'static str, is_new: bool, pass: &mut Pass) -> Result<(), LinkError> {
    if is_new && !pass.acts() {
        // Its interface may not exist yet.
        return Ok(());
    }
    let path = format!("/proc/sys/net/{parameter}");
    let settled = read(&path).and_then(|found| {
        if found == value {
            return Ok(());
        }
        if !is_new {
            pass.differs(
                RouterPart::Parameter,
                DifferenceKind::Modify,
                format!("set net/{parameter} from {found} to {value}"),
            );
        }
        if pass.acts() { fs::write(&path, value) } else { Ok(()) }
    });
    match settled {
        // A kernel without IPv6.
        Err(error) if error.kind() == io::ErrorKind::NotFound && parameter.starts_with("ipv6/") => Ok(()),
        outcome => outcome.map_err(|source| LinkError::Sysctl { path, value, source }),
    }
}

fn read(path: &str) -> io::Result<String> {
    // Parameters are short and come in one piece.
    let mut bytes = [0; 32];
    let length = File::open(path)?.read(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes[..length]).trim().to_owned())
}
