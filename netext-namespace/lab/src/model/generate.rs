//! Random commands that the management server could send to a router as it is.

use std::net::Ipv4Addr;

use super::cidr::Cidr;
use super::expected::ExpectedRouter;
use super::packet::{TCP, UDP};
use super::random::{Random, outside_network};
use super::rule::{PacketKind, PacketMatch};
use super::site::{GUESTS, PUBLIC_VLANS, Site, Tier, public_address};
use super::step::{BalancerRule, Detour, FirewallRules, ListItem, PortForward, Step};
use crate::payload::SourceNat;

/// Public and private ports of forwards: no two overlap, because what wins then is not said.
const FORWARDED: [((u16, u16), u16); 6] = [
    ((22, 22), 22),
    ((2222, 2222), 22),
    ((8080, 8090), 8080),
    ((9000, 9007), 7000),
    ((1000, 1999), 1000),
    ((60_000, 65_535), 60_000),
];
/// The ports of balancers.
const BALANCED: [u16; 3] = [80, 443, 5353];
/// The most rules of one list. Few are as likely as many.
const MOST_RULES: u32 = 24;

/// A command that makes sense now.
pub(super) fn next_step(router: &ExpectedRouter, random: &mut Random) -> Step {
    loop {
        let step = any_step(router, random);
        if router.may(&step) {
            return step;
        }
    }
}

fn any_step(router: &ExpectedRouter, random: &mut Random) -> Step {
    let site = router.site;
    if site == Site::Vpc && !router.has_vpc {
        return Step::ImplementVpc(public_address(101, 0));
    }
    let tier = random.pick(site.tiers());
    let is_idle = router.in_force().count() == 0;
    let network = router.network(tier);
    let public = public_of(router, tier, random);
    let private = site.guest(tier, random.pick(&GUESTS));
    match random.below(if is_idle { 4 } else { 100 }) {
        0..4 => Step::Implement(tier),
        4 => Step::Shutdown(tier),
        5 => Step::Destroy(tier),
        6 => Step::LeaveBy(public_address(random.pick(&PUBLIC_VLANS), 0)),
        7..22 => {
            let is_source = site == Site::Isolated && (router.source_nat.is_none() || random.one_in(8));
            let kind = if is_source { SourceNat::Yes } else { SourceNat::No };
            Step::Assign(tier, own_public(site, tier, random), kind)
        }
        22..25 => Step::Release(tier, public),
        25..36 => Step::AddStatic(tier, public, private),
        36..39 => match random.choose(&network.statics) {
            Some((public, private)) => Step::DeleteStatic(tier, public, private),
            None => Step::DeleteStatic(tier, public, private),
        },
        39..52 => Step::AddForward(tier, forward(public, private, random)),
        52..55 => {
            let known = random.choose(&network.forwards);
            Step::DeleteForward(tier, known.unwrap_or_else(|| forward(public, private, random)))
        }
        55..64 => Step::Balance(tier, vec![balancer(router, tier, public, random)]),
        64..68 => add_detour(tier, site, random),
        68..70 => match random.choose(&router.detours) {
            Some((tier, detour)) => Step::DeleteDetour(tier, detour),
            None => add_detour(tier, site, random),
        },
        _ if site == Site::Isolated => Step::Firewall(tier, firewall(router, random)),
        _ => Step::AccessList(tier, access_list(random)),
    }
}

/// An address that the network may use, if there is one.
fn public_of(router: &ExpectedRouter, tier: Tier, random: &mut Random) -> Ipv4Addr {
    let usable = router.addresses.iter().filter(|(_, owner)| owner.is_none_or(|owner| owner == tier));
    let usable: Vec<_> = usable.map(|(address, _)| *address).collect();
    random.choose(&usable).unwrap_or(public_address(101, 0))
}

/// An address that belongs to this network and no other.
fn own_public(site: Site, tier: Tier, random: &mut Random) -> Ipv4Addr {
    let number = u8::try_from(random.below(3)).expect("a small number");
    let number = if site == Site::Vpc { 1 + number * 3 + tier } else { number };
    public_address(random.pick(&PUBLIC_VLANS), number)
}

fn forward(public: Ipv4Addr, private: Ipv4Addr, random: &mut Random) -> PortForward {
    let (ports, first_private) = random.pick(&FORWARDED);
    PortForward { protocol: random.pick(&[TCP, UDP]), public, ports, private, first_private }
}

