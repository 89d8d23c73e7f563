//! The ways out of a router whose public addresses do not share one gateway.
//!
//! An answer has to leave by the segment that its connection came in by, and a guest by the segment of the address
//! that it is seen as. The main table knows one gateway. So packets are marked with the way that their public
//! address has (see [`mod@super::packets`]), and a rule for each mark leads to a table of that way's own. With one
//! gateway nothing of this is needed, and nothing of it is there.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use netext_protocol::Segment;

use crate::model::{
    FIRST_OWN_TABLE, FirewallMark, InterfaceName, MAIN_PRIORITY, NextHop, PublicAddress, Route, RouteAction,
    Router, RoutingRule, public_interface,
};
use crate::plan::{TableRoute, TableRule};

/// Rules for answers come before all that operators have to say: whoever asked waits for them there.
const ANSWERS_PRIORITY: u32 = 500;
/// Rules for what guests begin come behind it, and before the main table.
const OWN_PRIORITY: u32 = MAIN_PRIORITY - 1;
/// The bits of a packet's mark that are ours.
const MASK: u32 = 0xff00_0000;
/// Among them the bit that tells an answer from what a guest began.
const ANSWER: u32 = 0x8000_0000;
/// As many ways as the other bits can count.
const MOST: u8 = 0x7f;

/// A way out: a gateway on a public segment.
pub(super) struct WayOut {
    number: u8,
    gateway: Ipv4Addr,
    interface: InterfaceName,
    subnets: Vec<Ipv4Net>,
    /// The public addresses whose way it is.
    pub(super) addresses: Vec<Ipv4Addr>,
}

/// The ways out of a router that has several; otherwise there is nothing to choose.
pub(super) fn ways_out(router: &Router) -> Vec<WayOut> {
    let mut ways: BTreeMap<(Segment, Ipv4Addr), Vec<(Ipv4Addr, &PublicAddress)>> = BTreeMap::new();
    for (ip, address) in router.public_addresses() {
        if let Some(gateway) = address.gateway {
            ways.entry((address.segment(), gateway)).or_default().push((ip, address));
        }
    }
    if ways.len() < 2 {
        return Vec::new();
    }
    let numbered = (1..=MOST).zip(ways);
    let way = |(number, ((segment, gateway), addresses)): (u8, ((Segment, Ipv4Addr), Vec<_>))| WayOut {
        number,
        gateway,
        interface: public_interface(router.id, &segment).1,
        subnets: subnets(&addresses),
        addresses: addresses.into_iter().map(|(ip, _)| ip).collect(),
    };
    numbered.map(way).collect()
}

fn subnets(addresses: &[(Ipv4Addr, &PublicAddress)]) -> Vec<Ipv4Net> {
    let subnets = addresses.iter().map(|(ip, address)| address.interface_address(*ip).trunc());
    let mut subnets: Vec<_> = subnets.filter(|subnet| subnet.prefix_len() < 32).collect();
    subnets.sort();
    subnets.dedup();
    subnets
}

impl WayOut {
    /// The mark of what guests begin by it.
    pub(super) fn own_mark(&self) -> u32 {
        u32::from(self.number) << MASK.trailing_zeros()
    }

    /// The mark of answers to what came in by it.
    pub(super) fn answer_mark(&self) -> u32 {
        self.own_mark() | ANSWER
    }

    /// Its table: its neighbours, and its gateway to all others.
    pub(super) fn routes(&self) -> impl Iterator<Item = TableRoute> {
        let hop = |gateway: Option<Ipv4Addr>| {
            RouteAction::Unicast(NextHop {
                gateway: gateway.map(Into::into),
                device: Some(self.interface.clone()),
                source: None,
                mtu: None,
                scope: None,
                // The plan says that it is a neighbour there, whatever the prefixes of the addresses say.
                onlink: gateway.is_some(),
            })
        };
        let route = move |subnet: Ipv4Net, gateway| TableRoute {
            table: self.table(),
            route: Route { destination: IpNet::V4(subnet), metric: None, action: hop(gateway) },
        };
        let neighbours = self.subnets.iter().map(move |subnet| (*subnet, None));
        neighbours.chain([(Ipv4Net::default(), Some(self.gateway))]).map(move |(to, via)| route(to, via))
    }

    /// The rules that lead to its table.
    pub(super) fn rules(&self) -> impl Iterator<Item = TableRule> {
        let marks = [(ANSWERS_PRIORITY, self.answer_mark()), (OWN_PRIORITY, self.own_mark())];
        marks.into_iter().map(|(priority, value)| TableRule {
            priority,
            rule: RoutingRule { mark: Some(FirewallMark { value, mask: MASK }), ..RoutingRule::default() },
            table: self.table(),
        })
    }

    fn table(&self) -> u32 {
        FIRST_OWN_TABLE + u32::from(self.number)
    }
}
