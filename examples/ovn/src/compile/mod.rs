//! Compiles a network's state to rows of the northbound database. Pure.

mod balancers;
mod firewall;
mod instances;
mod outside;
mod router;

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use netext_core::DeviceError;
use netext_core::protocol::{GuestType, MacAddr, NetworkId, Segment};

use crate::northbound::SWITCH;
use crate::registration::{Name, Registration};
use crate::rows::{Row, map};
use crate::state::State;

/// The name of a network in OVN, its tools and broadcast URIs, and the prefix of the names of its parts.
pub(crate) fn name(network: NetworkId) -> String {
    format!("cs-net-{network}")
}

/// All rows of a network.
pub(crate) fn rows(state: &State, registration: &Registration) -> Result<Vec<Row>, DeviceError> {
    let mut ports = instances::ports(state);
    let mut rows = Vec::new();
    if state.guest_type() == GuestType::Shared {
        ports.extend(uplink(state, registration)?);
    }
    if state.is_implemented && state.guest_type() == GuestType::Isolated {
        let subnet = Subnet::of(state)?;
        let router = router::router(state, registration, subnet)?;
        ports.push(router.switch_port);
        rows.extend(router.rows);
    }
    let rules = firewall::rules(state)?;
    let names = instances::names(state);
    let switch = Row::new("Logical_Switch", SWITCH)
        .with("name", name(state.network.network_id))
        .with_rows("ports", &ports)
        .with_rows("acls", &rules)
        .with_rows("dns_records", &names);
    rows.extend(instances::leases(state)?);
    rows.extend(ports.into_iter().chain(rules).chain(names));
    rows.push(switch);
    Ok(rows)
}

/// The port from a shared network's switch to the data centre's VLAN.
fn uplink(state: &State, registration: &Registration) -> Result<Option<Row>, DeviceError> {
    let name = format!("{}-uplink", name(state.network.network_id));
    state.network.vlan.as_ref().map(|vlan| localnet(&name, &registration.guest_network, vlan)).transpose()
}

/// A port to a physical network, by its name on the chassis.
fn localnet(name: &str, network: &Name, segment: &Segment) -> Result<Row, DeviceError> {
    let port = Row::new("Logical_Switch_Port", format!("uplink/{name}"))
        .with("name", name)
        .with("type", "localnet")
        .with("addresses", "unknown")
        .with("options", map([("network_name", network)]));
    match segment {
        Segment::Untagged => Ok(port),
        Segment::Vlan(id) => Ok(port.with("tag", *id)),
        other => Err(DeviceError::invalid(format!(
            "{name}: {other} is not a VLAN, and an uplink supports no other segment"
        ))),
    }
}

/// A port of a switch to a router's port.
fn router_port(key: &str, name: &str, to: &str) -> Row {
    Row::new("Logical_Switch_Port", key)
        .with("name", name)
        .with("type", "router")
        .with("addresses", "router")
        .with("options", map([("router-port", to)]))
}

/// The guests' subnet and the address of their router.
#[derive(Clone, Copy)]
struct Subnet {
    cidr: Ipv4Net,
    gateway: Ipv4Addr,
}

impl Subnet {
    fn of(state: &State) -> Result<Self, DeviceError> {
        let network = &state.network;
        let (Some(cidr), Some(gateway)) = (network.cidr, network.gateway) else {
            let message = format!("network {} has no `cidr` or no `gateway`", network.network_id);
            return Err(DeviceError::invalid(message));
        };
        Ok(Self { cidr: cidr.trunc(), gateway })
    }
}

/// MAC addresses of a router. They survive restarts, so that guests' ARP caches stay valid, and are unique for network ids
/// below 2^32.
#[allow(clippy::cast_possible_truncation, reason = "the lower bytes tell networks apart")]
fn mac(network: NetworkId, kind: u8) -> MacAddr {
    let [a, b, c, d] = (network.get() as u32).to_be_bytes();
    MacAddr::new([0x02, kind, a, b, c, d])
}

const INSIDE: u8 = 0x6e;
const OUTSIDE: u8 = 0x6f;
