//! What firewall rules cost to put in force.

use netext_lab::{Firewall, Lab, Network, Rule, SourceNat};

use crate::clock::{Work, interleave, milliseconds, settle};
use crate::figure::{Figure, Table, Target};
use crate::floor::{Floor, additions, set_with};

const PUBLIC: &str = "198.51.100.44";

/// All rules from nothing, and one of them changed.
pub(crate) fn measure(lab: &Lab, table: &mut Table, quick: bool) {
    table.group("firewall rules", "one nft -f in the namespace that adds, or changes, the same elements");
    let network = lab.network(803).on_vlan("803");
    network.implement().assign_ip(PUBLIC, SourceNat::Yes);
    for (count, rounds) in [(10, 21), (1_000, 15), (10_000, 7)] {
        measure_count(lab, &network, table, count, if quick { rounds / 3 } else { rounds });
    }
    network.destroy();
}

fn measure_count(lab: &Lab, network: &Network<'_>, table: &mut Table, count: u32, rounds: usize) {
    let ready = |firewall: &Firewall| -> Work {
        lab.ready("apply-fw-rules", &network.document(&network.firewall_fields(firewall))).into()
    };
    let changing =
        |port| fillers(PUBLIC, count - 1).with(Rule::ingress(PUBLIC).tcp(port).from("192.0.2.0/24"));
    let mut nothing = ready(&Firewall::egress_allowed());
    let (mut one, mut other) = (ready(&changing(7)), ready(&changing(8)));

    nothing.run();
    let without = network.router().ruleset();
    one.run();
    let with = network.router().ruleset();
    let floor = Floor::with_rules(lab, "floor-firewall", &without);
    let mut of_floor: Work = floor.nft("all.nft", &additions(&without, &with)).into();
    of_floor.run();
    floor.must_have_rules(&with);

    let from_nothing = interleave(
        rounds,
        |_| {
            nothing.run();
            settle();
            milliseconds(one.run())
        },
        |_| {
            floor.set_rules(&without);
            settle();
            milliseconds(of_floor.run())
        },
    );
    let figure = Figure::time(format!("apply-fw-rules, {count} rules from nothing"), from_nothing);
    table.add(if count == 10_000 { figure.must_reach(Target::Within(500.0)) } else { figure });

    // Every round changes it to what it was not.
    let element = |port| format!("192.0.2.0 . {PUBLIC} . tcp . {port}");
    let set = set_with(&with, &element(7));
    let change = |name, from, to| {
        let (from, to) = (element(from), element(to));
        let script = format!(
            "delete element inet netext {set} {{ {from} }}\nadd element inet netext {set} {{ {to} }}\n"
        );
        Work::from(floor.nft(name, &script))
    };
    let (mut there, mut back) = (change("there.nft", 7, 8), change("back.nft", 8, 7));
    let changed = interleave(
        rounds | 1,
        |round| milliseconds(if round % 2 == 0 { other.run() } else { one.run() }),
        |round| milliseconds(if round % 2 == 0 { there.run() } else { back.run() }),
    );
    floor.must_have_rules(&network.router().ruleset());
    let figure = Figure::time(format!("apply-fw-rules, {count} rules, one of them changed"), changed);
    table.add(if count == 10_000 { figure.must_reach(Target::Within(500.0)) } else { figure });
    floor.delete();
}

/// Rules as tenants have them: single hosts, offices and everybody, single ports and ranges. None lets in what
/// the lab's machines send.
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
