//! One dnsmasq per network, for DHCP and DNS.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use netext_protocol::{DomainName, HostName, MacAddr};

use super::{ConfigLines, GuestServices, OptionValue, Reservation, distinct};
use crate::model::ServedRange;
use crate::plan::{ChangeNotice, CommandLine, ConfigFile, Daemon, DaemonAccount, DaemonPlan, HealthQuestion};

const CONFIGURATION: &str = "dnsmasq.conf";
const HOSTS: &str = "hosts";
const DHCP_HOSTS: &str = "dhcp-hosts";
const DHCP_OPTIONS: &str = "dhcp-opts";
/// Numbers of DHCP options.
const ROUTER: u8 = 3;
const HOST_NAME: u8 = 12;
/// The name of the router's own address, by which instances find their data.
const DATA_SERVER: &str = "data-server";
/// The longest name that DNS has room for, in bytes.
const LONGEST: usize = 253;

pub(super) fn plan(guest: &GuestServices, daemon: Daemon, account: DaemonAccount) -> DaemonPlan {
    let file = |name, content, on_change| ConfigFile { name, content, on_change };
    let leases = DhcpLeases::of(guest);
    let files = vec![
        file(CONFIGURATION, configuration(guest, &leases, &daemon, &account), ChangeNotice::Restart),
        file(HOSTS, hosts(guest), ChangeNotice::Reload),
        // A lease blocks its address for the next instance even after its reservation is gone.
        file(DHCP_HOSTS, leases.reservations, ChangeNotice::ReloadIfGrown),
        file(DHCP_OPTIONS, leases.options, ChangeNotice::Reload),
    ];
    let start = CommandLine {
        program: daemon.program.name().to_owned(),
        arguments: vec![format!("--conf-file={}", path(&daemon.folder, CONFIGURATION))],
        package: "dnsmasq-base",
    };
    let address = guest.ranges.first().map_or(Ipv4Addr::UNSPECIFIED, |range| range.address);
    let health = if guest.dns { HealthQuestion::Dns(address) } else { HealthQuestion::Dhcp(address) };
    DaemonPlan { daemon, account, files, start, successor: None, interfaces: guest.interfaces(), health }
}

fn configuration(
    guest: &GuestServices,
    leases: &DhcpLeases,
    daemon: &Daemon,
    account: &DaemonAccount,
) -> String {
    let folder = &daemon.folder;
    let mut lines = ConfigLines::default();
    lines.add("# Written by netext-namespace; changes are overwritten.");
    lines.add(format!("user={}", account.user));
    lines.add(format!("group={}", account.group));
    lines.add(format!("pid-file={}", path(folder, &daemon.pid_file)));
    // Dynamic: also serves addresses that the interface gets later.
    lines.add("bind-dynamic");
    lines.add(format!("interface={}", guest.interface));
    lines.add("except-interface=lo");
    if let Some(domain) = &guest.domain {
        lines.add(format!("domain={domain}"));
    }
    if guest.dns {
        resolver(guest, folder, &mut lines);
    } else {
        lines.add("port=0");
    }
    if guest.dhcp {
        server(guest, folder, &mut lines);
        lines.0.push_str(&leases.marked);
    }
    lines.0
}

fn resolver(guest: &GuestServices, folder: &Path, lines: &mut ConfigLines) {
    lines.add("port=53");
    lines.add("no-hosts");
    lines.add(format!("addn-hosts={}", path(folder, HOSTS)));
    // Questions about the network's own names and about private addresses are never forwarded.
    lines.add("domain-needed");
    // The data server has an address in each range: guests get the one of the range that they ask from.
    if guest.own_ipv4().len() > 1 {
        lines.add("localise-queries");
    }
    lines.add("bogus-priv");
    if let Some(domain) = &guest.domain {
        lines.add(format!("local=/{domain}/"));
    }
    lines.add("no-resolv");
    for resolver in upstream(guest) {
        lines.add(format!("server={resolver}"));
    }
}

/// The resolvers that questions are forwarded to: never the router itself, or a question would go round in circles.
fn upstream(guest: &GuestServices) -> impl Iterator<Item = &IpAddr> {
    let own: Vec<_> = guest.own_addresses().collect();
    guest.resolvers.iter().filter(move |resolver| {
        !own.contains(*resolver) && !resolver.is_unspecified() && !resolver.is_loopback()
    })
}

