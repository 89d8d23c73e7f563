//! Kernel parameters of a router's network stack, and of the bridges on the host that lead to it.
//!
//! `/proc/sys/net` shows the namespace of the thread that looks. A new namespace starts with the host's values
//! (IPv4), so every parameter that matters is set, whatever the host's administrator prefers.

use std::fs::{self, File};
use std::io::{self, Read};

use super::error::LinkError;
use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::model::InterfaceName;

/// For all interfaces, present and to come.
const ROUTER: &[(&str, &str)] = &[
    // A guest is never told of a shorter way: its packets would pass the rules by.
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/conf/default/send_redirects", "0"),
    ("ipv4/conf/all/accept_redirects", "0"),
    ("ipv4/conf/default/accept_redirects", "0"),
    ("ipv4/conf/all/accept_source_route", "0"),
    // Who may send what from where is the packet filter's to say; it knows the subnets.
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    // An address is answered for on its own interface only, and asked for with an address of that subnet.
    ("ipv4/conf/all/arp_ignore", "1"),
    ("ipv4/conf/all/arp_announce", "2"),
    // An interface that comes up, or is given a hardware address, tells neighbours of its addresses.
    ("ipv4/conf/all/arp_notify", "1"),
    // Removing an address must not take along the others of its subnet.
    ("ipv4/conf/all/promote_secondaries", "1"),
    ("ipv6/conf/default/accept_ra", "0"),
    ("ipv6/conf/default/accept_redirects", "0"),
    // The link-local address, which router advertisements are sent from, is usable at once.
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv6/conf/default/disable_ipv6", "0"),
];

/// For one interface, which may be older than the defaults above.
const INTERFACE: &[(&str, &str, &str)] = &[
    ("ipv4", "send_redirects", "0"),
    ("ipv4", "accept_redirects", "0"),
    ("ipv4", "rp_filter", "0"),
    // A router takes its addresses from its plan, not from a neighbour's advertisement.
    ("ipv6", "accept_ra", "0"),
    ("ipv6", "accept_redirects", "0"),
    ("ipv6", "disable_ipv6", "0"),
];

/// Settles the parameters of the network stack that this thread is in. For a new one that is a part of making it.
pub(super) fn settle_router(forwarding: bool, is_new: bool, pass: &mut Pass) -> Result<(), LinkError> {
    let forwarding = if forwarding { "1" } else { "0" };
    // First: a change of this one resets others.
    let forwarding = [("ipv4/ip_forward", forwarding), ("ipv6/conf/all/forwarding", forwarding)];
    let mut parameters = forwarding.iter().chain(ROUTER);
    parameters.try_for_each(|(parameter, value)| settle(parameter, value, is_new, pass))
}

/// Settles the parameters of one of the router's interfaces. For a new one that is a part of making it.
pub(super) fn settle_interface(name: &InterfaceName, is_new: bool, pass: &mut Pass) -> Result<(), LinkError> {
    INTERFACE.iter().try_for_each(|(family, parameter, value)| {
        settle(&format!("{family}/conf/{name}/{parameter}"), value, is_new, pass)
    })
}

/// For a bridge of the host that carries segments of others. The host has no address there, but takes packets and
/// questions for its addresses from any interface, and forwards, as hypervisors mostly do, what it finds a way for.
const SEGMENT: &[(&str, &str, &str)] = &[
    // Not even a router advertisement gives it an address.
    ("ipv6", "disable_ipv6", "1"),
    // No way of the host leads to the segment, so that nothing that comes from there is believed.
    ("ipv4", "rp_filter", "1"),
    ("ipv4", "arp_ignore", "1"),
];

/// Keeps the host out of what passes through one of its bridges.
pub(super) fn settle_segment(name: &InterfaceName, pass: &mut Pass) -> Result<(), LinkError> {
    SEGMENT.iter().try_for_each(|(family, parameter, value)| {
        settle(&format!("{family}/conf/{name}/{parameter}"), value, true, pass)
    })
}

fn settle(parameter: &str, value: &'static str, is_new: bool, pass: &mut Pass) -> Result<(), LinkError> {
    if is_new && !pass.acts() {
        // What it belongs to need not be there yet.
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
