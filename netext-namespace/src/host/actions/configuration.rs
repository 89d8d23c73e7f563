//! The configuration of a router: its rules as a table, and the documents that it compiles to.

use netext_core::DeviceError;
use netext_protocol::{ActionResult, Direction, FirewallSubject, NetworkId, Traffic};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{ActionCall, ActionOutcome, row};
use crate::compile::CompiledRouter;
use crate::host::services;
use crate::model::{PublicAddress, Router, Tier};

/// A row per rule: of the firewall, of access lists, of balancers, and of translations of public addresses.
pub(super) async fn firewall_rules(call: ActionCall<'_>) -> ActionOutcome {
    Ok(ActionResult::rows(rules(&call.read()?)))
}

/// The rows of a router's rules.
pub(crate) fn rules(router: &Router) -> Vec<Map<String, Value>> {
    let mut rows = Vec::new();
    for (network, tier) in &router.tiers {
        firewall(*network, tier, &mut rows);
        access_list(*network, tier, &mut rows);
        balancers(*network, tier, &mut rows);
    }
    for (ip, address) in &router.addresses {
        translations(router, &ip.to_string(), address, &mut rows);
    }
    rows
}

fn firewall(network: NetworkId, tier: &Tier, rows: &mut Vec<Map<String, Value>>) {
    let Some(firewall) = &tier.firewall else { return };
    let (listed, default) = if firewall.default_egress_allow { ("deny", "allow") } else { ("allow", "deny") };
    for rule in &firewall.rules {
        let (direction, action, destinations) = match rule.subject {
            FirewallSubject::Ingress { public_ip } => ("ingress", "allow", public_ip.to_string()),
            _ => ("egress", listed, joined(&rule.dest_cidrs)),
        };
        let (protocol, ports, icmp) = words(rule.traffic);
        rows.push(row([
            ("kind", "firewall".into()),
            ("network", network.to_string().into()),
            ("id", rule.id.into()),
            ("direction", direction.into()),
            ("action", action.into()),
            ("protocol", protocol.into()),
            ("ports", ports.into()),
            ("icmp", icmp.into()),
            ("source", joined(&rule.source_cidrs).into()),
            ("destination", destinations.into()),
        ]));
    }
    rows.push(row([
        ("kind", "firewall".into()),
        ("network", network.to_string().into()),
        ("direction", "egress".into()),
        ("action", default.into()),
        ("protocol", "all".into()),
        ("source", "any".into()),
        ("destination", "any".into()),
    ]));
}

/// In the order of evaluation; packets that match no item are denied.
fn access_list(network: NetworkId, tier: &Tier, rows: &mut Vec<Map<String, Value>>) {
    for item in tier.access_list.iter().flatten() {
        let (protocol, ports, icmp) = words(item.traffic);
        // The first list has the addresses of the other end, whichever way the traffic flows.
        let (source, destination) = match item.direction {
            Direction::Ingress => (&item.source_cidrs, &item.dest_cidrs),
            Direction::Egress => (&item.dest_cidrs, &item.source_cidrs),
        };
        rows.push(row([
            ("kind", "access-list".into()),
            ("network", network.to_string().into()),
            ("id", item.id.into()),
            ("number", item.number.into()),
            ("direction", item.direction.to_string().into()),
            ("action", item.action.to_string().into()),
            ("protocol", protocol.into()),
            ("ports", ports.into()),
            ("icmp", icmp.into()),
            ("source", joined(source).into()),
            ("destination", joined(destination).into()),
        ]));
    }
}

fn balancers(network: NetworkId, tier: &Tier, rows: &mut Vec<Map<String, Value>>) {
    for (id, balancer) in &tier.balancers {
        let members: Vec<_> = balancer.members.iter().map(ToString::to_string).collect();
        rows.push(row([
            ("kind", "balancer".into()),
            ("network", network.to_string().into()),
            ("id", (*id).into()),
            ("protocol", balancer.protocol.to_string().into()),
            ("algorithm", balancer.algorithm.to_string().into()),
            ("public", balancer.public.ip().to_string().into()),
            ("ports", balancer.public.port().to_string().into()),
            ("members", members.join(",").into()),
        ]));
    }
}

fn translations(router: &Router, ip: &str, address: &PublicAddress, rows: &mut Vec<Map<String, Value>>) {
    let network = || Value::from(address.network.map(|network| network.to_string()));
    if router.source_nat.is_some_and(|source_nat| source_nat.to_string() == ip) {
        rows.push(row([("kind", "source-nat".into()), ("network", network()), ("public", ip.into())]));
    }
    if let Some(guest) = address.static_nat {
        rows.push(row([
            ("kind", "static-nat".into()),
            ("network", network()),
            ("public", ip.into()),
            ("guest", guest.to_string().into()),
        ]));
    }
    for (key, forward) in &address.forwards {
        rows.push(row([
            ("kind", "port-forward".into()),
            ("network", network()),
            ("protocol", key.protocol.to_string().into()),
            ("public", ip.into()),
            ("ports", key.ports.to_string().into()),
            ("guest", forward.guest.to_string().into()),
            ("guest-ports", forward.ports.to_string().into()),
        ]));
    }
}

/// A rule's protocol, ports and ICMP type.
fn words(traffic: Traffic) -> (String, Option<String>, Option<String>) {
    match traffic {
        Traffic::All => ("all".to_owned(), None, None),
        Traffic::Tcp(ports) => ("tcp".to_owned(), Some(ports.to_string()), None),
        Traffic::Udp(ports) => ("udp".to_owned(), Some(ports.to_string()), None),
        Traffic::Icmp { icmp_type, icmp_code } => {
            let number =
                |number: Option<u8>| number.map_or_else(|| "any".to_owned(), |number| number.to_string());
            ("icmp".to_owned(), None, Some(format!("type {} code {}", number(icmp_type), number(icmp_code))))
        }
        Traffic::Protocol(number) => (number.to_string(), None, None),
        // A kind of traffic of a later version.
        other => (format!("{other:?}"), None, None),
    }
}

fn joined(networks: &[ipnet::IpNet]) -> String {
    let words: Vec<_> = networks.iter().map(ToString::to_string).collect();
    if words.is_empty() { "any".to_owned() } else { words.join(",") }
}

/// A row per document: its name and its content. Instance metadata is not included: user data and passwords are secret.
pub(super) async fn dump(call: ActionCall<'_>) -> ActionOutcome {
    let router = call.read()?;
    let compiled = CompiledRouter::new(&router);
    let mut documents = vec![
        ("state.json".to_owned(), json(&router)?),
        ("links.json".to_owned(), json(compiled.links())?),
        ("rules.nft".to_owned(), compiled.packets().create()),
    ];
    for plan in services::plans(call.store, &compiled)? {
        let folder =
            plan.daemon.folder.strip_prefix(call.store.root()).unwrap_or(&plan.daemon.folder).to_owned();
        documents.extend(
            plan.files.into_iter().map(|file| (folder.join(file.name).display().to_string(), file.content)),
        );
    }
    let rows = documents
        .into_iter()
        .map(|(name, content)| row([("name", name.into()), ("content", content.into())]));
    Ok(ActionResult::rows(rows.collect()))
}

fn json(document: &impl Serialize) -> Result<String, DeviceError> {
    serde_json::to_string(document)
        .map_err(|error| DeviceError::internal("a document has no JSON form").with_source(error))
}
