//! The trial: a sample router with a bit of everything, made in namespaces that no other process sees.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use netext_core::error_chain;
use netext_protocol::{
    FirewallRule, FirewallRules, FirewallSubject, LoadBalancerAlgorithm, LoadBalancerProtocol, NetworkId,
    PortRange, Segment, Traffic, TransportProtocol,
};

use super::finding::DoctorFinding;
use crate::compile::CompiledRouter;
use crate::drift::Pass;
use crate::kernel::conntrack;
use crate::kernel::links::{self as kernel_links, LinkError};
use crate::kernel::namespace::Namespace;
use crate::kernel::nft::{self, NftError};
use crate::model::{
    Balancer, ForwardKey, ForwardTarget, Ipv6Subnet, PublicAddress, Router, RouterId, SegmentDevice,
    SegmentDevices, Tier,
};
use crate::plan::{BridgePlan, FlowMatch, LinkPlan, Uplink};

const PATIENCE: Duration = Duration::from_secs(20);
const MODULES: &str =
    "load the kernel modules (modprobe nf_tables nft_nat nft_ct nf_conntrack), or run a kernel that has them";

pub(super) fn findings() -> Vec<DoctorFinding> {
    let router = sample();
    let name = router.id.namespace();
    let host = match Namespace::nameless(&name) {
        Ok(host) => host,
        Err(error) => {
            let remedy = "run a kernel with network namespaces (CONFIG_NET_NS)";
            return vec![DoctorFinding::problem("namespaces", error_chain(&error), remedy)];
        }
    };
    let mut findings = vec![DoctorFinding::ok("namespaces", "can be created")];
    match host.enter(|| on_a_host(&router)) {
        Ok(more) => findings.extend(more),
        Err(error) => findings.push(DoctorFinding::problem("namespaces", error_chain(&error), "run as root")),
    }
    findings
}

/// The checks in a namespace that represents the host.
fn on_a_host(router: &Router) -> Vec<DoctorFinding> {
    let deadline = Instant::now() + PATIENCE;
    let inside = match Namespace::nameless(&router.id.namespace()) {
        Ok(inside) => inside,
        Err(error) => return vec![DoctorFinding::problem("namespaces", error_chain(&error), "run as root")],
    };
    let mut findings = vec![ipv6()];
    let compiled = CompiledRouter::new(router);
    findings.push(match kernel_links::apply(compiled.links(), Some(&inside), &mut Pass::command()) {
        Ok(_) => {
            DoctorFinding::ok("links", "bridges, veth pairs, addresses, routes and kernel parameters work")
        }
        Err(error) => DoctorFinding::problem(
            "links",
            error_chain(&error),
            "load the kernel modules (modprobe veth bridge), or run a kernel that has them",
        ),
    });
    findings.push(vlan(compiled.links()));
    findings.extend(packet_rules(nft::run(&inside, &compiled.packets().create(), deadline)));
    let flow = FlowMatch { original_destination: Some(Ipv4Addr::UNSPECIFIED), ..FlowMatch::default() };
    findings.push(match conntrack::cut(&inside, &[flow]) {
        Ok(_) => DoctorFinding::ok("connection tracking", "connections can be listed and cut"),
        Err(error) => DoctorFinding::problem(
            "connection tracking",
            error_chain(&error),
            "modprobe nf_conntrack nf_conntrack_netlink",
        ),
    });
    findings
}

/// The finding about nft's answer to the rules of the sample; `None` if nft itself cannot be used, which is a finding
/// of its own.
fn packet_rules(answer: Result<(), NftError>) -> Option<DoctorFinding> {
    let subject = "packet rules";
    let error = match answer {
        Ok(()) => {
            return Some(DoctorFinding::ok(subject, "sets, maps, NAT and load balancing in nftables work"));
        }
        Err(NftError::Missing | NftError::Failed { .. }) => return None,
        Err(error) => error,
    };
    let remedy = match error {
        NftError::TimedOut { .. } => "check the load of this host, and try again",
        NftError::Namespace(_) => "run as root",
        _ => MODULES,
    };
    Some(DoctorFinding::problem(subject, error_chain(&error), remedy))
}

fn ipv6() -> DoctorFinding {
    if has_ipv6() {
        return DoctorFinding::ok("IPv6", "is enabled");
    }
    let remedy = "boot without ipv6.disable=1 if instances need IPv6";
    DoctorFinding::warning("IPv6", "is disabled in this kernel", remedy)
}

