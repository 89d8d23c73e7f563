//! Another build of the executable takes over the routers of the previous one.

use netext_lab::{Lab, Network, joined, lab, resolvers};
use serde_json::json;

use crate::setup::network_with_forward;

fn network(lab: &Lab) -> Network<'_> {
    let network = network_with_forward(lab);
    network.prepare_nic("10.1.1.10");
    let vm_data = json!({"vm_data": [{"dir": "userdata", "file": "user_data", "content": "data"}]});
    network.command("save-vm-data", &joined(&network.nic_fields("10.1.1.10"), &vm_data)).succeeds_silently();
    network
}

/// The handle that the kernel gave the table.
fn table(network: &Network<'_>) -> String {
    let listed = network.router().node().sandbox().output("nft", &["-a", "list", "table", "inet", "netext"]);
    String::from_utf8_lossy(&listed.stdout).lines().next().unwrap_or_default().to_owned()
}

fn metadata_servers(lab: &Lab) -> Vec<i32> {
    let processes = lab.processes().into_iter();
    processes.filter(|(_, line)| line.contains("serve-metadata")).map(|(process, _)| process).collect()
}

#[test]
fn another_build_replaces_the_rules_and_the_server_of_the_previous_one() {
    let lab = lab!();
    let network = network(&lab);
    let (old_table, old_server) = (table(&network), metadata_servers(&lab));
    network.prepare_nic("10.1.1.10");
    assert_eq!((table(&network), metadata_servers(&lab)), (old_table.clone(), old_server.clone()));

    lab.upgrades();
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let mut talk = lab.client("203.0.113.5").talks_to("198.51.100.10:2222");
    network.prepare_nic("10.1.1.10");
    assert_ne!(table(&network), old_table, "the new build wrote its own rules");
    assert_ne!(metadata_servers(&lab), old_server, "the new build started its own server");
    assert_eq!(metadata_servers(&lab).len(), 1);
    talk.goes_on();
    assert_eq!(guest.curls("10.1.1.1", "user-data"), "data");

    let (new_table, new_server) = (table(&network), metadata_servers(&lab));
    network.prepare_nic("10.1.1.10");
    assert_eq!((table(&network), metadata_servers(&lab)), (new_table, new_server));
}

#[test]
fn both_names_of_the_executable_use_the_same_server() {
    let lab = lab!();
    let network = network(&lab);
    let running = metadata_servers(&lab);
    lab.run_wrapper("prepare-nic", &network.document(&network.nic_fields("10.1.1.10"))).succeeds_silently();
    assert_eq!(metadata_servers(&lab), running);
}

/// Writes the state in the format of versions that identified every NIC by its MAC address.
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
fn a_state_in_the_first_format_is_read_and_written_in_the_next_one() {
    let lab = lab!();
    let network = network(&lab);
    let nic = joined(&network.nic_fields("10.1.1.10"), &resolvers());
    for command in ["add-dhcp-entry", "add-dns-entry"] {
        network.command(command, &nic).succeeds_silently();
    }
    write_in_the_first_format(&lab, &network);
    // The NIC is known by its MAC address, and from now on by its IP address.
    network.command("add-dns-entry", &json!({"ip": "10.1.1.10", "hostname": "renamed"})).succeeds_silently();
    let guest = network.bare_guest("02:01:00:d1:00:0a");
    guest.takes_lease("10.1.1.10").with("hostname", "renamed");
    assert_eq!(guest.digs("10.1.1.1", "renamed.cs1.internal"), "10.1.1.10");
    let path = format!("{}/state.json", network.folder());
    let text = lab.host().run(|| std::fs::read_to_string(&path)).expect("the state");
    assert!(text.contains("\"format\":2") && text.contains("\"nics\":["), "{text}");
}
