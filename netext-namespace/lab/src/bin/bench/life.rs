//! Creating and destroying a router, many times.

use netext_lab::{Firewall, Lab, Network, PUBLIC_BRIDGE, PUBLIC_GATEWAY, SourceNat};
use serde_json::{Value, json};

use crate::clock::{Work, milliseconds, settle};
use crate::figure::{Figure, FigureTable, Target};
use crate::floor::{Floor, additions};
use crate::series::Series;

const NETWORK: u32 = 801;
const SOURCE_NAT: &str = "198.51.100.41";
const ANOTHER: &str = "198.51.100.42";
/// The router's ends of its links. The floor's links have the same names, so that the rules are the same.
const GUEST: &str = "vn-801-801";
const PUBLIC: &str = "vpn-101-801";

/// A step that both sides do.
struct Step {
    name: &'static str,
    target: Option<Target>,
    ours: Work,
    floor: Work,
    of_ours: Series,
    of_floor: Series,
}

impl Step {
    fn new(name: &'static str, target: Option<Target>, ours: Work, floor: Work) -> Self {
        Self { name, target, ours, floor, of_ours: Series::default(), of_floor: Series::default() }
    }

    fn run(&mut self, round: usize) {
        let (ours, floor);
        if round % 2 == 0 {
            ours = self.ours.run();
            settle();
            floor = self.floor.run();
        } else {
            floor = self.floor.run();
            settle();
            ours = self.ours.run();
        }
        settle();
        if round > 0 {
            self.of_ours.push(milliseconds(ours));
            self.of_floor.push(milliseconds(floor));
        }
    }
}

/// Both sides implement, assign and destroy, step by step in turns.
pub(crate) fn measure(lab: &Lab, table: &mut FigureTable, rounds: usize) {
    table.group(
        "creating and destroying a router",
        "ip -batch and one nft -f in the namespace (ip netns exec)",
    );
    let network = lab.network(NETWORK).on_vlan("801");
    let floor = Floor::new(lab, "floor-life");
    let rules = Rules::observe(&network);

    let ready = |command: &str, fields: &Value| lab.ready(command, &network.document(fields)).into();
    let address = |address, source_nat| ready("assign-ip", &network.public_fields(address, source_nat));
    let limit = Some(Target::AtMost(1.5));
    let mut implement = Step::new(
        "implement-network",
        limit,
        ready("implement-network", &network.extension_field()),
        implement(&floor, &network, &rules),
    );
    let mut assign = Step::new(
        "assign-ip, the first, for source NAT",
        limit,
        address(SOURCE_NAT, SourceNat::Yes),
        assign(&floor, &rules),
    );
    let mut firewall: Work = ready("apply-fw-rules", &network.firewall_fields(&Firewall::egress_allowed()));
    let mut assign_more = Step::new(
        "assign-ip, one more address",
        limit,
        address(ANOTHER, SourceNat::No),
        assign_more(&floor, &rules),
    );
    let mut destroy = Step::new(
        "destroy-network",
        None,
        ready("destroy-network", &json!({"network_state": "destroy"})),
        Work::from(floor.ip_host(
            "destroy",
            &format!("link delete fh-801\nlink delete fph-101\nnetns delete {}\n", floor.namespace()),
        )),
    );

    for round in 0..=rounds {
        implement.run(round);
        assign.run(round);
        firewall.run();
        floor.set_rules(&rules.with_firewall);
        assign_more.run(round);
        if round == 0 {
            floor.must_have_rules(&rules.with_more);
        }
        destroy.run(round);
    }
    for Step { name, target, of_ours, of_floor, .. } in [implement, assign, assign_more, destroy] {
        table.add(Figure::time(name, (of_ours, of_floor)).must_reach(target));
    }
}

/// The rules after each of our commands.
struct Rules {
    implemented: String,
    assigned: String,
    with_firewall: String,
    with_more: String,
    guest_mac: String,
    public_mac: String,
}

impl Rules {
    fn observe(network: &Network<'_>) -> Self {
        network.implement();
        let implemented = network.router().ruleset();
        network.assign_ip(SOURCE_NAT, SourceNat::Yes);
        let assigned = network.router().ruleset();
        network.apply_firewall(&Firewall::egress_allowed());
        let with_firewall = network.router().ruleset();
        network.assign_ip(ANOTHER, SourceNat::No);
        let with_more = network.router().ruleset();
        let mac = |interface: &str| {
            let line = network.router().ip(&format!("link show {interface}")).concat();
            line.split_whitespace()
                .skip_while(|word| *word != "link/ether")
                .nth(1)
                .unwrap_or_default()
                .to_owned()
        };
        let (guest_mac, public_mac) = (mac(GUEST), mac(PUBLIC));
        network.destroy();
        Self { implemented, assigned, with_firewall, with_more, guest_mac, public_mac }
    }
}

/// Namespace, link to the guest bridge, gateway address, forwarding, rules.
fn implement(floor: &Floor<'_>, network: &Network<'_>, rules: &Rules) -> Work {
    let (namespace, bridge, mac) = (floor.namespace(), network.bridge(), &rules.guest_mac);
    let host = format!(
        "netns add {namespace}\n\
         link add fh-801 type veth peer name {GUEST} address {mac} netns {namespace}\n\
         link set fh-801 master {bridge} up\n"
    );
    let inside = format!("link set {GUEST} up\naddress add 10.1.1.1/24 dev {GUEST}\n");
    let forwarding = [("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1")];
    Work::of([
        floor.ip_host("implement-host", &host),
        floor.settings_and_nft("implement.nft", &forwarding, &rules.implemented),
        floor.ip_inside("implement-inside", &inside),
    ])
}

/// Link to the public bridge, address, default route, rules.
fn assign(floor: &Floor<'_>, rules: &Rules) -> Work {
    let (namespace, mac) = (floor.namespace(), &rules.public_mac);
    let host = format!(
        "link add fph-101 type veth peer name {PUBLIC} address {mac} netns {namespace}\n\
         link set fph-101 master {PUBLIC_BRIDGE} up\n"
    );
    let inside = format!(
        "link set {PUBLIC} up\n\
         address add {SOURCE_NAT}/24 dev {PUBLIC}\n\
         route add default via {PUBLIC_GATEWAY} dev {PUBLIC}\n"
    );
    Work::of([
        floor.nft("assign.nft", &additions(&rules.implemented, &rules.assigned)),
        floor.ip_host("assign-host", &host),
        floor.ip_inside("assign-inside", &inside),
    ])
}

/// An address and its rules.
fn assign_more(floor: &Floor<'_>, rules: &Rules) -> Work {
    let inside = format!("address add {ANOTHER}/24 dev {PUBLIC}\n");
    Work::of([
        floor.nft("assign-more.nft", &additions(&rules.with_firewall, &rules.with_more)),
        floor.ip_inside("assign-more-inside", &inside),
    ])
}
