//! Debian's cloud-init finds everything.

use super::change;
use super::guests::{self, GUEST, ROUTER, Server, entry};
use crate::throwaway::{host, machine, sh};
use serde_json::{Value, json};

const USER_DATA: &str = "#cloud-config\nname: 'é'\n\n";

/// A router with a guest that is a machine of its own.
fn server() -> Server {
    host();
    sh("ip link add guests type bridge && ip link set guests up && ip address add 10.1.1.1/24 dev guests");
    machine("guest", "guests", "10.1.1.10", "10.1.1.1");
    sh("ip -n guest link set lo up");
    let server = Server::start_on(&[(ROUTER, "guests")]);
    let vm_data = [
        entry("userdata", "user_data", USER_DATA),
        entry("metadata", "service-offering", "Small Instance"),
        entry("metadata", "availability-zone", "zone-é-1"),
        entry("metadata", "local-hostname", "web-1"),
        entry("metadata", "instance-id", "i-1"),
        entry("metadata", "public-keys", "ssh-ed25519 AAAA one@host\nssh-rsa BBBB two@host"),
        entry("metadata", "hypervisor-host-name", "kvm-1"),
        entry("password", "vm_password", "kE3=p&x9"),
    ];
    change(&server.instances(), |it| it.save(GUEST, &vm_data)).expect("save");
    server
}

/// Runs a script on the guest; it prints JSON.
fn python(script: &str) -> Value {
    let path = guests::folder().join("script.py");
    std::fs::write(&path, script).expect("write it");
    // There is no resolver, so do not wait for one.
    let python = "RES_OPTIONS='timeout:1 attempts:1' ip netns exec guest /usr/bin/python3";
    let printed = sh(&format!("{python} {}", path.display()));
    std::fs::remove_dir_all(path.parent().expect("remove it")).expect("remove it");
    serde_json::from_str(printed.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("{printed}"))
}

#[test]
fn the_crawler_for_ec2_reads_everything() {
    let _server = server();
    let found = python(
        "import json
from cloudinit.sources.helpers import ec2
address = 'http://10.1.1.1/'
print(json.dumps({
    'user data': ec2.get_instance_userdata('latest', address).decode(),
    'metadata': ec2.get_instance_metadata('latest', address),
    'dated': ec2.get_instance_metadata('2009-04-04', address)['instance-id'],
}))",
    );
    let metadata = json!({
        "service-offering": "Small Instance",
        "availability-zone": "zone-é-1",
        "local-hostname": "web-1",
        "instance-id": "i-1",
        "hypervisor-host-name": "kvm-1",
        "public-keys": {"public-key": ["ssh-ed25519 AAAA one@host", "ssh-rsa BBBB two@host"]},
    });
    assert_eq!(found, json!({"user data": USER_DATA, "metadata": metadata, "dated": "i-1"}));
}

#[test]
fn the_client_of_the_password_server_reads_a_password_once() {
    let server = server();
    let found = python(
        "import json
from cloudinit.sources.DataSourceCloudStack import CloudStackPasswordServerClient
client = CloudStackPasswordServerClient('10.1.1.1')
print(json.dumps([client.get_password(), client.get_password()]))",
    );
    assert_eq!(found, json!(["kE3=p&x9", null]));
    assert_eq!(server.instances().read(GUEST).unwrap().unwrap().password, None);
}

#[test]
fn the_data_source_for_cloudstack_finds_its_way() {
    let _server = server();
    // Without the name `data-server` and without leases it uses its default gateway.
    let found = python(
        "import json
from cloudinit import helpers
from cloudinit.sources.DataSourceCloudStack import DataSourceCloudStack
source = DataSourceCloudStack({}, None, helpers.Paths({'cloud_dir': '/proc/nowhere'}))
print(json.dumps({
    'found': source._get_data(),
    'instance': source.get_instance_id(),
    'zone': source.availability_zone,
    'keys': source.get_public_ssh_keys(),
    'user data': source.userdata_raw.decode(),
    'password': source.get_config_obj()['password'],
}))",
    );
    let keys = ["ssh-ed25519 AAAA one@host", "ssh-rsa BBBB two@host"];
    assert_eq!(
        found,
        json!({
            "found": true, "instance": "i-1", "zone": "zone-é-1", "keys": keys,
            "user data": USER_DATA, "password": "kE3=p&x9",
        })
    );
}
