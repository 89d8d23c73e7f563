//! One haproxy per router, for load balancing over TCP.

use std::collections::{BTreeSet, HashSet};
use std::net::SocketAddrV4;

use netext_protocol::{LoadBalancerAlgorithm, LoadBalancerProtocol, TransportProtocol};

use super::ConfigLines;
use crate::model::BalancerInForce;
use crate::plan::{
    ChangeNotice, CommandLine, ConfigFile, Daemon, DaemonAccount, DaemonPlan, DaemonSuccessor, HealthQuestion,
};

const CONFIGURATION: &str = "haproxy.cfg";
const SOCKET: &str = "haproxy.sock";
const DEAD_MEMBERS: &str = "dead-members";

/// Whether haproxy serves a rule. It does not listen for a rule without members: the kernel refuses connections.
fn is_served_by_haproxy(balancer: &BalancerInForce<'_>) -> bool {
    balancer.rule.transport() == TransportProtocol::Tcp && !balancer.members.is_empty()
}

/// Whether any of the rules needs haproxy.
pub fn needs_haproxy(balancers: &[BalancerInForce<'_>]) -> bool {
    balancers.iter().any(is_served_by_haproxy)
}

/// The load balancer with the rules that it serves; `None` if it serves none.
pub fn haproxy(
    daemon: Daemon,
    account: DaemonAccount,
    balancers: &[BalancerInForce<'_>],
) -> Option<DaemonPlan> {
    let served: Vec<_> = balancers.iter().filter(|balancer| is_served_by_haproxy(balancer)).collect();
    if served.is_empty() {
        return None;
    }
    let path = |name: &str| daemon.folder.join(name).display().to_string();
    let start = CommandLine {
        program: daemon.program.name().to_owned(),
        arguments: ["-D", "-f", &path(CONFIGURATION), "-p", &path(&daemon.pid_file)]
            .map(str::to_owned)
            .into(),
        package: "haproxy",
    };
    let mut successor = start.clone();
    successor.arguments.extend(["-x".to_owned(), path(SOCKET)]);
    let successor = DaemonSuccessor { start: successor, socket: SOCKET, dead_members: DEAD_MEMBERS };
    let content = configuration(&daemon, &account, &served);
    let files = vec![ConfigFile { name: CONFIGURATION, content, on_change: ChangeNotice::Restart }];
    Some(DaemonPlan {
        daemon,
        account,
        files,
        start,
        successor: Some(successor),
        interfaces: BTreeSet::new(),
        health: HealthQuestion::RuntimeSocket(SOCKET),
    })
}

fn configuration(daemon: &Daemon, account: &DaemonAccount, served: &[&BalancerInForce<'_>]) -> String {
    let mut lines = ConfigLines::default();
    lines.add("# Written by netext-namespace; changes are overwritten.");
    global(daemon, account, &mut lines);
    defaults(&mut lines);
    for balancer in served {
        rule(balancer, &mut lines);
    }
    lines.0
}

fn global(daemon: &Daemon, account: &DaemonAccount, lines: &mut ConfigLines) {
    let folder = daemon.folder.display();
    lines.add("global");
    lines.add(format!("    user {}", account.user));
    lines.add(format!("    group {}", account.group));
    lines.add(format!("    chroot '{folder}'"));
    // A successor takes over the listening sockets through it, and root reads the members' state.
    lines.add(format!("    stats socket '{folder}/{SOCKET}' mode 600 level user expose-fd listeners"));
    // A successor starts with the state that its predecessor knows.
    lines.add(format!("    server-state-file '{folder}/{DEAD_MEMBERS}'"));
    // A predecessor runs until its last connection ends. A limit keeps connections that are never closed from
    // keeping many predecessors of a router that changes often.
    lines.add("    hard-stop-after 8h");
    // A tenant's share of a host's memory and processors; members take turns exactly.
    lines.add("    maxconn 8192");
    lines.add("    nbthread 1");
    // If the host allows fewer descriptors, serve fewer connections instead of none.
    lines.add("    no strict-limits");
    // haproxy would read every certificate of the host for HTTP requests of its own, which takes two thirds of its
    // start. It makes no such requests here.
    lines.add(".if version_atleast(2.6)");
    lines.add("    httpclient.ssl.verify none");
    lines.add(".endif");
}

fn defaults(lines: &mut ConfigLines) {
    lines.add("defaults");
    lines.add("    mode tcp");
    lines.add("    timeout connect 2s");
    // An idle connection lives as long as a translated one. Keep-alives detect a dead peer.
    lines.add("    timeout client 1d");
    lines.add("    timeout server 1d");
    for side in ["cli", "srv"] {
        lines.add(format!("    option {side}tcpka"));
        lines.add(format!("    {side}tcpka-idle 5m"));
        lines.add(format!("    {side}tcpka-intvl 30s"));
        lines.add(format!("    {side}tcpka-cnt 6"));
    }
    // As long as the kernel tracks a connection that one side has closed.
    lines.add("    timeout client-fin 2m");
    lines.add("    timeout server-fin 2m");
    lines.add("    load-server-state-from-file global");
    // A connection to a member that has just died goes to another one.
    lines.add("    option redispatch 1");
    // A member that dies right after a check is out 2 s later at the next one, plus 2 s of timeout, 1 s, and 1 s to
    // 2 s.
    lines.add("    default-server check inter 2s fastinter 1s fall 2 rise 2");
}

/// A rule is named by its id, a member by its address: no text of a tenant is in here.
fn rule(balancer: &BalancerInForce<'_>, lines: &mut ConfigLines) {
    let rule = balancer.rule;
    lines.add(format!("listen rule-{}", balancer.id));
    // Transparent: can be bound before an interface has the address, and whichever interface it moves to.
    lines.add(format!("    bind {} transparent", rule.public));
    lines.add(format!("    balance {}", rule.algorithm));
    let by_source = rule.algorithm == LoadBalancerAlgorithm::Source;
    if by_source {
        // When members come and go, most clients keep theirs.
        lines.add("    hash-type consistent sdbm avalanche");
    }
    let header = if rule.protocol == LoadBalancerProtocol::TcpProxy { " send-proxy" } else { "" };
    for (member, number) in balancer.members.iter().zip(numbers(&balancer.members)) {
        // The weight makes the members' shares more even.
        let place = if by_source { format!(" id {number} weight 16") } else { String::new() };
        lines.add(format!("    server {member} {member}{place}{header}"));
    }
}

/// A number for each member, by which a consistent hash spreads clients. It must not depend on the other members,
/// as far as possible: two members may be two ports of one address.
fn numbers(members: &[SocketAddrV4]) -> impl Iterator<Item = u32> {
    const LARGEST: u32 = 0x7fff_ffff;
    let mut taken = HashSet::new();
    members.iter().map(move |member| {
        let mut number = u32::from(*member.ip()) & LARGEST;
        while number == 0 || !taken.insert(number) {
            number = (number + 1) & LARGEST;
        }
        number
    })
}
