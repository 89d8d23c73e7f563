//! Reconciling a host with many routers after a reboot, and its status.

use netext_lab::{Firewall, Lab, Network, Rule, SourceNat, joined};
use serde_json::json;

use crate::clock::{Work, milliseconds, settle};
use crate::figure::{Figure, FigureTable, Target};

const ROUTERS: u32 = 100;
const RULES: u32 = 10;

/// Routers with rules only, then the same routers with an instance each.
pub(crate) fn measure(lab: &Lab, table: &mut FigureTable, rounds: usize) {
    table.group(&format!("{ROUTERS} routers with {RULES} rules each"), "spawning /bin/true");
    let networks: Vec<_> = (0..ROUTERS).map(|number| network(lab, number)).collect();
    after_reboot(lab, table, rounds, "reconcile --all after a reboot");
    again(lab, table, "reconcile --all, nothing to do", &["reconcile", "--all"]);
    again(lab, table, "status", &["status"]);
    for network in &networks {
        serve(network);
    }
    after_reboot(lab, table, rounds, "... with DHCP, DNS and user data");
    again(lab, table, "status, with DHCP, DNS and user data", &["status"]);
    again(lab, table, "reconcile --daemons, all of them sound", &["reconcile", "--daemons"]);
    for network in &networks {
        network.destroy();
    }
}

fn network(lab: &Lab, number: u32) -> Network<'_> {
    let network = lab.network(9000 + number).on_vlan(&(1000 + number).to_string());
    let public = format!("198.51.100.{}", 100 + number);
    let rules = (0..RULES).fold(Firewall::egress_allowed(), |firewall, number| {
        firewall.with(Rule::ingress(&public).tcp(8000 + 2 * number))
    });
    network.implement().assign_ip(&public, SourceNat::Yes).apply_firewall(&rules);
    network
}

fn serve(network: &Network<'_>) {
    let nic =
        joined(&network.nic_fields("10.1.1.10"), &json!({"dns": "198.51.100.53", "domain": "cs1.internal"}));
    for command in ["add-dhcp-entry", "add-dns-entry"] {
        network.command(command, &nic).succeeds_silently();
    }
    let data = json!({"vm_data": [{"dir": "userdata", "file": "user_data", "content": "#cloud-config"}]});
    network.command("save-vm-data", &joined(&network.nic_fields("10.1.1.10"), &data)).succeeds_silently();
}

fn after_reboot(lab: &Lab, table: &mut FigureTable, rounds: usize, name: &str) {
    let mut ours = Work::from(lab.operator(&["reconcile", "--all"]));
    let figure = Figure::against_true(name, rounds, || {
        let unplugged = lab.reboot();
        settle();
        let taken = milliseconds(ours.run());
        unplugged.plug_in();
        taken
    });
    table.add(figure.must_reach(Target::Within(5000.0)));
}

fn again(lab: &Lab, table: &mut FigureTable, name: &str, words: &[&str]) {
    let mut ours = Work::from(lab.operator(words));
    table.add(Figure::against_true(name, 9, || milliseconds(ours.run())));
}
