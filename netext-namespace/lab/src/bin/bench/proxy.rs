//! The cost of reaching a host over SSH.

use std::process::Command;

use netext_lab::{FIRST_HOST, Lab, SERVER_HOME};
use serde_json::json;

use crate::clock::{Work, interleave, milliseconds, program};
use crate::figure::{Figure, FigureTable, Target};

/// The floor's key and connection, in the management server's `/run`.
const KEY: &str = "/run/floor/key";
const SOCKET: &str = "/run/floor/connection";

/// `ensure-network-device` and a command that changes nothing, with and without an open connection.
pub(crate) fn measure(executable: &str, table: &mut FigureTable, rounds: usize) {
    let lab = Lab::boot_with_server(executable);
    let (server, lab) = (lab.server().clone(), &lab);
    server.run(|| {
        prepare_floor(lab);
        let network = lab.network(800);
        network.ensure_device(&json!({}));
        let ensure = network.document(&json!({"current_details": network.details().to_string()}));
        let no_op = network.document(&json!({"network_state": "destroy"}));
        let commands = [
            ("ensure-network-device", lab.ready("ensure-network-device", &ensure)),
            ("no-op (destroys a network that is not there)", lab.ready("destroy-network", &no_op)),
        ];
        let mut works = commands.map(|(name, command)| (name, Work::from(command)));

        table.group("a host over ssh, connected", "ssh host true over its own connection");
        program(
            "ssh",
            &["-fNM", "-o", "ControlPersist=yes", "-S", SOCKET, "-i", KEY, "-l", "root", FIRST_HOST],
        )
        .status()
        .expect("ssh");
        let warm = || Work::from(program("ssh", &["-S", SOCKET, FIRST_HOST, "true"]));
        for (name, work) in &mut works {
            let mut floor = warm();
            let measured = interleave(rounds, |_| milliseconds(work.run()), |_| milliseconds(floor.run()));
            table.add(Figure::time(*name, measured).must_reach(Target::AtMost(1.5)));
            let mut floor = warm();
            let measured = interleave(rounds, |_| milliseconds(work.run()), |_| milliseconds(floor.run()));
            table.add(Figure::time(format!("{name}, in time"), measured).must_reach(Target::Within(40.0)));
        }

        table.group("a host over ssh, not connected", "ssh host true with a login of its own");
        for (name, work) in &mut works {
            let mut floor =
                Work::from(program("ssh", &["-S", "none", "-i", KEY, "-l", "root", FIRST_HOST, "true"]));
            let ours = |_| {
                end_connections(lab);
                milliseconds(work.run())
            };
            let measured = interleave(rounds.div_ceil(4), ours, |_| milliseconds(floor.run()));
            table.add(Figure::time(*name, measured).must_reach(Target::AtMost(1.3)));
        }
    });
}

/// Gives the floor the registered key and the host's key.
fn prepare_floor(lab: &Lab) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all("/run/floor").expect("a folder");
    std::fs::write(KEY, lab.detail("sshkey")).expect("a key");
    std::fs::set_permissions(KEY, std::fs::Permissions::from_mode(0o600)).expect("a private key");
    let folder = format!("{SERVER_HOME}/.ssh");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(format!("{folder}/known_hosts"), lab.first_host().known_hosts_line() + "\n")
        .expect("a host key");
}

/// Ends the connections of ours, not the floor's.
fn end_connections(lab: &Lab) {
    let folder = lab.proxy_folder();
    for (process, line) in lab.processes() {
        if line.starts_with("ssh") && line.contains(&folder) {
            Command::new("kill").arg(process.to_string()).status().expect("kill");
        }
    }
    std::thread::sleep(std::time::Duration::from_millis(50));
}
