//! Port forwards and load balancers: both are load balancers in OVN.

use std::net::{Ipv4Addr, SocketAddrV4};

use netext_core::protocol::{
    LoadBalancerAlgorithm, LoadBalancerProtocol, LoadBalancerRule, PortForward, TransportProtocol,
};

use super::name;
use crate::rows::{Row, map, set};
use crate::state::State;

pub(super) fn rows(state: &State) -> Vec<Row> {
    let network = name(state.network.network_id);
    let forwards = state.forwards.iter().map(|(address, forward)| {
        let ports = pairs(forward).map(|(public, private)| {
            (SocketAddrV4::new(*address, public), SocketAddrV4::new(forward.private_ip, private))
        });
        let key = format!("forward/{address}/{}/{}", forward.protocol, forward.public_port);
        Row::new("Load_Balancer", &key)
            .with("name", format!("{network}/{key}"))
            .with("protocol", forward.protocol.to_string())
            .with("vips", map(ports))
    });
    let balancers = state.balancers.values().map(|rule| {
        let members: Vec<_> = members(rule).map(|member| member.to_string()).collect();
        let address = SocketAddrV4::new(rule.public_ip, rule.public_port);
        let key = format!("balancer/{}", rule.id);
        // By default OVN distributes connections by a hash of both ends.
        let chosen_by = match rule.algorithm {
            LoadBalancerAlgorithm::Source => set(["ip_src"]),
            _ => set::<&str>([]),
        };
        Row::new("Load_Balancer", &key)
            .with("name", format!("{network}/{key}"))
            .with("protocol", transport(rule).to_string())
            .with("vips", map([(address, members.join(","))]))
            .with("selection_fields", chosen_by)
    });
    forwards.chain(balancers).collect()
}

/// Each public port of a forward with its port of the instance.
pub(super) fn pairs(forward: &PortForward) -> impl Iterator<Item = (u16, u16)> {
    let (public, private) = (forward.public_port, forward.private_port);
    public.ports().map(move |port| {
        let step = if private.is_single() { 0 } else { port - public.first() };
        (port, private.first() + step)
    })
}

/// The active members of a rule.
pub(super) fn members(rule: &LoadBalancerRule) -> impl Iterator<Item = SocketAddrV4> {
    let members = rule.backends.iter().filter(|member| !member.revoked);
    members.map(|member| SocketAddrV4::new(member.ip, member.port.unwrap_or(rule.private_port)))
}

pub(super) fn transport(rule: &LoadBalancerRule) -> TransportProtocol {
    match rule.protocol {
        LoadBalancerProtocol::Udp => TransportProtocol::Udp,
        _ => TransportProtocol::Tcp,
    }
}

/// The target of a public address: an instance as a whole, or single ports.
pub(super) enum Target {
    Instance(Ipv4Addr),
    Port { protocol: TransportProtocol, public: u16, instance: SocketAddrV4 },
}

pub(super) fn targets(state: &State, address: Ipv4Addr) -> Vec<Target> {
    let instance = state.static_nats.get(&address).map(|instance| Target::Instance(*instance));
    let forwards = state.forwards.iter().filter(|(public, _)| *public == address).flat_map(|(_, forward)| {
        pairs(forward).map(|(public, private)| Target::Port {
            protocol: forward.protocol,
            public,
            instance: SocketAddrV4::new(forward.private_ip, private),
        })
    });
    let balancers = state.balancers.values().filter(|rule| rule.public_ip == address).flat_map(|rule| {
        let port = |instance| Target::Port { protocol: transport(rule), public: rule.public_port, instance };
        members(rule).map(port)
    });
    instance.into_iter().chain(forwards).chain(balancers).collect()
}
