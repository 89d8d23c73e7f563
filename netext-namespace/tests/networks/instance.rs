//! A real instance that boots with only a network interface.

use netext_lab::{Network, SourceNat, joined, lab};
use serde_json::{Value, json};

use crate::setup::network_with_forward;

const MAC: &str = "02:01:00:d1:00:0a";
const USER_DATA: &str = "#cloud-config\nwrite_files:\n- path: /etc/motd\n  content: 'a=b & c<d>'\n";
const PASSWORD: &str = "kE3=p&x9'<>";
const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIsample user@host";

#[test]
fn an_instance_leaves_with_source_nat_and_is_reached_through_a_port_forward() {
    let lab = lab!();
    let network = network_with_forward(&lab);
    let client = lab.client("203.0.113.5");
    let web = client.listen_tcp(80);

    let instance = network.instance("web-10", MAC);
    instance.takes_address("10.1.1.10/24", "10.1.1.1");
    instance.connects_to("203.0.113.5:80").seen_as("198.51.100.10").answered_by("203.0.113.5");
    assert_eq!(web.seen(), ["198.51.100.10"]);

    instance.listens_tcp(22);
    client.connects_to("198.51.100.10:2222").seen_as("203.0.113.5").answered_by("web-10");
    client.talks_to("198.51.100.10:2222").goes_on();
    client.cannot_connect_to("198.51.100.10:22");
}

#[test]
fn an_instance_configures_itself_from_the_services_of_its_network() {
    let lab = lab!();
    let network = network_with_forward(&lab);
    deploy(&network);
    let instance = network.instance("image", MAC);

    let lease = instance.takes_lease("10.1.1.10");
    lease.with("subnet", "255.255.255.0").with("router", "10.1.1.1").with("serverid", "10.1.1.1");
    lease.with("dns", "10.1.1.1 198.51.100.53 198.51.100.54");
    lease.with("domain", "cs1.internal").with("search", "cs1.internal").with("hostname", "web-10");
    for name in ["web-10", "web-10.cs1.internal"] {
        assert!(instance.runs(&format!("nslookup -type=a {name} 10.1.1.1")).contains("10.1.1.10"), "{name}");
    }

    let latest = "http://10.1.1.1/latest";
    assert_eq!(instance.runs(&format!("wget -qO- {latest}/user-data")), USER_DATA);
    let listing = instance.runs(&format!("wget -qO- {latest}/meta-data/"));
    for name in ["instance-id", "local-hostname", "public-keys"] {
        // A directory has a slash for EC2's clients.
        assert!(listing.lines().any(|line| line.trim_end_matches('/') == name), "{name} of {listing}");
    }
    let of = |name: &str| instance.runs(&format!("wget -qO- {latest}/meta-data/{name}"));
    assert_eq!(of("local-hostname").trim_end(), "web-10");
    assert_eq!(of("public-keys/0/openssh-key").trim_end(), PUBLIC_KEY);
    assert!(instance.tries(&format!("wget -qO- {latest}/meta-data/no-such")).code != 0);

    // The requests of CloudStack's own scripts in guest images.
    let request = |words: &str| {
        instance.runs(&format!("wget -qO- --header 'DomU_Request: {words}' http://10.1.1.1:8080/"))
    };
    assert_eq!(request("send_my_password").trim_end(), PASSWORD);
    assert_eq!(request("saved_password").trim_end(), "saved_password");
    assert_eq!(request("send_my_password").trim_end(), "saved_password");

    let client = lab.client("203.0.113.5");
    instance.listens_tcp(22);
    client.connects_to("198.51.100.10:2222").seen_as("203.0.113.5").answered_by("web-10");
    let _web = client.listen_tcp(80);
    instance.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
}

#[test]
fn an_instance_without_a_reservation_gets_no_address() {
    let lab = lab!();
    let network = network_with_forward(&lab);
    deploy(&network);
    network.instance("stranger", "02:01:00:d1:00:0b").gets_no_lease();
}

#[test]
fn an_instance_configures_itself_from_router_advertisements() {
    let lab = lab!();
    let network = lab.network(209).with_ip6("2001:db8:1::1", "2001:db8:1::/64");
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    deploy(&network);
    let instance = network.instance("image", MAC);
    instance.configures_itself("2001:db8:1:0:1:ff:fed1:a");
    instance.pings("2001:db8:1::1");
    instance.takes_lease("10.1.1.10");
    instance.listens_tcp(22);
    network.router().node().connects_to("[2001:db8:1:0:1:ff:fed1:a]:22").answered_by("web-10");
}

/// Deploys the instance at 10.1.1.10 as the server does.
fn deploy(network: &Network<'_>) {
    network.prepare_nic("10.1.1.10");
    let nic = network.nic_fields("10.1.1.10");
    let subnet = json!({"dns": "198.51.100.53,198.51.100.54", "domain": "cs1.internal"});
    let send = |command: &str, fields: &Value| {
        network.command(command, &joined(&nic, fields)).succeeds_silently();
    };
    send("config-dhcp-subnet", &subnet);
    send("add-dhcp-entry", &subnet);
    send("config-dns-subnet", &subnet);
    send("add-dns-entry", &subnet);
    let file = |dir: &str, file: &str, content: &str| json!({"dir": dir, "file": file, "content": content});
    let vm_data = [
        file("userdata", "user_data", USER_DATA),
        file("metadata", "local-hostname", "web-10"),
        file("metadata", "local-ipv4", "10.1.1.10"),
        file("metadata", "instance-id", "2b1c3f0e-7d59-4f0e-8f5b-0f8f2f1f4c11"),
        file("metadata", "public-keys", PUBLIC_KEY),
    ];
    send("save-vm-data", &json!({"vm_data": vm_data}));
    send("save-password", &json!({"password": PASSWORD}));
    send("save-hypervisor-hostname", &json!({"hypervisor_hostname": "kvm-1"}));
}
