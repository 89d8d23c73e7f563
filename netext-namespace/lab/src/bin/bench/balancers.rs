//! The cost of changing a load balancer rule, by the number of rules.

use std::time::{Duration, Instant};

use netext_lab::{Balancer, Lab, Network, SourceNat};

use crate::clock::{Work, interleave, milliseconds, program, settle};
use crate::figure::{Figure, FigureTable, Target};

const PUBLIC: &str = "198.51.100.45";

/// Removes a member of a rule and adds it again, repeatedly, among few and many other rules.
pub(crate) fn measure(lab: &Lab, table: &mut FigureTable, rounds: usize) {
    table.group("one load balancer rule changed", "haproxy reading the same configuration (haproxy -c)");
    let network = lab.network(805).on_vlan("805");
    network.implement().assign_ip(PUBLIC, SourceNat::Yes);
    let configuration = format!("{}/network-805/haproxy/haproxy.cfg", lab.state_folder());
    for count in [1, 10, 100] {
        let all: Vec<_> = (0..count).map(|number| rule(number, &[10, 11, 12])).collect();
        network.apply_balancers(&all.iter().collect::<Vec<_>>());
        let [mut fewer, mut more] = [&[10, 11][..], &[10, 11, 12]].map(|members| {
            let document = network.document(&network.balancer_fields(&[&rule(0, members)]));
            Work::from(lab.ready("apply-lb-rules", &document))
        });
        let mut reads = Work::from(program("haproxy", &["-c", "-f", &configuration]));
        let measured = interleave(
            rounds,
            |round| {
                settle();
                milliseconds(if round % 2 == 0 { fewer.run() } else { more.run() })
            },
            |_| milliseconds(reads.run()),
        );
        let figure = Figure::time(format!("apply-lb-rules, {count} present"), measured);
        table.add(figure.must_reach(Target::Within(60.0)));
    }
    memory(lab, table, &network);
    network.destroy();
}

fn rule(number: u32, members: &[u8]) -> Balancer {
    let rule = Balancer::tcp(1_000 + number, &format!("{PUBLIC}:{}", 10_000 + number));
    members.iter().fold(rule, |rule, last| rule.member(&format!("10.1.1.{last}:8080")))
}

/// The memory of a router's haproxy.
fn memory(lab: &Lab, table: &mut FigureTable, network: &Network<'_>) {
    let folder = format!("network-{}/haproxy", network.namespace().trim_start_matches("cs-net-"));
    let serving =
        || lab.processes().into_iter().filter(|(_, line)| line.contains(&folder)).collect::<Vec<_>>();
    // Predecessors wait for the replies to their last health checks.
    let deadline = Instant::now() + Duration::from_secs(10);
    while serving().len() > 1 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(100));
    }
    let kibibytes: f64 =
        serving().iter().map(|(process, _)| crate::guests::proportional_set_size(*process)).sum();
    table.say(&format!("haproxy with 100 rules: {:.1} MiB proportional", kibibytes / 1024.0));
}
