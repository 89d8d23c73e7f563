//! The kernel's limits that the host sets for its routers: for all together, or for each.
//!
//! No other parameter of the host matters: forwarding, reverse path filters and the like belong to each namespace, and
//! routers set their own.

use std::fs;

use super::finding::DoctorFinding;
use crate::model::Router;

/// How many connections one haproxy may have, each tracked on both sides.
const TRACKED_BY_ONE_BALANCER: u64 = 2 * 8192;

pub(super) fn findings(routers: &[Router]) -> Vec<DoctorFinding> {
    let needed = NeighbourCount::of(routers);
    let limits = [
        connections(parameter("netfilter/nf_conntrack_max")),
        room("ipv4", needed.ipv4, parameter("ipv4/neigh/default/gc_thresh3")),
        room("ipv6", needed.ipv6, parameter("ipv6/neigh/default/gc_thresh3")),
    ];
    limits.into_iter().flatten().collect()
}

/// A parameter; `None` if its module is not loaded, or if this is not the host's own namespace.
fn parameter(name: &str) -> Option<u64> {
    fs::read_to_string(format!("/proc/sys/net/{name}")).ok()?.trim().parse().ok()
}

/// Each router may track as many connections as the host itself.
fn connections(limit: Option<u64>) -> Option<DoctorFinding> {
    let subject = "tracked connections";
    Some(match limit? {
        limit if limit < TRACKED_BY_ONE_BALANCER => DoctorFinding::warning(
            subject,
            format!("each router may track {limit}; a busy load balancer needs {TRACKED_BY_ONE_BALANCER}"),
            "sysctl -w net.netfilter.nf_conntrack_max=262144, and add it to /etc/sysctl.d",
        ),
        limit => DoctorFinding::ok(subject, format!("each router may track {limit}")),
    })
}

/// How many neighbours the routers must know at once. One table of the kernel holds those of all namespaces, and a
/// neighbour without room in it cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct NeighbourCount {
    ipv4: u64,
    ipv6: u64,
}

impl NeighbourCount {
    fn of(routers: &[Router]) -> Self {
        let mut needed = Self::default();
        for router in routers {
            needed.ipv4 += router.addresses_by_segment().count() as u64;
            for (_, tier) in router.implemented_tiers() {
                let guests = tier.nics.len() as u64;
                needed.ipv4 += guests;
                // A global and a link-local address each.
                needed.ipv6 += tier.ipv6.map_or(0, |_| 2 * guests);
            }
        }
        needed
    }
}

/// Whether the table has room for them.
fn room(family: &str, needed: u64, limit: Option<u64>) -> Option<DoctorFinding> {
    let (subject, limit) = (format!("{family} neighbours"), limit?);
    // The host and its bridges have neighbours, too.
    if needed > limit / 4 * 3 {
        let [first, second, third] = [needed, needed * 2, needed * 4];
        return Some(DoctorFinding::warning(
            subject,
            format!("routers have {needed}, and the host has room for {limit}; the others cannot be reached"),
            format!(
                "sysctl -w net.{family}.neigh.default.gc_thresh3={third} net.{family}.neigh.default.gc_thresh2={second} \
                 net.{family}.neigh.default.gc_thresh1={first}, and add it to /etc/sysctl.d"
            ),
        ));
    }
    Some(DoctorFinding::ok(subject, format!("routers have {needed}, and the host has room for {limit}")))
}

#[cfg(test)]
mod tests {
    use netext_protocol::NetworkId;

    use super::super::finding::FindingLevel;
    use super::*;
    use crate::model::{GuestNic, RouterId, Tier};

    fn level(finding: Option<DoctorFinding>) -> Option<FindingLevel> {
        finding.map(|finding| finding.level)
    }

    #[test]
    fn a_router_must_be_able_to_track_the_connections_of_its_balancer() {
        assert_eq!(level(connections(Some(16_383))), Some(FindingLevel::Warning));
        assert_eq!(level(connections(Some(262_144))), Some(FindingLevel::Ok));
        assert_eq!(level(connections(None)), None);
    }

    #[test]
    fn guests_of_all_routers_share_one_table_of_neighbours() {
        let router = |id: u64| {
            let mut router = Router::new(RouterId::Network(NetworkId::new(id)));
            let mut tier = Tier { implemented: true, ..Tier::default() };
            tier.nics = (0..200_u8)
                .map(|last| GuestNic { ip: Some([10, 1, 1, last].into()), ..GuestNic::default() })
                .collect();
            router.tiers.insert(NetworkId::new(id), tier);
            router
        };
        let few = NeighbourCount::of(&[router(1), router(2)]);
        assert_eq!(few, NeighbourCount { ipv4: 400, ipv6: 0 });
        assert_eq!(level(room("ipv4", few.ipv4, Some(1024))), Some(FindingLevel::Ok));
        let many = NeighbourCount::of(&[1, 2, 3, 4].map(router));
        let finding = room("ipv4", many.ipv4, Some(1024)).unwrap();
        assert_eq!(finding.level, FindingLevel::Warning);
        assert!(finding.remedy.unwrap().contains("net.ipv4.neigh.default.gc_thresh3=3200"));
    }
}
