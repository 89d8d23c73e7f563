//! What the kernel allots to all routers of a host together, or to each by a number of the host's.
//!
//! Of the host's other parameters none matters: forwarding, reverse path filters and the like are each namespace's own,
//! and routers set theirs.

use std::fs;

use super::Finding;
use crate::model::Router;

/// A haproxy holds so many connections at most, and each is tracked on both sides.
const TRACKED_BY_ONE_BALANCER: u64 = 2 * 8192;

pub(super) fn findings(routers: &[Router]) -> Vec<Finding> {
    let needed = Neighbours::of(routers);
    let limits = [
        connections(parameter("netfilter/nf_conntrack_max")),
        room("ipv4", needed.ipv4, parameter("ipv4/neigh/default/gc_thresh3")),
        room("ipv6", needed.ipv6, parameter("ipv6/neigh/default/gc_thresh3")),
    ];
    limits.into_iter().flatten().collect()
}

/// What the kernel does not show has no limit that is known: it is not loaded, or this is not the host's own namespace.
fn parameter(name: &str) -> Option<u64> {
    fs::read_to_string(format!("/proc/sys/net/{name}")).ok()?.trim().parse().ok()
}

/// Each router may track as many connections as the host itself.
fn connections(limit: Option<u64>) -> Option<Finding> {
    let subject = "tracked connections";
    Some(match limit? {
        limit if limit < TRACKED_BY_ONE_BALANCER => Finding::warning(
            subject,
            format!("each router may track {limit}; one busy load balancer needs {TRACKED_BY_ONE_BALANCER}"),
            "sysctl -w net.netfilter.nf_conntrack_max=262144, and note it in /etc/sysctl.d",
        ),
        limit => Finding::ok(subject, format!("each router may track {limit}")),
    })
}

/// How many neighbours the routers have to know at once: one table of the kernel holds those of all namespaces, and
/// whoever finds no room in it is not reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Neighbours {
    ipv4: u64,
    ipv6: u64,
}

impl Neighbours {
    fn of(routers: &[Router]) -> Self {
        let mut needed = Self::default();
        for router in routers {
            needed.ipv4 += router.addresses_by_segment().count() as u64;
            for (_, tier) in router.implemented_tiers() {
                let guests = tier.nics.len() as u64;
                needed.ipv4 += guests;
                // By a global and a link-local address.
                needed.ipv6 += tier.ipv6.map_or(0, |_| 2 * guests);
            }
        }
        needed
    }
}

/// Whether there is room for them.
fn room(family: &str, needed: u64, limit: Option<u64>) -> Option<Finding> {
    let (subject, limit) = (format!("{family} neighbours"), limit?);
    // The host and its bridges have some, too.
    if needed > limit / 4 * 3 {
        let [first, second, third] = [needed, needed * 2, needed * 4];
        return Some(Finding::warning(
            subject,
            format!(
                "routers have {needed}, and there is room for {limit} of the whole host; others are cut off"
            ),
            format!(
                "sysctl -w net.{family}.neigh.default.gc_thresh3={third} net.{family}.neigh.default.gc_thresh2={second} \
                 net.{family}.neigh.default.gc_thresh1={first}, and note it in /etc/sysctl.d"
            ),
        ));
    }
    Some(Finding::ok(subject, format!("routers have {needed}, and there is room for {limit}")))
}

#[cfg(test)]
mod tests {
    use netext_protocol::NetworkId;

    use super::super::Level;
    use super::*;
    use crate::model::{GuestNic, RouterId, Tier};

    fn level(finding: Option<Finding>) -> Option<Level> {
        finding.map(|finding| finding.level)
    }

    #[test]
    fn a_router_must_be_able_to_track_what_its_balancer_holds() {
        assert_eq!(level(connections(Some(16_383))), Some(Level::Warning));
        assert_eq!(level(connections(Some(262_144))), Some(Level::Ok));
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
        let few = Neighbours::of(&[router(1), router(2)]);
        assert_eq!(few, Neighbours { ipv4: 400, ipv6: 0 });
        assert_eq!(level(room("ipv4", few.ipv4, Some(1024))), Some(Level::Ok));
        let many = Neighbours::of(&[1, 2, 3, 4].map(router));
        let finding = room("ipv4", many.ipv4, Some(1024)).unwrap();
        assert_eq!(finding.level, Level::Warning);
        assert!(finding.remedy.unwrap().contains("net.ipv4.neigh.default.gc_thresh3=3200"));
    }
}
