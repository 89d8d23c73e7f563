//! Random rules and packets: the sets decide as the rules do.

use std::net::Ipv4Addr;

use netext_protocol::PortRange;
use proptest::prelude::*;

use super::*;

/// A packet as the lookups see it: `number` is the port, the ICMP type and code, or nothing.
#[derive(Clone, Copy, Debug)]
struct Packet {
    source: [u8; 4],
    destination: [u8; 4],
    protocol: u8,
    number: u16,
}

fn traffic_matches(traffic: Traffic, packet: Packet) -> bool {
    let [icmp_type, icmp_code] = packet.number.to_be_bytes();
    match traffic {
        Traffic::All => true,
        Traffic::Tcp(ports) => packet.protocol == 6 && ports.ports().contains(&packet.number),
        Traffic::Udp(ports) => packet.protocol == 17 && ports.ports().contains(&packet.number),
        Traffic::Icmp { icmp_type: wanted_type, icmp_code: wanted_code } => {
            packet.protocol == 1
                && wanted_type.is_none_or(|wanted| wanted == icmp_type)
                && wanted_code.is_none_or(|wanted| wanted == icmp_code)
        }
        Traffic::Protocol(number) => packet.protocol == number,
        _ => unreachable!("a kind of traffic that this test does not know"),
    }
}

/// The verdict on a packet in the chain `test`: that of the first rule whose set holds the packet's bits.
fn verdict(ruleset: &Ruleset, packet: Packet) -> Option<&str> {
    let rules = ruleset.chains.get("test").map_or(&[][..], |chain| &chain.rules);
    rules.iter().find_map(|rule| {
        let (set, verdict) = rule.split_once(" @")?.1.split_once(' ')?;
        is_held(&ruleset.sets[set], set, packet).then_some(verdict)
    })
}

/// Whether a packet's bits, masked as the set's name says, are an element of the set.
fn is_held(set: &ElementSet, name: &str, packet: Packet) -> bool {
    let mut words = name.rsplit('_');
    let [len, destination, source] = [(); 3].map(|()| words.next().unwrap().parse::<u8>().unwrap());
    let network =
        |octets, len| ElementField::Ipv4(Ipv4Net::new(Ipv4Addr::from(octets), len).unwrap().network());
    let [high_mask, low_mask] = mask(len).to_be_bytes();
    let [icmp_type, icmp_code] = packet.number.to_be_bytes();
    let mut key = vec![network(packet.source, source), network(packet.destination, destination)];
    match (words.next().unwrap(), packet.protocol) {
        ("ports", 6 | 17) => {
            key.extend([
                ElementField::Protocol(packet.protocol),
                ElementField::Port(packet.number & mask(len)),
            ]);
        }
        ("icmp", 1) => {
            key.extend([ElementField::Icmp(icmp_type & high_mask), ElementField::Icmp(icmp_code & low_mask)]);
        }
        ("protocols", protocol) => key.push(ElementField::Protocol(protocol & high_mask)),
        _ => return false,
    }
    set.keys().any(|element| element.0 == key)
}

/// Few enough values that rules overlap and packets hit them.
fn network() -> impl Strategy<Value = Ipv4Net> {
    (0u8..4, prop_oneof![Just(0u8), Just(8), Just(30), Just(31), Just(32)])
        .prop_map(|(host, len)| Ipv4Net::new(Ipv4Addr::new(10, 0, 0, host), len).unwrap())
}

fn traffic() -> impl Strategy<Value = Traffic> {
    let ports = || (0u16..6, 0u16..4).prop_map(|(first, more)| PortRange::new(first, first + more).unwrap());
    let icmp = (prop::option::of(0u8..3), prop::option::of(0u8..3)).prop_map(|(icmp_type, icmp_code)| {
        Traffic::Icmp { icmp_type, icmp_code: icmp_code.filter(|_| icmp_type.is_some()) }
    });
    prop_oneof![
        ports().prop_map(Traffic::Tcp),
        ports().prop_map(Traffic::Udp),
        icmp,
        (46u8..48).prop_map(Traffic::Protocol),
        Just(Traffic::All),
    ]
}

fn packet() -> impl Strategy<Value = Packet> {
    let number = prop_oneof![0u16..12, (0u8..4, 0u8..4).prop_map(|(a, b)| u16::from_be_bytes([a, b]))];
    (0u8..5, 0u8..5, prop_oneof![Just(1u8), Just(6), Just(17), Just(47)], number).prop_map(
        |(source, destination, protocol, number)| Packet {
            source: [10, 0, 0, source],
            destination: [10, 0, 0, destination],
            protocol,
            number,
        },
    )
}

