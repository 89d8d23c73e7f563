//! Instances' ports, leases and names.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use netext_core::DeviceError;
use netext_core::protocol::{GuestType, MacAddr};

use super::{INSIDE, Subnet, mac, name};
use crate::rows::{Row, map, set};
use crate::state::{InstanceNic, State};

const LEASES: &str = "leases";
/// For NICs that do not carry their instance's default route: no router.
const LEASES_WITHOUT_ROUTER: &str = "leases-without-router";
/// The MTU inside a tunnel between chassis, on links of 1500 bytes.
const MTU_IN_A_TUNNEL: u16 = 1442;
const LEASE_SECONDS: u32 = 86_400;

/// A port for every NIC. Hypervisors find it by the NIC's uuid, and it accepts packets from its own addresses only.
pub(super) fn ports(state: &State) -> Vec<Row> {
    state.nics.iter().map(|(mac, nic)| port(state, *mac, nic)).collect()
}

fn port(state: &State, mac: MacAddr, nic: &InstanceNic) -> Row {
    let name = match &nic.uuid {
        Some(uuid) => uuid.to_string(),
        None => format!("{}-{}", name(state.network.network_id), mac.to_string().replace(':', "")),
    };
    let addresses = match nic.ip {
        Some(ip) => format!("{mac} {ip}"),
        None => mac.to_string(),
    };
    let row = Row::new("Logical_Switch_Port", format!("nic/{mac}"))
        .with("name", name)
        .with("addresses", addresses.clone())
        .with("port_security", addresses);
    let leases = match (nic.has_dhcp && nic.ip.is_some(), nic.is_default) {
        (false, _) => return row.with("dhcpv4_options", set::<&str>([])),
        (true, true) => LEASES,
        (true, false) => LEASES_WITHOUT_ROUTER,
    };
    row.with_rows("dhcpv4_options", [&Row::new("DHCP_Options", leases)])
}

/// The DHCP options, if any NIC gets DHCP.
pub(super) fn leases(state: &State) -> Result<Vec<Row>, DeviceError> {
    let served = || state.nics.values().filter(|nic| nic.has_dhcp && nic.ip.is_some());
    if served().next().is_none() {
        return Ok(Vec::new());
    }
    let Subnet { cidr, gateway } = Subnet::of(state)?;
    let mut options = vec![
        ("server_id", state.extension_ip.unwrap_or(gateway).to_string()),
        ("server_mac", mac(state.network.network_id, INSIDE).to_string()),
        ("lease_time", LEASE_SECONDS.to_string()),
    ];
    let resolvers: Vec<_> = state.resolvers.iter().filter(|it| it.is_ipv4()).map(IpAddr::to_string).collect();
    if !resolvers.is_empty() {
        options.push(("dns_server", format!("{{{}}}", resolvers.join(", "))));
    }
    if let Some(domain) = &state.domain {
        options.push(("domain_name", format!("\"{domain}\"")));
    }
    if state.guest_type() != GuestType::Shared {
        options.push(("mtu", MTU_IN_A_TUNNEL.to_string()));
    }
    let row = |key, options| {
        Row::new("DHCP_Options", key).with("cidr", cidr.to_string()).with("options", map(options))
    };
    let mut rows = Vec::new();
    if served().any(|nic| !nic.is_default) {
        rows.push(row(LEASES_WITHOUT_ROUTER, options.clone()));
    }
    if served().any(|nic| nic.is_default) {
        options.push(("router", gateway.to_string()));
        rows.push(row(LEASES, options));
    }
    Ok(rows)
}

/// The names that resolve in the network, in lower case, as OVN looks them up.
pub(super) fn names(state: &State) -> Option<Row> {
    if !state.serves_dns {
        return None;
    }
    // One name with two addresses is one record.
    let mut records = BTreeMap::<String, BTreeSet<Ipv4Addr>>::new();
    let mut add = |name: &str, address| {
        records.entry(name.to_ascii_lowercase()).or_default().insert(address);
        if let Some(domain) = &state.domain {
            records.entry(format!("{name}.{domain}").to_ascii_lowercase()).or_default().insert(address);
        }
    };
    if let Some(address) = state.extension_ip.or(state.network.gateway) {
        add("data-server", address);
    }
    for nic in state.nics.values().filter(|nic| nic.has_dns) {
        if let (Some(name), Some(ip)) = (&nic.hostname, nic.ip) {
            add(name.as_str(), ip);
        }
    }
    let joined = |addresses: BTreeSet<Ipv4Addr>| {
        addresses.iter().map(Ipv4Addr::to_string).collect::<Vec<_>>().join(" ")
    };
    let records = records.into_iter().map(|(name, addresses)| (name, joined(addresses)));
    Some(Row::new("DNS", "names").with("records", map(records)))
}
