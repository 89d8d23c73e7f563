//! The router between a network and external networks.

use std::net::Ipv4Addr;

use netext_core::DeviceError;

use super::outside::Outside;
use super::{INSIDE, Subnet, balancers, mac, name, router_port};
use crate::registration::Registration;
use crate::rows::Row;
use crate::state::State;

/// The router's rows, and its port of the network's switch.
pub(super) struct Router {
    pub(super) switch_port: Row,
    pub(super) rows: Vec<Row>,
}

pub(super) fn router(
    state: &State,
    registration: &Registration,
    subnet: Subnet,
) -> Result<Router, DeviceError> {
    let id = state.network.network_id;
    let name = name(id);
    let inside = format!("{name}-inside");
    let switch_port = router_port("to-router", &format!("{name}-to-router"), &inside);
    let guest_port = Row::new("Logical_Router_Port", "inside")
        .with("name", inside)
        .with("mac", mac(id, INSIDE).to_string())
        .with("networks", format!("{}/{}", subnet.gateway, subnet.cidr.prefix_len()));

    let mut rows = Vec::new();
    let (mut ports, mut default_route) = (vec![guest_port], None);
    if let Some(outside) = Outside::of(state)? {
        let (port, others) = outside.rows(state, registration, subnet)?;
        ports.push(port);
        default_route = outside.default_route();
        rows.extend(others);
    }
    let translations = translations(state, subnet);
    let balancers = balancers::rows(state);
    // Not the switch's name: OVN's tools find both kinds by name.
    let router = Row::new("Logical_Router", "router")
        .with("name", format!("{name}-router"))
        .with_rows("ports", &ports)
        .with_rows("nat", &translations)
        .with_rows("static_routes", &default_route)
        .with_rows("load_balancer", &balancers);
    rows.extend(ports.into_iter().chain(translations).chain(default_route).chain(balancers));
    rows.push(router);
    Ok(Router { switch_port, rows })
}

/// Source NAT for all guests, static NAT for some.
fn translations(state: &State, subnet: Subnet) -> Vec<Row> {
    let nat = |key: String, kind: &str, external: Ipv4Addr, logical: String| {
        Row::new("NAT", key)
            .with("type", kind)
            .with("external_ip", external.to_string())
            .with("logical_ip", logical)
    };
    let source = state.addresses.values().filter(|public| public.is_source_nat());
    let source =
        source.map(|public| nat("source-nat".to_owned(), "snat", public.public_ip, subnet.cidr.to_string()));
    let fixed = state.static_nats.iter().map(|(public, private)| {
        nat(format!("static-nat/{public}"), "dnat_and_snat", *public, private.to_string())
    });
    source.chain(fixed).collect()
}
