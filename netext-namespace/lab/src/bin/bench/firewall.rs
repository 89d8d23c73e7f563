//! The cost of applying firewall rules.

use netext_lab::{Firewall, Lab, Network, Rule, SourceNat};

use crate::clock::{Work, interleave, milliseconds};
use crate::figure::{Figure, FigureTable, Target};
use crate::floor::{Refill, set_with};

const PUBLIC: &str = "198.51.100.44";

/// All rules from nothing, and one of them changed.
pub(crate) fn measure(lab: &Lab, table: &mut FigureTable, quick: bool) {
    table.group("firewall rules", "one nft -f in the namespace that adds, or changes, the same elements");
    let network = lab.network(803).on_vlan("803");
    network.implement().assign_ip(PUBLIC, SourceNat::Yes);
    for (count, rounds) in [(10, 21), (1_000, 15), (10_000, 7)] {
        measure_count(lab, &network, table, count, if quick { rounds / 3 } else { rounds });
    }
    network.destroy();
}

fn measure_count(lab: &Lab, network: &Network<'_>, table: &mut FigureTable, count: u32, rounds: usize) {
    let ready = |firewall: &Firewall| -> Work {
        lab.ready("apply-fw-rules", &network.document(&network.firewall_fields(firewall))).into()
    };
    let changing =
        |port| fillers(PUBLIC, count - 1).with(Rule::ingress(PUBLIC).tcp(port).from("192.0.2.0/24"));
    let mut nothing = ready(&Firewall::egress_allowed());
    let (mut one, mut other) = (ready(&changing(7)), ready(&changing(8)));

    let limit = (count == 10_000).then_some(Target::Within(500.0));
    let mut refill = Refill::new(lab, "floor-firewall", network, &mut nothing, &mut one);
    let from_nothing = refill.measure(rounds, &mut nothing, &mut one);
    let name = format!("apply-fw-rules, {count} rules from nothing");
    table.add(Figure::time(name, from_nothing).must_reach(limit));

    // Every round changes the rule: to 8, then back to 7.
    let element = |port| format!("192.0.2.0 . {PUBLIC} . tcp . {port}");
    let set = set_with(&refill.full, &element(7));
    let change = |name, from, to| {
        let (from, to) = (element(from), element(to));
        let script = format!(
            "delete element inet netext {set} {{ {from} }}\nadd element inet netext {set} {{ {to} }}\n"
        );
        Work::from(refill.floor.nft(name, &script))
    };
    let (mut there, mut back) = (change("there.nft", 7, 8), change("back.nft", 8, 7));
    let changed = interleave(
        rounds | 1,
        |round| milliseconds(if round % 2 == 0 { other.run() } else { one.run() }),
        |round| milliseconds(if round % 2 == 0 { there.run() } else { back.run() }),
    );
    let floor = &refill.floor;
    floor.must_have_rules(&network.router().ruleset());
    let name = format!("apply-fw-rules, {count} rules, one of them changed");
    table.add(Figure::time(name, changed).must_reach(limit));
    floor.delete();
}

/// Rules as tenants have them: single hosts, offices and everyone, single ports and ranges. None allows the packets of
/// the lab's machines.
pub(crate) fn fillers(public: &str, count: u32) -> Firewall {
    (0..count).fold(Firewall::egress_allowed(), |firewall, number| {
        let (high, low) = (number / 250 % 64 + 64, number % 250);
        let port = 10_000 + number;
        let rule = Rule::ingress(public);
        firewall.with(match number % 4 {
            0 => rule.tcp(port).from(&format!("100.{high}.7.{low}/32")),
            1 => rule.ports(port, port + 5).protocol("tcp").from(&format!("100.{high}.{low}.0/24")),
            2 => rule.udp(port).from("0.0.0.0/0"),
            _ => rule.tcp(port).from(&format!("100.{high}.9.{low}/32")),
        })
    })
}
