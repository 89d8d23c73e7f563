//! One dnsmasq per network, for DHCP and DNS.

use std::path::Path;

use super::{ConfigLines, GuestServices, dhcp, names};
use crate::model::ServedRange;
use crate::plan::{Account, CommandLine, ConfigFile, Daemon, DaemonPlan, OnChange};

const CONFIGURATION: &str = "dnsmasq.conf";
const HOSTS: &str = "hosts";
const DHCP_HOSTS: &str = "dhcp-hosts";
const DHCP_OPTIONS: &str = "dhcp-opts";

pub(super) fn plan(guest: &GuestServices, daemon: Daemon, account: Account) -> DaemonPlan {
    let file = |name, content, on_change| ConfigFile { name, content, on_change };
    let leases = dhcp::DhcpLeases::of(guest);
    let files = vec![
        file(CONFIGURATION, configuration(guest, &leases, &daemon, &account), OnChange::Restart),
        file(HOSTS, names::hosts(guest), OnChange::Reload),
        // A lease goes on blocking its address for the next instance when its reservation is gone.
        file(DHCP_HOSTS, leases.reservations, OnChange::ReloadIfGrown),
        file(DHCP_OPTIONS, leases.options, OnChange::Reload),
    ];
    let start = CommandLine {
        program: daemon.program.clone(),
        arguments: vec![format!("--conf-file={}", path(&daemon.folder, CONFIGURATION))],
        package: "dnsmasq-base",
    };
    DaemonPlan { daemon, account, files, start, successor: None, interfaces: guest.interfaces() }
}

fn configuration(
    guest: &GuestServices,
    leases: &dhcp::DhcpLeases,
    daemon: &Daemon,
    account: &Account,
) -> String {
    let folder = &daemon.folder;
    let mut lines = ConfigLines::default();
    lines.add("# Written by netext-namespace; changes are overwritten.");
    lines.add(format!("user={}", account.user));
    lines.add(format!("group={}", account.group));
    lines.add(format!("pid-file={}", path(folder, &daemon.pid_file)));
    // Dynamic: an address of the interface that comes later is served, too.
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
    // Names of our own are answered here or not at all; private addresses are nobody else's business.
    lines.add("domain-needed");
    // The data server has an address in each of several ranges: guests get the one in the range that they asked.
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

/// The resolvers that questions are forwarded to: not ourselves, or a question would go round in circles.
fn upstream(guest: &GuestServices) -> impl Iterator<Item = &std::net::IpAddr> {
    let own: Vec<_> = guest.own_addresses().collect();
    guest.resolvers.iter().filter(move |resolver| {
        !own.contains(*resolver) && !resolver.is_unspecified() && !resolver.is_loopback()
    })
}

fn server(guest: &GuestServices, folder: &Path, lines: &mut ConfigLines) {
    for (index, range) in guest.ranges.iter().enumerate() {
        let (network, netmask) = (range.subnet.network(), range.subnet.netmask());
        let tag = dhcp::tag_of_range(index).map(|tag| format!("set:{tag},")).unwrap_or_default();
        // An address is the NIC's for as long as the NIC lives: nothing of it has to be renewed, and no outage of
        // ours takes it away.
        lines.add(format!("dhcp-range={tag}{network},static,{netmask},infinite"));
        if range.is_remote() {
            lines.add(format!("shared-network={},{network}", guest.interface));
        }
    }
    // The route to a range in which we have no address leads through a gateway, which cannot reach a guest before
    // it has its address.
    if guest.ranges.iter().any(ServedRange::is_remote) {
        lines.add("dhcp-broadcast");
    }
    // No answer to strangers, not even a refusal.
    lines.add("dhcp-ignore=tag:!known");
    // Leases follow from the reservations alone: none is kept on disk, and one that is unknown after a new start
    // is confirmed.
    lines.add("dhcp-authoritative");
    lines.add("leasefile-ro");
    // A NIC is its MAC, whatever it calls itself.
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
