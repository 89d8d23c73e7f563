//! The ports of public addresses that are balanced: over TCP they are delivered to haproxy, which lives in the
//! router, over UDP they are translated to a member here.

use std::net::SocketAddrV4;

use netext_protocol::{LoadBalancerAlgorithm, TransportProtocol};

use super::ruleset::Ruleset;
use crate::model::Router;
use crate::plan::ElementField;

/// Fixed, so that a client stays with its member whenever the rules are made anew.
const SEED: &str = "0x6e657478";

pub(super) fn compile(router: &Router, ruleset: &mut Ruleset) {
    for balancer in router.balancers_in_force() {
        let public = balancer.rule.public;
        let public = [ElementField::Ipv4(*public.ip()), ElementField::Port(public.port())];
        match (balancer.rule.transport(), balancer.members.as_slice()) {
            (TransportProtocol::Udp, []) => {
                ruleset.map("balanced_udp", public, [ElementField::Verdict("drop".to_owned())]);
            }
            (TransportProtocol::Udp, members) => {
                let chain = format!("balancer_{}", balancer.id);
                ruleset.map("balanced_udp", public, [ElementField::Verdict(format!("goto {chain}"))]);
                let choice = choice(balancer.rule.algorithm, members);
                ruleset.rule(&chain, format!("meta l4proto udp dnat ip to {choice}"));
            }
            _ => ruleset.add("balanced_tcp", public),
        }
    }
}

/// The member that a packet is for. The kernel does not count the flows of a member, so that those with the fewest
/// connections cannot be preferred: they take turns.
fn choice(algorithm: LoadBalancerAlgorithm, members: &[SocketAddrV4]) -> String {
    if let [member] = members {
        return member.to_string();
    }
    let count = members.len();
    let number = match algorithm {
        LoadBalancerAlgorithm::Source => format!("jhash ip saddr mod {count} seed {SEED}"),
        _ => format!("numgen inc mod {count}"),
    };
    let members = members.iter().enumerate();
    let members = members.map(|(number, member)| format!("{number} : {} . {}", member.ip(), member.port()));
    format!("{number} map {{ {} }}", members.collect::<Vec<_>>().join(", "))
}