fn has_ipv6() -> bool {
    Path::new("/proc/sys/net/ipv6").exists()
}

/// A VLAN on a link of the trial.
fn vlan(plan: &LinkPlan) -> DoctorFinding {
    let port = plan.namespace.iter().flat_map(|router| &router.interfaces).next();
    let Some(device) = port.map(|port| port.peer.clone()) else {
        return DoctorFinding::ok("802.1Q", "was not tested");
    };
    let [name, bridge] = ["doctor.7", "brdoctor-7"].map(|name| name.parse().expect("short names are valid"));
    let bridges = vec![BridgePlan { name: bridge, uplink: Uplink::Vlan { device, id: 7, name } }];
    match kernel_links::apply(&LinkPlan { bridges, namespace: None }, None, &mut Pass::command()) {
        Ok(_) => DoctorFinding::ok("802.1Q", "VLAN interfaces can be created"),
        Err(error @ LinkError::NoVlan { .. }) => DoctorFinding::warning(
            "802.1Q",
            error_chain(&error),
            "needed if guest or public traffic is tagged; not needed with the device 'none' or with your own bridges",
        ),
        Err(error) => DoctorFinding::warning("802.1Q", error_chain(&error), "see above"),
    }
}

/// A router with a bit of everything.
pub(super) fn sample() -> Router {
    let network = NetworkId::new(1);
    let public = Ipv4Addr::new(198, 51, 100, 10);
    let guest = Ipv4Addr::new(10, 1, 1, 10);
    let mut router = Router::new(RouterId::Network(network));
    router.devices = SegmentDevices { guest: SegmentDevice::None, public: SegmentDevice::None };
    router.source_nat = Some(public);

    let anywhere = || vec!["0.0.0.0/0".parse().expect("a network")];
    let ports = |first, last| PortRange::new(first, last).expect("in order");
    let traffics = [
        Traffic::All,
        Traffic::Tcp(ports(22, 22)),
        Traffic::Udp(ports(1000, 1005)),
        Traffic::Icmp { icmp_type: Some(8), icmp_code: None },
        Traffic::Protocol(47),
    ];
    let rules = traffics.iter().flat_map(|traffic| {
        [FirewallSubject::Ingress { public_ip: public }, FirewallSubject::Egress]
            .map(|subject| FirewallRule::new(subject, *traffic, anywhere()))
    });
    let balancer = Balancer {
        public: std::net::SocketAddrV4::new(public, 53),
        protocol: LoadBalancerProtocol::Udp,
        algorithm: LoadBalancerAlgorithm::RoundRobin,
        members: BTreeSet::from([std::net::SocketAddrV4::new(guest, 53)]),
    };
    let tier = Tier {
        implemented: true,
        segment: Some(Segment::Untagged),
        gateway: Some(Ipv4Addr::new(10, 1, 1, 1)),
        cidr: "10.1.1.0/24".parse().ok(),
        ipv6: has_ipv6().then(|| Ipv6Subnet {
            gateway: "2001:db8::1".parse().expect("an address"),
            cidr: "2001:db8::/64".parse().expect("a network"),
        }),
        firewall: Some(FirewallRules::new(true, rules.collect::<Vec<_>>())),
        balancers: [(1, balancer)].into(),
        ..Tier::default()
    };
    router.tiers.insert(network, tier);

    let mut address = PublicAddress {
        network: Some(network),
        gateway: Some(Ipv4Addr::new(198, 51, 100, 1)),
        prefix_len: Some(24),
        static_nat: Some(guest),
        ..PublicAddress::default()
    };
    for (first, last) in [(22, 22), (8000, 8009)] {
        let key = ForwardKey { protocol: TransportProtocol::Tcp, ports: ports(first, last) };
        address.forward(key, ForwardTarget { guest, ports: ports(first, last) });
    }
    router.addresses.insert(public, address);
    router
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_fits_what_keeps_nft_from_its_work() {
        let remedy = |error| packet_rules(Err(error)).and_then(|finding| finding.remedy);
        let namespace = || "cs-net-1".to_owned();
        assert_eq!(remedy(NftError::Missing), None, "the finding about nft has the remedy");
        assert!(remedy(NftError::TimedOut { namespace: namespace() }).unwrap().contains("load of this host"));
        let refused = NftError::Refused { namespace: namespace(), complaint: String::new(), line: None };
        assert_eq!(remedy(refused).as_deref(), Some(MODULES));
    }
}
