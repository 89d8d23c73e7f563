//! The cost of one more port forward, by the number of existing ones.

use netext_lab::{Forward, Lab, Network, SourceNat};

use crate::clock::{Work, interleave, milliseconds, settle};
use crate::figure::{Figure, FigureTable, Target};
use crate::floor::Floor;
use crate::series::Series;

const PUBLIC: &str = "198.51.100.43";
const COUNTS: [u32; 3] = [10, 100, 1000];

/// Adds and deletes the same forward repeatedly, among a growing number of others.
pub(crate) fn measure(lab: &Lab, table: &mut FigureTable, rounds: usize) {
    table.group("one more port forward", "one nft -f in the namespace (ip netns exec)");
    let network = lab.network(802).on_vlan("802");
    network.implement().assign_ip(PUBLIC, SourceNat::Yes);

    let (mut with_few, mut with_many) = (None, None);
    let mut present = 0;
    for count in COUNTS {
        for number in present..count {
            command(lab, &network, "add-port-forward", number).run();
        }
        present = count;
        let figure = among(lab, &network, table, count, rounds);
        let median = figure.ours().clone();
        table.add(figure.must_reach(Target::AtMost(1.5)));
        with_few.get_or_insert(median.clone());
        with_many = Some(median);
    }
    if let (Some(few), Some(many)) = (with_few, with_many) {
        let name = format!("... with {} present, against {} present", COUNTS[2], COUNTS[0]);
        table.add(Figure::time(name, (many, few)).must_reach(Target::AtMost(2.0)));
    }
    network.destroy();
}

fn among(lab: &Lab, network: &Network<'_>, table: &mut FigureTable, count: u32, rounds: usize) -> Figure {
    let number = count;
    let floor = Floor::with_rules(lab, "floor-forwards", &network.router().ruleset());
    let (port, guest) = (10_000 + number, guest(number));
    let element = format!("{PUBLIC} . tcp . {port} : {guest} . 22");
    let add = format!("add element inet netext forwards {{ {element} }}\n");
    let mut ours = command(lab, network, "add-port-forward", number);
    let mut delete_ours = command(lab, network, "delete-port-forward", number);
    let mut of_floor: Work = floor.nft("add.nft", &add).into();
    let mut delete_floors: Work =
        floor.nft("delete.nft", &format!("delete element inet netext forwards {{ {element} }}\n")).into();

    // Once, to check that both sides have the same effect.
    ours.run();
    of_floor.run();
    floor.must_have_rules(&network.router().ruleset());
    delete_ours.run();
    delete_floors.run();

    let measured = interleave(
        rounds,
        |_| {
            let took = ours.run();
            delete_ours.run();
            settle();
            milliseconds(took)
        },
        |_| {
            let took = of_floor.run();
            delete_floors.run();
            settle();
            milliseconds(took)
        },
    );
    if count == COUNTS[0] {
        let (place, command) = floor.bare_nft("add.nft", &add);
        let mut bare = Work::from(command);
        let mut series = Series::default();
        for _ in 0..rounds {
            let begun = std::time::Instant::now();
            place.run(|| bare.run());
            series.push(milliseconds(begun.elapsed()));
            delete_floors.run();
            settle();
        }
        let name = "for scale: nft -f by a thread that is inside already";
        table.add(Figure::time(name, (series, measured.1.clone())));
    }
    floor.delete();
    Figure::time(format!("add-port-forward, {count} present"), measured)
}

fn command(lab: &Lab, network: &Network<'_>, name: &str, number: u32) -> Work {
    let public = format!("{PUBLIC}:{}", 10_000 + number);
    let forward = Forward::tcp(&public, &format!("{}:22", guest(number)));
    lab.ready(name, &network.document(&network.forward_fields(&forward))).into()
}

fn guest(number: u32) -> String {
    format!("10.1.1.{}", 10 + number % 200)
}
