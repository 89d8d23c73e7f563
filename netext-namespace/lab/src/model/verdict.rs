//! What becomes of a new packet: the plain reading of the rules, one after the other.

use std::net::{IpAddr, Ipv4Addr};

use super::expected::{ExpectedNetwork, ExpectedRouter, KnownFirewall};
use super::packet::{Content, Packet, TCP};
use super::site::{PUBLIC_VLANS, Place, Site, Tier, VPC_RANGE, ipv4, public_vlan};
use super::step::{BalancerRule, ListItem};

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nobody receives it, and nobody answers.
    Dropped,
    /// It arrives in this form.
    Arrives(Place, Packet),
    /// The router answers it.
    Answered,
}

/// The possible outcomes; `None` if the documents do not say.
pub(super) type Verdict = Option<Vec<Outcome>>;

/// The outcome of a packet that is sent to the router from a place.
pub(super) fn verdict(router: &ExpectedRouter, from: Place, packet: Packet) -> Verdict {
    let (Some(source), Some(destination)) = (ipv4(packet.source), ipv4(packet.destination)) else {
        return ipv6_verdict(router, from, packet);
    };
    let flow = Flow { router, packet, source, destination, content: packet.content };
    match from {
        Place::Outside(vlan) | Place::Detour(vlan) => flow.sent_outside(vlan),
        Place::Guests(tier) => flow.sent_by_guest(router.network(tier)),
    }
}

/// Where the answer to a probe leaves the router.
///
/// An answer leaves on the segment of its request: with several public segments by the segment's gateway, whatever the
/// operator's rules say. With a single one there is no choice of segments, so the operator's rules choose a gateway.
pub(super) fn answer_place(router: &ExpectedRouter, from: Place, answer: Packet) -> Place {
    let (Some(source), Some(destination)) = (ipv4(answer.source), ipv4(answer.destination)) else {
        return from;
    };
    let Place::Outside(vlan) = from else { return from };
    let is_single = PUBLIC_VLANS.iter().filter(|vlan| router.is_on(**vlan)).count() == 1;
    let is_diverted = is_single && router.detour(source, destination).is_some();
    if is_diverted { Place::Detour(vlan) } else { from }
}

/// IPv6 ends at the router: it answers echo requests of guests to its own address, and forwards nothing.
fn ipv6_verdict(router: &ExpectedRouter, from: Place, packet: Packet) -> Verdict {
    let is_echo = matches!(packet.content, Content::Icmp { kind: 128, .. });
    let is_gateway = Some(packet.destination) == router.site.ip6_gateway().map(IpAddr::V6);
    let is_guest = matches!(from, Place::Guests(_));
    one(if is_guest && is_gateway && is_echo { Outcome::Answered } else { Outcome::Dropped })
}

#[expect(clippy::unnecessary_wraps, reason = "a verdict, like the other ones")]
fn one(outcome: Outcome) -> Verdict {
    Some(vec![outcome])
}

/// A packet on its way.
#[derive(Clone, Copy)]
struct Flow<'a> {
    router: &'a ExpectedRouter,
    packet: Packet,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    content: Content,
}

