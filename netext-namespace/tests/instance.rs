//! A real instance, booted with nothing but a network interface, lives on the network.

use netext_lab::{Forward, SourceNat, lab};

const MAC: &str = "02:01:00:d1:00:0a";

#[test]
fn an_instance_leaves_by_source_nat_and_is_reached_by_a_port_forward() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
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
