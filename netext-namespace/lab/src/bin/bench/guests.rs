//! The cost of adding an instance, by the number of existing ones.

use std::process::Command;

use netext_lab::{Lab, Network, joined};
use serde_json::{Value, json};

use crate::clock::{Work, milliseconds, settle};
use crate::figure::{Figure, FigureTable, Target};

const COUNTS: [u32; 2] = [10, 1_000];

/// Adds one DHCP entry or one instance's data among few and many others, and restores all at once.
pub(crate) fn measure(lab: &Lab, table: &mut FigureTable, rounds: usize) {
    table.group("guests", "spawning /bin/true");
    let network = lab.network(804).on_vlan("804").with_subnet("10.1.0.1", "10.1.0.0/16");
    network.implement();
    for count in [10, 100, 1_000] {
        let (mut all, mut none) = (restore(lab, &network, count), restore(lab, &network, 0));
        let name = format!("restore-network, {count} instances");
        let figure = Figure::against_true(name, rounds.min(11), || {
            none.run();
            settle();
            milliseconds(all.run())
        });
        table.add(figure.must_reach((count == 1_000).then_some(Target::Within(500.0))));
    }
    for name in ["add-dhcp-entry", "save-vm-data"] {
        let [few, many] = COUNTS.map(|count| {
            restore(lab, &network, count).run();
            // Every round adds another instance, as a deployment of many does.
            let mut next = count;
            let figure = Figure::against_true(format!("{name}, {count} present"), rounds, || {
                next += 1;
                let fields = joined(&instance(next), &subnet());
                let mut add = Work::from(lab.ready(name, &network.document(&fields)));
                settle();
                milliseconds(add.run())
            });
            let ours = figure.ours().clone();
            table.add(figure.must_reach(Target::Within(15.0)));
            ours
        });
        let name = format!("... with {} present, against {} present", COUNTS[1], COUNTS[0]);
        table.add(Figure::time(name, (many, few)).must_reach(Target::AtMost(1.5)));
    }
    memory(lab, table);
    network.destroy();
}

/// The memory of the daemons of one network with all services. Each shared page counts in parts.
fn memory(lab: &Lab, table: &mut FigureTable) {
    let daemons = lab.processes().into_iter().map(|(process, line)| {
        let name = line.split([' ', '\0']).next().unwrap_or_default().to_owned();
        (name, proportional_set_size(process) / 1024.0)
    });
    let daemons: Vec<_> = daemons.collect();
    let each: Vec<_> = daemons.iter().map(|(name, size)| format!("{name} {size:.1}")).collect();
    let all: f64 = daemons.iter().map(|(_, size)| size).sum();
    table.say(&format!(
        "daemons of a network with 1,000 instances: {all:.1} MiB proportional ({})",
        each.join(", ")
    ));
}

pub(crate) fn proportional_set_size(process: i32) -> f64 {
    let rollup = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

fn restore(lab: &Lab, network: &Network<'_>, count: u32) -> Work {
    let vms: Vec<Value> = (0..count).map(instance).collect();
    let data = json!({"dhcp_enabled": true, "dns_enabled": true, "userdata_enabled": true, "vms": vms});
    let fields = joined(&subnet(), &json!({"restore_data": data, "extension_ip": "10.1.0.1"}));
    let command: Command = lab.ready("restore-network", &network.document(&fields));
    command.into()
}

fn subnet() -> Value {
    json!({"dns": "198.51.100.53", "domain": "cs1.internal"})
}

/// An instance as the server describes it, with the usual amount of metadata.
fn instance(number: u32) -> Value {
    let (high, low) = (number / 250 + 16, number % 250 + 1);
    let metadata =
        ["service-offering", "availability-zone", "local-hostname", "local-ipv4", "instance-id", "vm-id"];
    let file = |dir: &str, file: &str, content: String| json!({"dir": dir, "file": file, "content": content});
    let mut vm_data: Vec<Value> =
        metadata.iter().map(|name| file("metadata", name, format!("{name} of instance {number}"))).collect();
    vm_data.push(file("userdata", "user_data", "#cloud-config\n".repeat(100)));
    json!({
        "nic_id": (1000 + number).to_string(),
        "ip": format!("10.1.{high}.{low}"),
        "mac": format!("02:01:00:d2:{high:02x}:{low:02x}"),
        "hostname": format!("vm-{number}"),
        "default_nic": true,
        "device_id": "0",
        "vm_data": vm_data,
    })
}