fn balancer(router: &ExpectedRouter, tier: Tier, public: Ipv4Addr, random: &mut Random) -> BalancerRule {
    let (protocol, port) = (random.pick(&[TCP, UDP, UDP]), random.pick(&BALANCED));
    // A rule of an earlier command, or the only one of its public end.
    let earlier = router.networks.iter().flat_map(|network| &network.balancers);
    let mut earlier =
        earlier.filter(|rule| (rule.public, rule.protocol, rule.port) == (public, protocol, port));
    let earlier = earlier.next().cloned();
    let number = u32::from(port) * 2 + u32::from(protocol == UDP);
    let id = u32::from(public) % 10_000 * 100_000 + number;
    let mut members = Vec::new();
    for _ in 0..random.below(4) {
        let of = if random.one_in(3) { random.pick(router.site.tiers()) } else { tier };
        let member = (router.site.guest(of, random.pick(&GUESTS)), random.pick(&[80, 8080, 53]));
        if !members.contains(&member) {
            members.push(member);
        }
    }
    let earlier_members = earlier.as_ref().map(|rule| rule.members.clone()).unwrap_or_default();
    let revoked_members = earlier_members.into_iter().filter(|member| !members.contains(member)).collect();
    let is_revoked = earlier.is_some() && random.one_in(4);
    BalancerRule { id, protocol, public, port, is_revoked, members, revoked_members }
}

fn add_detour(tier: Tier, site: Site, random: &mut Random) -> Step {
    let table = 100 + random.below(3);
    let from = if random.one_in(2) {
        site.subnet(tier)
    } else {
        Cidr::around(site.guest(tier, random.pick(&GUESTS)), random.pick(&[25, 28, 32]))
    };
    let to = Cidr::around(super::random::outside_address(random), random.pick(&[16, 24, 26, 32]));
    Step::AddDetour(tier, Detour { table, from, to, vlan: random.pick(&PUBLIC_VLANS) })
}

fn firewall(router: &ExpectedRouter, random: &mut Random) -> FirewallRules {
    let addresses: Vec<_> = router.addresses.iter().map(|(address, _)| *address).collect();
    let count = random.below(MOST_RULES);
    let mut rules =
        FirewallRules { egress_allowed: random.one_in(2), ingress: Vec::new(), egress: Vec::new() };
    for _ in 0..count {
        if random.one_in(3) {
            rules.egress.push(egress(router.site, random));
        } else if let Some(public) = random.choose(&addresses) {
            let sources = networks(random);
            rules
                .ingress
                .push((public, PacketMatch { kind: kind(random, false), sources, destinations: Vec::new() }));
        }
    }
    rules
}

fn egress(site: Site, random: &mut Random) -> PacketMatch {
    let sources = match random.below(3) {
        0 => Vec::new(),
        1 => vec![Cidr::around(site.guest(1, random.pick(&GUESTS)), 32)],
        _ => vec![Cidr::around(site.guest(1, random.pick(&GUESTS)), random.pick(&[25, 26, 28, 31]))],
    };
    PacketMatch { kind: kind(random, false), sources, destinations: networks(random) }
}

fn access_list(random: &mut Random) -> Vec<ListItem> {
    let count = random.below(MOST_RULES);
    let item = |position: u32, random: &mut Random| {
        let packets = PacketMatch {
            kind: kind(random, true),
            sources: networks_of_list(random),
            destinations: Vec::new(),
        };
        let (allows, is_ingress) = (random.below(5) < 3, random.one_in(2));
        ListItem { number: position * 3 + 1, allows, is_ingress, packets }
    };
    (0..count).map(|position| item(position, random)).collect()
}

fn networks(random: &mut Random) -> Vec<Cidr> {
    (0..random.pick(&[1, 1, 1, 2, 3])).map(|_| outside_network(random)).collect()
}

/// The other end may be another tier.
fn networks_of_list(random: &mut Random) -> Vec<Cidr> {
    if random.one_in(3) {
        let tier = random.pick(Site::Vpc.tiers());
        return vec![Cidr::around(
            Site::Vpc.guest(tier, random.pick(&GUESTS)),
            random.pick(&[16, 24, 26, 32]),
        )];
    }
    networks(random)
}

fn kind(random: &mut Random, may_be_number: bool) -> PacketKind {
    let ports = ports(random);
    match random.below(if may_be_number { 12 } else { 10 }) {
        0 => PacketKind::All,
        1..5 => PacketKind::Tcp(ports),
        5..8 => PacketKind::Udp(ports),
        8..10 => {
            let kind = random.pick(&[None, Some(8), Some(8), Some(13), Some(15), Some(0)]);
            let code = if kind.is_some() { random.pick(&[None, Some(0), Some(0), Some(1)]) } else { None };
            PacketKind::Icmp(kind, code)
        }
        _ => match random.pick(&[TCP, UDP, 1, 50, 99]) {
            protocol @ (TCP | UDP) => PacketKind::Number(protocol, ports),
            protocol => PacketKind::Number(protocol, None),
        },
    }
}

fn ports(random: &mut Random) -> Option<(u16, u16)> {
    let port =
        random.pick(&[1, 22, 53, 80, 443, 1000, 1500, 2222, 5353, 7003, 8080, 8085, 9003, 60_100, 65_535]);
    match random.below(8) {
        0 => None,
        1..4 => Some((port, port)),
        4 => Some((1, 65_535)),
        _ => {
            let length = random.pick(&[1, 2, 5, 7, 100, 1023, 1024, 20_000]);
            Some((port, port.saturating_add(length)))
        }
    }
}
