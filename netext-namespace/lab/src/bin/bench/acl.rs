//! The cost of access lists: to apply, and for packets.

use std::time::Duration;

use netext_lab::{AccessList, Forward, Lab, Network, Rule};

use crate::clock::{Work, interleave};
use crate::figure::{Figure, FigureTable, Target};
use crate::floor::Refill;
use crate::path::{CONNECTIONS_PORT, Site};

/// The kinds of items in a list.
#[derive(Clone, Copy)]
enum ItemKind {
    /// Items as tenants have them: hosts, offices and everyone, ports and ranges, with exceptions before them.
    Typical,
    /// Alternating actions, where each item overlaps half of the earlier ones: the order of all lookups matters.
    Crossing,
}

pub(crate) fn measure(lab: &Lab, table: &mut FigureTable, quick: bool) {
    table.group("access lists", "one nft -f in the namespace that adds the same sets, elements and rules");
    let (few, many) = (Site::of_tier(lab, 21, "198.51.100.61"), Site::of_tier(lab, 22, "198.51.100.62"));
    let rounds = if quick { 5 } else { 15 };
    for (kind, count) in [
        (ItemKind::Typical, 10),
        (ItemKind::Typical, 1_000),
        (ItemKind::Typical, 10_000),
        (ItemKind::Crossing, 1_000),
    ] {
        apply(lab, &many.network, table, kind, count, if count > 1_000 { rounds / 3 } else { rounds });
    }

    table.group("traffic into a tier, matching the last item", "the same with 10 items");
    let (rounds, window) = if quick { (9, 150) } else { (41, 200) };
    let window = Duration::from_millis(window);
    few.network.apply_access_list(&list(ItemKind::Typical, 10));
    for (kind, name, target) in [
        (ItemKind::Typical, "new TCP connections, 1,000 items", Some(Target::AtLeast(0.8))),
        (ItemKind::Crossing, "new TCP connections, 1,000 items that cross", None),
    ] {
        many.network.apply_access_list(&list(kind, 1_000));
        let calls = interleave(rounds, |_| many.connections(lab, window), |_| few.connections(lab, window));
        table.add(Figure::rate(name, "1/s", calls).must_reach(target));
    }
    for site in [&few, &many] {
        site.network.destroy();
    }
}

impl<'lab> Site<'lab> {
    /// A tier of its own VPC, with a guest behind a port forward.
    fn of_tier(lab: &'lab Lab, vpc: u32, public: &'static str) -> Self {
        let router = lab.vpc(vpc);
        router.implement_with(public);
        let network = router.tier(1).on_vlan(&(820 + vpc).to_string());
        network.implement();
        let (outer, inner) =
            (format!("{public}:{CONNECTIONS_PORT}"), format!("10.2.1.10:{CONNECTIONS_PORT}"));
        network.add_port_forward(&Forward::tcp(&outer, &inner));
        let guest = network.guest("10.2.1.10");
        Self { network, public, guest }
    }
}

fn apply(lab: &Lab, tier: &Network<'_>, table: &mut FigureTable, kind: ItemKind, count: u32, rounds: usize) {
    let ready = |list: &AccessList| -> Work {
        lab.ready("apply-network-acl", &tier.document(&tier.access_list_fields(list))).into()
    };
    let (mut nothing, mut all) = (ready(&AccessList::new()), ready(&list(kind, count)));
    let mut refill = Refill::new(lab, "floor-acl", tier, &mut nothing, &mut all);
    let measured = refill.measure(rounds, &mut nothing, &mut all);
    nothing.run();
    refill.floor.delete();
    let (crossing, target) = match kind {
        ItemKind::Typical => ("", (count == 1_000).then_some(Target::Within(100.0))),
        ItemKind::Crossing => (" that cross", None),
    };
    let name = format!("apply-network-acl, {count} items{crossing}");
    table.add(Figure::time(name, measured).must_reach(target));
}

/// A list whose last item alone allows the packets of the lab's machines.
fn list(kind: ItemKind, count: u32) -> AccessList {
    let item = |number| match kind {
        ItemKind::Typical => typical(number, count),
        ItemKind::Crossing => crossing(number),
    };
    let list = (1..count).fold(AccessList::new(), |list, number| list.with(item(number)));
    list.with(Rule::allow_in(count).tcp(CONNECTIONS_PORT.into()).from("198.51.100.0/24"))
}

/// First the blocked networks, then the open ports, with some exceptions.
fn typical(number: u32, count: u32) -> Rule {
    let (high, low) = (number / 250 % 64 + 64, number % 250);
    let port = 10_000 + number;
    match number % 8 {
        _ if number < count / 8 => Rule::deny_in(number).from(&format!("101.{high}.{low}.0/24")),
        0 => Rule::deny_in(number).tcp(port + 1).from(&format!("100.{high}.{low}.0/24")),
        1 => Rule::allow_in(number).tcp(port),
        2 => Rule::allow_in(number).protocol("tcp").ports(port, port + 5).from(&format!("100.{high}.0.0/16")),
        3 => Rule::allow_in(number).udp(port),
        4 => Rule::allow_out(number).tcp(port).to(&format!("100.{high}.7.{low}/32")),
        5 => Rule::allow_in(number).icmp(8, 0).from(&format!("100.{high}.{low}.0/24")),
        _ => Rule::allow_in(number).tcp(port).from(&format!("100.{high}.9.{low}/32")),
    }
}

fn crossing(number: u32) -> Rule {
    match number % 2 {
        0 => Rule::allow_in(number).protocol("tcp").from(&format!(
            "100.{}.{}.0/24",
            number / 250,
            number % 250
        )),
        _ => Rule::deny_in(number).tcp(10_000 + number),
    }
}