type PlainRule = (Ipv4Net, Ipv4Net, Traffic);

fn rule() -> impl Strategy<Value = PlainRule> {
    (network(), network(), traffic())
}

fn as_match((source, destination, traffic): PlainRule) -> PacketMatch {
    PacketMatch { source, destination, traffic }
}

/// The plain meaning of a rule.
fn is_meant((source, destination, traffic): PlainRule, packet: Packet) -> bool {
    source.contains(&Ipv4Addr::from(packet.source))
        && destination.contains(&Ipv4Addr::from(packet.destination))
        && traffic_matches(traffic, packet)
}

proptest! {
    #[test]
    fn sets_match_what_the_rules_match(
        rules in prop::collection::vec(rule(), 0..12),
        packets in prop::collection::vec(packet(), 1..60),
    ) {
        let mut ruleset = Ruleset::default();
        compile(&mut ruleset, "test", rules.iter().copied().map(as_match), "accept");
        for packet in packets {
            let wanted = rules.iter().any(|rule| is_meant(*rule, packet)).then_some("accept");
            prop_assert_eq!(verdict(&ruleset, packet), wanted, "{:?} in {:?}", packet, ruleset);
        }
    }

    #[test]
    fn in_an_ordered_list_the_first_rule_that_matches_a_packet_decides(
        rules in prop::collection::vec((rule(), prop::bool::ANY), 0..24),
        packets in prop::collection::vec(packet(), 1..60),
    ) {
        let verdict_of = |allowed| if allowed { "return" } else { "drop" };
        let mut ruleset = Ruleset::default();
        let items = rules.iter().map(|(rule, allowed)| (as_match(*rule), verdict_of(*allowed)));
        layers::compile(&mut ruleset, "test", items);
        for packet in packets {
            let first = rules.iter().find(|(rule, _)| is_meant(*rule, packet));
            let wanted = first.map(|(_, allowed)| verdict_of(*allowed));
            prop_assert_eq!(verdict(&ruleset, packet), wanted, "{:?} in {:?}", packet, ruleset);
        }
    }

    #[test]
    fn blocks_are_the_range_and_nothing_else(first: u16, more: u16) {
        let last = first.saturating_add(more);
        let blocks: Vec<_> = blocks(first..=last).collect();
        prop_assert!(blocks.len() <= 30);
        let mut next = u32::from(first);
        for (number, len) in blocks {
            prop_assert_eq!(u32::from(number), next);
            prop_assert_eq!(number & mask(len), number);
            next += 1 << (16 - len);
        }
        prop_assert_eq!(next, u32::from(last) + 1);
    }
}

/// The number of layers that a list needs.
fn layers_of(rules: &[(&str, &str, Traffic, bool)]) -> usize {
    let mut ruleset = Ruleset::default();
    let items = rules.iter().map(|(source, destination, traffic, allowed)| {
        let rule = (source.parse().unwrap(), destination.parse().unwrap(), *traffic);
        (as_match(rule), if *allowed { "return" } else { "drop" })
    });
    layers::compile(&mut ruleset, "test", items);
    let layer = |name: &String| name.split('_').nth(1).unwrap().to_owned();
    ruleset.sets.keys().map(layer).collect::<BTreeSet<_>>().len()
}

#[test]
fn the_usual_lists_need_few_layers() {
    let tcp = |port| Traffic::Tcp(PortRange::new(port, port).unwrap());
    let any = "0.0.0.0/0";
    // Exceptions before what they are exceptions of, and the rest.
    let usual = [
        ("203.0.113.0/24", any, tcp(22), true),
        (any, any, Traffic::Icmp { icmp_type: None, icmp_code: None }, true),
        (any, any, tcp(22), false),
        (any, any, tcp(80), true),
        (any, any, Traffic::All, false),
    ];
    assert_eq!(layers_of(&usual), 2);
    // Nothing overlaps, so one layer is enough, however often the actions alternate.
    let networks: Vec<_> = (0..200).map(|number| format!("10.0.{number}.0/24")).collect();
    let apart: Vec<_> =
        networks.iter().zip(0..).map(|(it, n)| (it.as_str(), any, tcp(22), n % 2 == 0)).collect();
    assert_eq!(layers_of(&apart), 1);
    // An item that an earlier one covers never decides.
    let same: Vec<_> = (0..200).map(|number| (any, any, tcp(22), number % 2 == 0)).collect();
    assert_eq!(layers_of(&same), 1);
}