impl Flow<'_> {
    fn sent_outside(self, vlan: u8) -> Verdict {
        let Self { router, source, destination, .. } = self;
        if router.site.tier_of(source).is_some() || !router.has_address(destination) {
            return one(Outcome::Dropped);
        }
        // Which way a packet comes that another segment's gateway sends here is not said.
        if public_vlan(destination) != vlan {
            return None;
        }
        self.to_public_address(None)
    }

    fn sent_by_guest(self, network: &ExpectedNetwork) -> Verdict {
        let Self { router, source, destination, content, .. } = self;
        let site = router.site;
        if site.tier_of(source) != Some(network.tier) {
            return one(Outcome::Dropped);
        }
        if router.has_address(destination) {
            return self.to_public_address(Some(network.tier));
        }
        let is_gateway = |network: &ExpectedNetwork| destination == site.gateway(network.tier);
        if is_gateway(network) {
            let is_echo = matches!(content, Content::Icmp { kind: 8, code: 0, .. });
            return if is_echo { one(Outcome::Answered) } else { None };
        }
        match site.tier_of(destination) {
            // Guests of one network reach each other without the router.
            Some(tier) if tier == network.tier => None,
            Some(tier) => self.between_tiers(network.tier, tier, destination, content),
            None if site == Site::Vpc && VPC_RANGE.octets()[..2] == destination.octets()[..2] => {
                one(Outcome::Dropped)
            }
            None => self.to_internet(network),
        }
    }

    /// A packet to another network of the router.
    fn between_tiers(self, from: Tier, to: Tier, guest: Ipv4Addr, content: Content) -> Verdict {
        let passes = self.router.network(to).is_in_force
            && guest != self.router.site.gateway(to)
            && self.may_leave_tier(from, guest, content)
            && self.may_enter_tier(to, content);
        one(if passes { arrives(to, self.source, guest, content) } else { Outcome::Dropped })
    }

    fn to_internet(self, network: &ExpectedNetwork) -> Verdict {
        let Self { router, source, destination, content, .. } = self;
        let passes = match router.site {
            Site::Vpc => self.may_leave_tier(network.tier, destination, content),
            Site::Isolated => match &network.firewall {
                KnownFirewall::Never => true,
                KnownFirewall::Forgotten => return None,
                KnownFirewall::Rules(rules) => {
                    let matches = rules.egress.iter().any(|rule| rule.matches(source, destination, content));
                    matches != rules.egress_allowed
                }
            },
        };
        let own = network.statics.iter().find(|(_, guest)| *guest == source).map(|(public, _)| *public);
        let Some(public) = own.or(router.source_nat).filter(|_| passes) else {
            return one(Outcome::Dropped);
        };
        let place = match router.detour(source, destination) {
            Some(detour) => Place::Detour(detour.vlan),
            None => Place::Outside(public_vlan(public)),
        };
        let packet = Packet { source: public.into(), ..self.packet };
        one(Outcome::Arrives(place, packet))
    }

    /// A packet to a public address of the router, from a guest of a network or from outside.
    fn to_public_address(self, from: Option<Tier>) -> Verdict {
        let Self { router, source, destination: public, content, .. } = self;
        if router.site == Site::Isolated {
            let is_allowed = match &router.network(1).firewall {
                KnownFirewall::Never => true,
                KnownFirewall::Forgotten => false,
                KnownFirewall::Rules(rules) => rules
                    .ingress
                    .iter()
                    .any(|(address, rule)| *address == public && rule.matches(source, public, content)),
            };
            if !is_allowed {
                return one(Outcome::Dropped);
            }
        }
        let port = content.port();
        let is_balanced = |rule: &&BalancerRule| {
            (rule.public, rule.protocol, Some(rule.port)) == (public, content.protocol(), port)
        };
        if let Some(rule) = router.networks.iter().flat_map(|network| &network.balancers).find(is_balanced) {
            return self.to_balancer(rule, from);
        }
        if let Some((guest, content)) = self.translated() {
            return self.to_guest(guest, content, from);
        }
        self.to_router(from)
    }

    /// The guest that a forward or a static NAT leads to.
    fn translated(self) -> Option<(Ipv4Addr, Content)> {
        let Self { router, destination: public, content, .. } = self;
        let networks = || router.networks.iter();
        let forwarded = content.port().and_then(|port| {
            let mut forwards = networks().flat_map(|network| &network.forwards);
            forwards.find_map(|forward| forward.target(public, content.protocol(), port))
        });
        if let Some((guest, port)) = forwarded {
            return Some((guest, content.to_port(port)));
        }
        let mut statics = networks().flat_map(|network| &network.statics);
        statics.find(|(address, _)| *address == public).map(|(_, guest)| (*guest, content))
    }

    /// A translated packet to a guest.
    fn to_guest(self, guest: Ipv4Addr, content: Content, from: Option<Tier>) -> Verdict {
        let Some(tier) = self.router.site.tier_of(guest) else { return one(Outcome::Dropped) };
        match from {
            // The answer must return through the router.
            Some(own) if own == tier => one(arrives(tier, self.router.site.gateway(tier), guest, content)),
            Some(other) => self.between_tiers(other, tier, guest, content),
            None if self.may_enter_tier(tier, content) => one(arrives(tier, self.source, guest, content)),
            None => one(Outcome::Dropped),
        }
    }

    /// A packet that nothing translates.
    fn to_router(self, from: Option<Tier>) -> Verdict {
        let is_echo = matches!(self.content, Content::Icmp { kind: 8, .. });
        match (from, is_echo) {
            // What guests may ask of a public address is not said.
            (Some(_), true) => None,
            // A code of an echo request has no meaning.
            (None, true) if !matches!(self.content, Content::Icmp { code: 0, .. }) => None,
            (None, true) => {
                let is_restricted = self.router.networks.iter().any(|network| network.firewall.is_known());
                one(if is_restricted { Outcome::Answered } else { Outcome::Dropped })
            }
            (_, false) => one(Outcome::Dropped),
        }
    }

    /// A balanced port: members are guests of networks in force.
    fn to_balancer(self, rule: &BalancerRule, from: Option<Tier>) -> Verdict {
        let site = self.router.site;
        let members = rule.members.iter().filter_map(|(address, port)| {
            let tier = site.tier_of(*address)?;
            self.router.network(tier).is_in_force.then_some((tier, *address, *port))
        });
        let members: Vec<_> = members.collect();
        let may_reach = |(tier, address, port): &(Tier, Ipv4Addr, u16)| {
            let content = self.content.to_port(*port);
            from == Some(*tier)
                || (from.is_none_or(|own| self.may_leave_tier(own, *address, content))
                    && self.may_enter_tier(*tier, content))
        };
        let reachable: Vec<_> = members.iter().filter(|member| may_reach(member)).collect();
        let is_spread = members.iter().any(|(tier, ..)| *tier != members[0].0);
        if is_spread && reachable.len() < members.len() {
            // A network whose list accepts nobody gets no traffic, which does not stop the others.
            return None;
        }
        if rule.protocol == TCP {
            let passes = !members.is_empty() && reachable.len() == members.len();
            return one(if passes { Outcome::Answered } else { Outcome::Dropped });
        }
        let mut outcomes: Vec<_> = reachable
            .iter()
            .map(|(tier, address, port)| {
                let source = if from == Some(*tier) { site.gateway(*tier) } else { self.source };
                arrives(*tier, source, *address, self.content.to_port(*port))
            })
            .collect();
        if reachable.len() < members.len() || members.is_empty() {
            outcomes.push(Outcome::Dropped);
        }
        Some(outcomes)
    }

    /// The first item of a tier's list that matches decides; without one, the packet is denied.
    fn may_enter_tier(self, tier: Tier, content: Content) -> bool {
        self.router.network(tier).list.as_ref().is_none_or(|list| {
            first_match(list, true, |item| item.packets.matches(self.source, Ipv4Addr::UNSPECIFIED, content))
        })
    }

    fn may_leave_tier(self, tier: Tier, destination: Ipv4Addr, content: Content) -> bool {
        self.router.network(tier).list.as_ref().is_none_or(|list| {
            first_match(list, false, |item| item.packets.matches(destination, Ipv4Addr::UNSPECIFIED, content))
        })
    }
}

fn arrives(tier: Tier, source: Ipv4Addr, guest: Ipv4Addr, content: Content) -> Outcome {
    let packet = Packet { source: source.into(), destination: guest.into(), content };
    Outcome::Arrives(Place::Guests(tier), packet)
}

/// An item's networks are the other end, and the wire calls them sources in both directions.
fn first_match(list: &[ListItem], is_ingress: bool, matches: impl Fn(&ListItem) -> bool) -> bool {
    let mut items = list.iter().filter(|item| item.is_ingress == is_ingress);
    items.find(|item| matches(item)).is_some_and(|item| item.allows)
}

impl KnownFirewall {
    fn is_known(&self) -> bool {
        *self != Self::Never
    }
}
