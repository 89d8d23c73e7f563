//! A real instance, booted with nothing but a network interface, lives on the network.

use netext_lab::{Forward, Lab, Network, SourceNat, joined, lab};
use serde_json::{Value, json};

const MAC: &str = "02:01:00:d1:00:0a";
const USER_DATA: &str = "#cloud-config\nwrite_files:\n- path: /etc/motd\n  content: 'a=b & c<d>'\n";
const PASSWORD: &str = "kE3=p&x9'<>";
const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIsample user@host";

#[test]
fn an_instance_leaves_by_source_nat_and_is_reached_by_a_port_forward() {
    let lab = lab!();
    let network = network(&lab);
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
fn an_instance_comes_to_life_by_what_the_network_tells_it() {
    let lab = lab!();
    let network = network(&lab);
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
        // Without a slash, or with one where it is a directory for EC2's clients.
        assert!(listing.lines().any(|line| line.trim_end_matches('/') == name), "{name} of {listing}");
    }
    let of = |name: &str| instance.runs(&format!("wget -qO- {latest}/meta-data/{name}"));
    assert_eq!(of("local-hostname").trim_end(), "web-10");
    assert_eq!(of("public-keys/0/openssh-key").trim_end(), PUBLIC_KEY);
    assert!(instance.tries(&format!("wget -qO- {latest}/meta-data/no-such")).code != 0);

    // What CloudStack's own scripts in guest images say.
    let say = |words: &str| {
        instance.runs(&format!("wget -qO- --header 'DomU_Request: {words}' http://10.1.1.1:8080/"))
    };
    assert_eq!(say("send_my_password").trim_end(), PASSWORD);
    assert_eq!(say("saved_password").trim_end(), "saved_password");
    assert_eq!(say("send_my_password").trim_end(), "saved_password");

    let client = lab.client("203.0.113.5");
    instance.listens_tcp(22);
    client.connects_to("198.51.100.10:2222").seen_as("203.0.113.5").answered_by("web-10");
    let _web = client.listen_tcp(80);
    instance.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
}

#[test]
fn an_instance_that_nobody_reserved_an_address_for_gets_none() {
    let lab = lab!();
    let network = network(&lab);
    deploy(&network);
    network.instance("stranger", "02:01:00:d1:00:0b").gets_no_lease();
}

#[test]
fn an_instance_configures_itself_by_router_advertisements() {
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

/// A network that leaves by 198.51.100.10 and leads its port 2222 to the instance.
fn network(lab: &Lab) -> Network<'_> {
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network
}

/// What the server says when it deploys the instance at 10.1.1.10.
fn deploy(network: &Network<'_>) {
    network.prepare_nic("10.1.1.10");
    let nic = network.nic_fields("10.1.1.10");
    let subnet = json!({"dns": "198.51.100.53,198.51.100.54", "domain": "cs1.internal"});
    let say = |command: &str, fields: &Value| {
        network.command(command, &joined(&nic, fields)).succeeds_silently();
    };
    say("config-dhcp-subnet", &subnet);
    say("add-dhcp-entry", &subnet);
    say("config-dns-subnet", &subnet);
    say("add-dns-entry", &subnet);
    let file = |dir: &str, file: &str, content: &str| json!({"dir": dir, "file": file, "content": content});
    let vm_data = [
        file("userdata", "user_data", USER_DATA),
        file("metadata", "local-hostname", "web-10"),
        file("metadata", "local-ipv4", "10.1.1.10"),
        file("metadata", "instance-id", "2b1c3f0e-7d59-4f0e-8f5b-0f8f2f1f4c11"),
        file("metadata", "public-keys", PUBLIC_KEY),
    ];
    say("save-vm-data", &json!({"vm_data": vm_data}));
    say("save-password", &json!({"password": PASSWORD}));
    say("save-hypervisor-hostname", &json!({"hypervisor_hostname": "kvm-1"}));
}
