//! `show`: the configuration of a router in tables.
//!
//! It reads the state alone and waits for no lock, because it is most needed when a command hangs. It shows no metadata of
//! instances.

use serde_json::{Map, Value, json};

use super::arguments::ShowArguments;
use super::error::{OperatorError, OperatorExit};
use super::screen::{FAINT, STRONG, Screen, Table, styled};
use super::sweep::routers;
use crate::host::actions::configuration::rules;
use crate::model::{PublicAddress, Router, Tier};
use crate::store::Store;

type ShowRow = Map<String, Value>;

/// A titled table: its columns in order, and rows that have some of them.
struct ShowSection {
    name: &'static str,
    columns: &'static [&'static str],
    rows: Vec<ShowRow>,
}

pub(super) fn run(
    store: &Store,
    arguments: &ShowArguments,
    screen: &mut Screen,
) -> Result<OperatorExit, OperatorError> {
    routers(store, Some(arguments.router))?;
    let router = store.read(arguments.router)?.router;
    let sections = sections(&router);
    if arguments.json {
        let mut document = Map::new();
        document.insert("router".into(), router.id.to_string().into());
        document.insert("namespace".into(), router.id.namespace().to_string().into());
        for section in sections {
            let rows = section.rows.into_iter().map(Value::Object).collect();
            document.insert(section.name.replace(' ', "_"), rows);
        }
        screen.json(&document);
    } else {
        let namespace = styled(format_args!("(namespace {})", router.id.namespace()), FAINT);
        screen.line(format_args!("{} {namespace}", styled(router.id, STRONG)));
        for section in sections.iter().filter(|section| !section.rows.is_empty()) {
            section.print(screen);
        }
    }
    Ok(OperatorExit::Healthy)
}

fn sections(router: &Router) -> Vec<ShowSection> {
    let tables = || router.policy_routing.tables();
    let section = |name, columns, rows| ShowSection { name, columns, rows };
    vec![
        section("tiers", TIERS, router.tiers.iter().map(|(id, it)| row(json!({"network": id.get()}), tier(it))).collect()),
        section("addresses", ADDRESSES, router.addresses.iter().map(|(ip, it)| row(json!({"address": ip}), address(router, *ip, it))).collect()),
        section("rules", RULES, rules(router)),
        section("balancers", BALANCERS, router.tiers.iter().flat_map(|(id, tier)| balancers(id.get(), tier)).collect()),
        section("instances", INSTANCES, router.tiers.iter().flat_map(|(id, tier)| instances(id.get(), tier)).collect()),
        section("routing tables", &["table", "name", "routes", "rules"], tables().map(|(id, table)| row(
            json!({"table": id.to_string(), "name": table.name.to_string()}),
            json!({
                "routes": table.routes.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "rules": table.rules.iter().map(|it| format!("{}: {}", it.priority, it.rule)).collect::<Vec<_>>(),
            }),
        )).collect()),
    ]
}

const TIERS: &[&str] = &[
    "network",
    "type",
    "state",
    "segment",
    "subnet",
    "other-ranges",
    "address",
    "ipv6",
    "services",
    "resolvers",
    "domain",
];

fn tier(tier: &Tier) -> Value {
    let services =
        [("dhcp", tier.services.dhcp), ("dns", tier.services.dns), ("user-data", tier.services.user_data)];
    let served: Vec<_> = services.iter().filter(|(_, served)| *served).map(|(name, _)| *name).collect();
    json!({
        "type": tier.guest_type().to_string(),
        "state": if tier.implemented { "in force" } else { "waiting" },
        "segment": tier.segment().to_string(),
        "subnet": tier.subnet(),
        "other-ranges": tier.ranges().iter().skip(1).map(|range| range.subnet).collect::<Vec<_>>(),
        "address": tier.own_addresses().first().map(ipnet::Ipv4Net::addr),
        "ipv6": tier.ipv6.map(|ipv6| ipv6.cidr),
        "services": served,
        "resolvers": tier.resolvers.dns.iter().collect::<Vec<_>>(),
        "domain": tier.resolvers.domain.as_ref().map(ToString::to_string),
    })
}

const ADDRESSES: &[&str] =
    &["address", "network", "segment", "gateway", "source-nat", "static-nat", "forwards"];

fn address(router: &Router, ip: std::net::Ipv4Addr, address: &PublicAddress) -> Value {
    let forwards = address.forwards.iter();
    let forwards: Vec<_> = forwards
        .map(|(key, to)| format!("{}/{} to {}:{}", key.protocol, key.ports, to.guest, to.ports))
        .collect();
    json!({
        "network": address.network.map(netext_protocol::NetworkId::get),
        "segment": address.segment().to_string(),
        "gateway": address.gateway,
        "source-nat": (router.source_nat == Some(ip)).then_some("yes"),
        "static-nat": address.static_nat,
        "forwards": forwards,
    })
}

const RULES: &[&str] = &[
    "kind",
    "network",
    "number",
    "direction",
    "action",
    "protocol",
    "ports",
    "icmp",
    "source",
    "destination",
    "public",
    "guest",
    "guest-ports",
];

const BALANCERS: &[&str] = &["network", "rule", "public", "protocol", "algorithm", "members"];

fn balancers(network: u64, tier: &Tier) -> Vec<ShowRow> {
    let each = tier.balancers.iter().map(|(rule, balancer)| {
        let members: Vec<_> = balancer.members.iter().map(ToString::to_string).collect();
        row(
            json!({"network": network, "rule": rule, "public": balancer.public.to_string()}),
            json!({
                "protocol": balancer.protocol.to_string(),
                "algorithm": balancer.algorithm.to_string(),
                "members": members,
            }),
        )
    });
    each.collect()
}

const INSTANCES: &[&str] = &["network", "name", "address", "ipv6", "mac", "dhcp", "dns", "default-nic"];

fn instances(network: u64, tier: &Tier) -> Vec<ShowRow> {
    let yes = |is: bool| is.then_some("yes");
    let each = tier.nics.iter().map(|nic| {
        row(
            json!({"network": network, "name": nic.hostname.as_ref().map(ToString::to_string)}),
            json!({
                "address": nic.ip,
                "ipv6": nic.ip6,
                "mac": nic.mac.map(|mac| mac.to_string()),
                "dhcp": yes(nic.reserved),
                "dns": yes(nic.naming.is_listed()),
                "default-nic": yes(nic.default_nic),
            }),
        )
    });
    each.collect()
}

/// A row with the fields of both objects, except for empty ones.
fn row(first: Value, second: Value) -> ShowRow {
    let is_set = |value: &Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
    [first, second]
        .into_iter()
        .filter_map(|object| match object {
            Value::Object(object) => Some(object),
            _ => None,
        })
        .flatten()
        .filter(|(_, value)| is_set(value))
        .collect()
}

impl ShowSection {
    fn print(&self, screen: &mut Screen) {
        screen.line("");
        screen.line(styled(self.name, STRONG));
        let is_used = |column: &&&str| self.rows.iter().any(|row| row.contains_key(**column));
        let columns: Vec<_> = self.columns.iter().filter(is_used).collect();
        let mut table = Table::new(&columns);
        for row in &self.rows {
            let words = |column: &&&str| row.get(**column).map_or_else(|| "-".to_owned(), words);
            table.row(columns.iter().map(|column| words(column).into()));
        }
        screen.text(table);
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
