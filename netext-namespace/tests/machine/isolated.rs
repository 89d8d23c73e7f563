//! An isolated network with a real instance.

use netext_lab::{Balancer, Firewall, Forward, Instance, Lab, Listener, Network, Node, Rule, SourceNat};

pub(crate) const VLAN: u16 = 1910;
const SOURCE_NAT: &str = "198.51.100.10";
const STATIC_NAT: &str = "198.51.100.11";

pub(crate) struct Isolated<'lab> {
    lab: &'lab Lab,
    network: Network<'lab>,
    instance: Instance,
    /// The guest with the static NAT.
    second: Node,
    closed: Listener,
    _open: [Listener; 2],
}

impl<'lab> Isolated<'lab> {
    pub(crate) fn deployed(lab: &'lab Lab) -> Self {
        // The upstream has another machine in its ARP cache for the address.
        let former = format!("neighbour replace {SOURCE_NAT} lladdr 02:00:00:00:00:99 nud stale dev eth0\n");
        lab.upstream().sandbox().ip(&former);
        let network = lab.network(209).with_ip6("2001:db8:1::1", "2001:db8:1::/64");
        network.implement().assign_ip(SOURCE_NAT, SourceNat::Yes);
        let owner = lab.upstream().mac_of(SOURCE_NAT);
        assert!(owner != "02:00:00:00:00:99", "the router did not announce {SOURCE_NAT}");

        network.assign_ip(STATIC_NAT, SourceNat::No).add_static_nat(STATIC_NAT, "10.1.1.11");
        network.add_port_forward(&Forward::tcp(&format!("{SOURCE_NAT}:2222"), "10.1.1.10:22"));
        network.apply_firewall(
            &Firewall::egress_allowed()
                .with(Rule::ingress(SOURCE_NAT).tcp(2222))
                .with(Rule::ingress(SOURCE_NAT).tcp(80))
                .with(Rule::ingress(STATIC_NAT).tcp(22)),
        );
        let balancer = Balancer::tcp(3, &format!("{SOURCE_NAT}:80")).member("10.1.1.11:22");
        network.apply_balancers(&[&balancer]);
        network.deploy("10.1.1.10");
        let instance = network.instance("image", "02:01:00:d1:00:0a");
        let second = network.guest("10.1.1.11");
        instance.listens_tcp(22);
        let (open, closed) = (second.listen_tcp(22), second.listen_tcp(23));
        let internet = lab.client("203.0.113.5").listen_tcp(80);
        Self { lab, network, instance, second, closed, _open: [open, internet] }
    }

    pub(crate) fn works(&self) {
        let lease = self.instance.takes_lease("10.1.1.10");
        lease.with("router", "10.1.1.1").with("hostname", "web-10").with("domain", "cs1.internal");
        let named = self.instance.runs("nslookup -type=a web-10.cs1.internal 10.1.1.1");
        assert!(named.contains("10.1.1.10"), "{named}");
        assert_eq!(self.instance.runs("wget -qO- http://10.1.1.1/latest/user-data"), "10.1.1.10");
        self.instance.configures_itself("2001:db8:1:0:1:ff:fed1:a");
        self.instance.pings("2001:db8:1::1");

        self.instance.connects_to("203.0.113.5:80").seen_as(SOURCE_NAT);
        self.second.connects_to("203.0.113.5:80").seen_as(STATIC_NAT);
        let client = self.lab.client("203.0.113.5");
        client.connects_to(&format!("{SOURCE_NAT}:2222")).seen_as("203.0.113.5").answered_by("web-10");
        client.connects_to(&format!("{STATIC_NAT}:22")).seen_as("203.0.113.5").answered_by("10.1.1.11");
        client.connects_to(&format!("{SOURCE_NAT}:80")).seen_as("10.1.1.1").answered_by("10.1.1.11");
        client.cannot_connect_to(&format!("{STATIC_NAT}:23"));
        self.second.connects_to("10.1.1.10:22").seen_as("10.1.1.11");
        self.closed.saw_no_client();
    }

    /// Asserts that the next command repairs a deleted VLAN interface, and a NIC that is down.
    pub(crate) fn is_healed(&self) {
        for damage in [format!("delete eth1.{VLAN}"), "set eth1 down".to_owned()] {
            self.lab.hypervisor().machine().runs(&format!("ip link {damage}"));
            self.second.cannot_ping("10.1.1.1");
            self.network.prepare_nic("10.1.1.10");
            self.second.pings("10.1.1.1");
        }
    }

    pub(crate) fn is_cut_off(&self) {
        self.lab.client("203.0.113.5").cannot_connect_to(&format!("{SOURCE_NAT}:2222"));
        self.second.cannot_ping("10.1.1.1");
    }

    pub(crate) fn ends(&self) {
        self.network.release_nic("10.1.1.10").shutdown().destroy();
        self.is_cut_off();
    }
}
