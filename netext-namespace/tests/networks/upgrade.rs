//! Another build of the executable takes over what the last one made.

use netext_lab::{Forward, Lab, Network, SourceNat, joined, lab};
use serde_json::json;

fn network(lab: &Lab) -> Network<'_> {
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes).prepare_nic("10.1.1.10");
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    let vm_data = json!({"vm_data": [{"dir": "userdata", "file": "user_data", "content": "data"}]});
    network.command("save-vm-data", &joined(&network.nic_fields("10.1.1.10"), &vm_data)).succeeds_silently();
    network
}

/// The number that the kernel gave the table when it was made.
fn table(network: &Network<'_>) -> String {
    let listed = network.router().node().sandbox().output("nft", &["-a", "list", "table", "inet", "netext"]);
    String::from_utf8_lossy(&listed.stdout).lines().next().unwrap_or_default().to_owned()
}

fn server(lab: &Lab) -> Vec<i32> {
    let processes = lab.processes().into_iter();
    processes.filter(|(_, line)| line.contains("serve-metadata")).map(|(process, _)| process).collect()
}

#[test]
fn another_build_takes_nothing_of_the_last_one_for_its_own() {
    let lab = lab!();
    let network = network(&lab);
    let (old_table, old_server) = (table(&network), server(&lab));
    network.prepare_nic("10.1.1.10");
    assert_eq!((table(&network), server(&lab)), (old_table.clone(), old_server.clone()));

    lab.upgrades();
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let mut talk = lab.client("203.0.113.5").talks_to("198.51.100.10:2222");
    network.prepare_nic("10.1.1.10");
    assert_ne!(table(&network), old_table, "its rules are as it says");
    assert_ne!(server(&lab), old_server, "its server is the one that runs");
    assert_eq!(server(&lab).len(), 1);
    talk.goes_on();
    let asked = guest.sandbox().output("curl", &["-s", "-m5", "http://10.1.1.1/latest/user-data"]);
    assert_eq!(asked.stdout, b"data");

    let (new_table, new_server) = (table(&network), server(&lab));
    network.prepare_nic("10.1.1.10");
    assert_eq!((table(&network), server(&lab)), (new_table, new_server));
}

#[test]
fn the_server_is_one_by_whichever_name_the_executable_is_called() {
    let lab = lab!();
    let network = network(&lab);
    let running = server(&lab);
    lab.run_wrapper("prepare-nic", &network.document(&network.nic_fields("10.1.1.10"))).succeeds_silently();
    assert_eq!(server(&lab), running);
}

/// Writes the state as versions did that knew every NIC by its MAC.
fn write_in_the_first_format(lab: &Lab, network: &Network<'_>) {
    let path = format!("{}/state.json", network.folder());
    lab.host().run(|| {
        let text = std::fs::read_to_string(&path).expect("the state");
        let mut state: serde_json::Value = serde_json::from_str(&text).expect("the state is JSON");
        state["format"] = json!(1);
        let nics = &mut state["router"]["tiers"]["209"]["nics"];
        let by_mac = |mut nic: serde_json::Value| {
            let fields = nic.as_object_mut()?;
            fields.remove("nic_uuid");
            let mac = fields.remove("mac")?;
            Some((mac.as_str()?.to_owned(), nic))
        };
        let list = nics.as_array().cloned().expect("a list of NICs");
        *nics = serde_json::Value::Object(list.into_iter().filter_map(by_mac).collect());
        std::fs::write(&path, state.to_string()).expect("the state can be written");
    });
}

#[test]
fn a_state_of_the_first_format_is_taken_over_and_written_in_the_next_one() {
    let lab = lab!();
    let network = network(&lab);
    let resolvers = json!({"dns": "198.51.100.53", "domain": "cs1.internal"});
    let nic = joined(&network.nic_fields("10.1.1.10"), &resolvers);
    for command in ["add-dhcp-entry", "add-dns-entry"] {
        network.command(command, &nic).succeeds_silently();
    }
    write_in_the_first_format(&lab, &network);
    // The NIC is known by its MAC, and its address names it from now on.
    network.command("add-dns-entry", &json!({"ip": "10.1.1.10", "hostname": "renamed"})).succeeds_silently();
    let guest = network.bare_guest("02:01:00:d1:00:0a");
    guest.takes_lease("10.1.1.10").with("hostname", "renamed");
    assert_eq!(guest.digs("10.1.1.1", "renamed.cs1.internal"), "10.1.1.10");
    let path = format!("{}/state.json", network.folder());
    let text = lab.host().run(|| std::fs::read_to_string(&path)).expect("the state");
    assert!(text.contains("\"format\":2") && text.contains("\"nics\":["), "{text}");
}
