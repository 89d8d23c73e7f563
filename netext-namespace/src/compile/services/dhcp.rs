//! Reservations and options of DHCP.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use netext_protocol::{HostName, MacAddr};

use super::{ConfigLines, GuestServices, OptionValue, Reservation, distinct};

const ROUTER: u8 = 3;
const HOST_NAME: u8 = 12;

/// The reservations of a network.
///
/// A NIC with options of its own is marked with a tag. dnsmasq up to 2.90 crashes on SIGHUP after it has served
/// a tag that stands in a file which it reads again, so these reservations stand in the main configuration; the
/// others, nearly all, in a file that SIGHUP has read again.
#[derive(Default)]
pub(super) struct DhcpLeases {
    /// Lines of the main configuration.
    pub(super) marked: String,
    /// The file of reservations.
    pub(super) reservations: String,
    /// The file of options.
    pub(super) options: String,
}

impl DhcpLeases {
    pub(super) fn of(guest: &GuestServices) -> Self {
        if !guest.dhcp {
            return Self::default();
        }
        let (mut marked, mut reservations) =
            (ConfigLines::default(), ConfigLines::with_room_for(guest.reservations.len()));
        let mut options = network_options(guest);
        // dnsmasq does not take an address twice.
        let by_address: BTreeMap<Ipv4Addr, (&MacAddr, &Reservation)> = guest
            .reservations
            .iter()
            .map(|(mac, reservation)| (reservation.ip, (mac, reservation)))
            .collect();
        for (ip, (mac, reservation)) in by_address {
            let own = own_options(reservation);
            let name = reservation.hostname.as_ref().filter(|name| is_plainly_a_name(name));
            let name = name.filter(|_| !own.contains_key(&HOST_NAME));
            if own.is_empty() {
                match name {
                    Some(name) => reservations.add(format_args!("{mac},{ip},{name}")),
                    None => reservations.add(format_args!("{mac},{ip}")),
                }
                continue;
            }
            let name = name.map(|name| format!(",{name}")).unwrap_or_default();
            let tag = format!("nic-{}", mac.to_string().replace(':', ""));
            marked.add(format!("dhcp-host={mac},set:{tag},{ip}{name}"));
            for (number, value) in own {
                let value = value.map(|value| format!(",{value}")).unwrap_or_default();
                options.add(format!("tag:{tag},{number}{value}"));
            }
        }
        Self { marked: marked.0, reservations: reservations.0, options: options.0 }
    }
}

/// The tag of the guests of a range. Those of the first have none: what is said for no tag is said for them.
pub(super) fn tag_of_range(index: usize) -> Option<String> {
    (index > 0).then(|| format!("range-{index}"))
}

/// What every guest is told. An option without a value is one that dnsmasq shall not make up.
fn network_options(guest: &GuestServices) -> ConfigLines {
    let mut lines = ConfigLines::default();
    let ipv4 = |address: &IpAddr| match address {
        IpAddr::V4(address) if !address.is_unspecified() => Some(*address),
        _ => None,
    };
    for (index, range) in guest.ranges.iter().enumerate() {
        let tag = tag_of_range(index).map(|tag| format!("tag:{tag},")).unwrap_or_default();
        let option = |name: &str, addresses: &[Ipv4Addr]| {
            let words = addresses.iter().map(ToString::to_string);
            std::iter::once(format!("{tag}option:{name}")).chain(words).collect::<Vec<_>>().join(",")
        };
        lines.add(option("router", range.gateway.as_slice()));
        let own = guest.dns.then_some(range.address);
        let resolvers = distinct(own.into_iter().chain(guest.resolvers.iter().filter_map(ipv4)));
        lines.add(option("dns-server", &resolvers));
    }
    if let Some(domain) = &guest.domain {
        lines.add(format!("option:domain-search,{domain}"));
    }
    lines
}

/// What only this NIC is told; no value means that it is not told at all.
fn own_options(reservation: &Reservation) -> BTreeMap<u8, Option<OptionValue>> {
    let mut options = BTreeMap::new();
    if !reservation.default_nic {
        options.insert(ROUTER, None);
    }
    let is_option = |name: &&HostName| reservation.is_unnamed || !is_plainly_a_name(name);
    if let Some(name) = reservation.hostname.as_ref().filter(is_option) {
        options.insert(HOST_NAME, Some(OptionValue::host_name(name)));
    }
    options.extend(reservation.options.iter().map(|(number, value)| (*number, Some(value.clone()))));
    options
}

/// Whether dnsmasq takes the name for a name among the words of a reservation: `10.1.1.9` is an address there,
/// `2m` or `45` the time of a lease, `ignore` and `infinite` are orders, and a second label is a domain.
fn is_plainly_a_name(name: &HostName) -> bool {
    let name = name.as_str();
    let (all_but_last, _) = name.split_at(name.len() - 1);
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !all_but_last.bytes().all(|byte| byte.is_ascii_digit())
        && !["ignore", "infinite"].iter().any(|order| name.eq_ignore_ascii_case(order))
        || name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}
