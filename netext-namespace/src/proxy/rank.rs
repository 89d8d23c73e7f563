//! Which host a router belongs on when it may choose: rendezvous hashing.

use siphasher::sip::SipHasher24;

use super::target::Host;
use crate::model::RouterId;

/// The hosts in the order in which a router prefers them.
///
/// Every host's score depends on itself and the router only: a host that is added takes over its share of the
/// routers and moves no other, one that is removed gives up its own. The order is the same on every management
/// server and in every version.
pub fn ranked<'a>(router: RouterId, hosts: impl IntoIterator<Item = &'a Host>) -> Vec<&'a Host> {
    let mut hosts: Vec<_> = hosts.into_iter().map(|host| (score(router, host), host)).collect();
    hosts.sort_by(|one, other| other.cmp(one));
    hosts.into_iter().map(|(_, host)| host).collect()
}

fn score(router: RouterId, host: &Host) -> u64 {
    SipHasher24::new().hash(format!("{router} {host}").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn hosts(names: &[&str]) -> Vec<Host> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn first(number: u64, hosts: &[Host]) -> &Host {
        ranked(RouterId::Network(number.into()), hosts)[0]
    }

    #[test]
    fn routers_spread_evenly_over_the_hosts() {
        let hosts = hosts(&["192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13"]);
        let mut share = BTreeMap::new();
        for number in 0..4000 {
            *share.entry(first(number, &hosts)).or_insert(0) += 1;
        }
        assert!(share.values().all(|count| (850..1150).contains(count)), "{share:?}");
    }

    #[test]
    fn a_host_that_comes_or_goes_moves_its_own_routers_only() {
        let many = hosts(&["kvm1", "kvm2", "kvm3", "kvm4", "kvm5"]);
        let fewer = &many[..4];
        let mut moved = 0;
        for number in 0..2000 {
            let (before, after) = (first(number, fewer), first(number, &many));
            if before != after {
                assert_eq!(after, &many[4]);
                moved += 1;
            }
        }
        assert!((300..500).contains(&moved), "{moved}");
    }

    #[test]
    fn the_order_never_changes() {
        let hosts = hosts(&["kvm1", "kvm2", "kvm3"]);
        let order =
            |router| ranked(router, &hosts).into_iter().map(Host::as_str).collect::<Vec<_>>().join(" ");
        assert_eq!(order(RouterId::Network(209.into())), "kvm3 kvm1 kvm2");
        assert_eq!(order(RouterId::Vpc(209.into())), "kvm1 kvm2 kvm3");
    }
}
