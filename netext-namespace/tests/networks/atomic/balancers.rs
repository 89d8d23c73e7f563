//! Load balancers on a full disk: connections outlive a change that fails.

use netext_lab::{Balancer, Conversation, Firewall, Lab, Rule, SmallDisk, lab};

use super::trial::{Trial, call};
use crate::setup::network;

/// The number of rules of a large firewall.
const LARGE: u32 = 200;

fn balancer() -> Balancer {
    Balancer::tcp(9, "198.51.100.10:80").member("10.1.1.10:8080")
}

/// Changes the rules while the disk is full. The connections of before live on as long as the change fails.
#[track_caller]
fn keeps_connections(lab: &Lab, changed: &[&Balancer]) {
    let disk = SmallDisk::mount(lab);
    let network = network(lab);
    network.apply_balancers(&[&balancer()]);
    // The state needs more space than the end of haproxy frees.
    let rules = (1..=LARGE).map(|port| Rule::ingress("198.51.100.10").tcp(port));
    network.apply_firewall(&rules.fold(Firewall::egress_allowed(), Firewall::with));
    let guest = network.guest("10.1.1.10");
    let _server = guest.listen_tcp(8080);
    let client = lab.client("203.0.113.5");
    let trial =
        Trial::of(lab, call(&network, "apply-lb-rules", &network.balancer_fields(changed)), Vec::new());
    let goes_on = |mut flow: Conversation| {
        flow.goes_on();
        client.connects_to("198.51.100.10:80").answered_by("10.1.1.10");
        client.cannot_connect_to("198.51.100.10:81");
    };
    trial.meets_a_full_disk_while(&disk, || client.talks_to("198.51.100.10:80"), goes_on);
}

#[test]
fn the_last_rule_is_revoked_or_its_connections_go_on() {
    keeps_connections(&lab!(), &[&balancer().revoked()]);
}

#[test]
fn a_rule_is_added_or_the_others_serve_on() {
    let other = Balancer::tcp(10, "198.51.100.10:81").member("10.1.1.10:8080");
    keeps_connections(&lab!(), &[&balancer(), &other]);
}
