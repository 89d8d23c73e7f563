//! Router advertisements by radvd.

use std::net::{IpAddr, Ipv6Addr};

use super::{AdvertisedPrefix, ConfigLines, GuestServices, distinct, joined};
use crate::plan::{ChangeNotice, CommandLine, ConfigFile, Daemon, DaemonAccount, DaemonPlan, HealthQuestion};

const CONFIGURATION: &str = "radvd.conf";
/// radvd takes no more in one statement.
const RESOLVERS_AT_ONCE: usize = 3;

pub(super) fn plan(
    guest: &GuestServices,
    ipv6: AdvertisedPrefix,
    daemon: Daemon,
    account: DaemonAccount,
) -> DaemonPlan {
    let path = |name: &str| daemon.folder.join(name).display().to_string();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let start = CommandLine {
        program: daemon.program.name().to_owned(),
        arguments: words(&[
            "-C",
            &path(CONFIGURATION),
            "-p",
            &path(&daemon.pid_file),
            "-u",
            &account.user,
            "-m",
            "stderr_syslog",
        ]),
        package: "radvd",
    };
    let content = configuration(guest, ipv6);
    let files = vec![ConfigFile { name: CONFIGURATION, content, on_change: ChangeNotice::Reload }];
    // One half reads and sends packets without privileges, the other sets what only root may set.
    let health = HealthQuestion::Halves;
    DaemonPlan { daemon, account, files, start, successor: None, interfaces: guest.interfaces(), health }
}

fn configuration(guest: &GuestServices, ipv6: AdvertisedPrefix) -> String {
    let mut lines = ConfigLines::default();
    lines.add("# Written by netext-namespace; changes are overwritten.");
    lines.add(format!("interface {} {{", guest.interface));
    lines.add("    AdvSendAdvert on;");
    lines.add(format!("    prefix {} {{", ipv6.prefix.trunc()));
    lines.add("        AdvOnLink on;");
    lines.add("        AdvAutonomous on;");
    lines.add("    };");
    for resolvers in resolvers(guest, ipv6).chunks(RESOLVERS_AT_ONCE) {
        lines.add(format!("    RDNSS {} {{ }};", joined(resolvers, " ")));
    }
    if let Some(domain) = &guest.domain {
        lines.add(format!("    DNSSL {domain} {{ }};"));
    }
    lines.add("};");
    lines.0
}

/// As with DHCP: the router first if it serves DNS, then those of the server.
fn resolvers(guest: &GuestServices, ipv6: AdvertisedPrefix) -> Vec<Ipv6Addr> {
    let own = guest.dns.then_some(ipv6.gateway);
    let sent = guest.resolvers.iter().filter_map(|resolver| match resolver {
        IpAddr::V6(resolver) => Some(*resolver),
        IpAddr::V4(_) => None,
    });
    let all = own.into_iter().chain(guest.dns6.iter().copied()).chain(sent);
    distinct(all.filter(|resolver| !resolver.is_unspecified()))
}