fn server(guest: &GuestServices, folder: &Path, lines: &mut ConfigLines) {
    for (index, range) in guest.ranges.iter().enumerate() {
        let (network, netmask) = (range.subnet.network(), range.subnet.netmask());
        let tag = tag_of_range(index).map(|tag| format!("set:{tag},")).unwrap_or_default();
        // A NIC keeps its address for as long as it exists: it need not renew it, and keeps it through an outage.
        lines.add(format!("dhcp-range={tag}{network},static,{netmask},infinite"));
        if range.is_remote() {
            lines.add(format!("shared-network={},{network}", guest.interface));
        }
    }
    // The route to a range in which the router has no address leads through a gateway, which cannot reach a guest
    // before the guest has its address.
    if guest.ranges.iter().any(ServedRange::is_remote) {
        lines.add("dhcp-broadcast");
    }
    // Unknown clients get no answer, not even a refusal.
    lines.add("dhcp-ignore=tag:!known");
    // Leases follow from the reservations alone: none is kept on disk, and a client's lease that is unknown after a
    // restart is confirmed.
    lines.add("dhcp-authoritative");
    lines.add("leasefile-ro");
    // The MAC alone identifies a NIC.
    lines.add("dhcp-ignore-clid");
    lines.add("dhcp-ignore-names");
    lines.add(format!("dhcp-hostsfile={}", path(folder, DHCP_HOSTS)));
    lines.add(format!("dhcp-optsfile={}", path(folder, DHCP_OPTIONS)));
    // Guests cannot fill the host's log.
    lines.add("quiet-dhcp");
    lines.add("dhcp-lease-max=65536");
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// The reservations of a network.
///
/// A NIC with its own options is marked with a tag. dnsmasq up to 2.90 crashes on SIGHUP after it has served a tag
/// from a file that it reads again. So these reservations are in the main configuration. The others, nearly all of
/// them, are in a file that dnsmasq reads again on SIGHUP.
#[derive(Default)]
struct DhcpLeases {
    /// Lines of the main configuration.
    marked: String,
    /// The file of reservations.
    reservations: String,
    /// The file of options.
    options: String,
}

impl DhcpLeases {
    fn of(guest: &GuestServices) -> Self {
        if !guest.dhcp {
            return Self::default();
        }
        let (mut marked, mut reservations) =
            (ConfigLines::default(), ConfigLines::with_room_for(guest.reservations.len()));
        let mut options = network_options(guest);
        // dnsmasq refuses to reserve an address twice.
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

/// The tag of the guests of a range. Guests of the first range have none: options without a tag are for them.
fn tag_of_range(index: usize) -> Option<String> {
    (index > 0).then(|| format!("range-{index}"))
}

/// The options for all guests. An option without a value keeps dnsmasq from choosing one.
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

/// The options for this NIC alone. An option without a value is not sent to it.
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

/// Whether dnsmasq reads a name as a name in a reservation: it reads `10.1.1.9` as an address there, `2m` and `45`
/// as lease times, `ignore` and `infinite` as keywords, and a second label as a domain.
fn is_plainly_a_name(name: &HostName) -> bool {
    let name = name.as_str();
    let (all_but_last, _) = name.split_at(name.len() - 1);
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !all_but_last.bytes().all(|byte| byte.is_ascii_digit())
        && !["ignore", "infinite"].iter().any(|order| name.eq_ignore_ascii_case(order))
        || name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// The file of names. A reverse lookup of an address returns the first name of its line.
fn hosts(guest: &GuestServices) -> String {
    let mut lines = ConfigLines::with_room_for(guest.records.len());
    if !guest.dns {
        return lines.0;
    }
    let domain = guest.domain.as_ref().map(DomainName::as_str);
    let own: Vec<_> = guest.own_addresses().collect();
    for address in guest.own_ipv4() {
        add(&mut lines, address.into(), &DnsNames::of(DATA_SERVER, domain));
    }
    for (address, name) in &guest.records {
        let names = DnsNames::of(name.as_str(), domain);
        let taken = names.short().is_some_and(is_taken);
        if !taken && !own.contains(address) {
            add(&mut lines, *address, &names);
        }
    }
    lines.0
}

fn add(lines: &mut ConfigLines, address: IpAddr, names: &DnsNames<'_>) {
    match (names.full(), names.short()) {
        (Some((name, domain)), Some(short)) => {
            lines.add(format_args!("{address} {name}.{domain} {short}"));
        }
        (Some((name, domain)), None) => lines.add(format_args!("{address} {name}.{domain}")),
        (None, Some(short)) => lines.add(format_args!("{address} {short}")),
        (None, None) => {}
    }
}

/// Whether no instance may have a name.
fn is_taken(name: &str) -> bool {
    [DATA_SERVER, "localhost"].iter().any(|taken| name.eq_ignore_ascii_case(taken))
}

/// The names of an instance or a server. A name of several labels is answered below the network's domain only: to
/// its neighbours, an instance called `www.example.com` must not be that host.
struct DnsNames<'a> {
    name: &'a str,
    domain: Option<&'a str>,
}

impl<'a> DnsNames<'a> {
    fn of(name: &'a str, domain: Option<&'a str>) -> Self {
        Self { name: domain.and_then(|domain| below(name, domain)).unwrap_or(name), domain }
    }

    /// The name and the domain that it is below, where DNS has room for both.
    fn full(&self) -> Option<(&'a str, &'a str)> {
        let domain = self.domain?;
        (self.name.len() + 1 + domain.len() <= LONGEST).then_some((self.name, domain))
    }

    fn short(&self) -> Option<&'a str> {
        (!self.name.contains('.')).then_some(self.name)
    }
}

/// The part of a name before the domain, if it ends with the domain.
fn below<'a>(name: &'a str, domain: &str) -> Option<&'a str> {
    let (before, end) = name.split_at_checked(name.len().checked_sub(domain.len())?)?;
    before.strip_suffix('.').filter(|_| end.eq_ignore_ascii_case(domain))
}
