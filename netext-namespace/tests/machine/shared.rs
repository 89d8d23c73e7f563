//! A shared network with another gateway on the VLAN.

use netext_lab::{Hypervisor, Lab, Listener, Network, Node};

use crate::ports;

pub(crate) const VLAN: u16 = 3042;
/// The operator's own bridge for the VLAN.
const BRIDGE: &str = "tenants";

/// Configures the operator's bridge, as the host's own network configuration does at boot.
pub(crate) fn configure(host: &Hypervisor) {
    host.machine().runs(&format!(
        "set -e\n\
         ip link set eth1 up\n\
         ip link add link eth1 name eth1.{VLAN} type vlan id {VLAN}\n\
         ip link add {BRIDGE} type bridge\n\
         ip link set eth1.{VLAN} master {BRIDGE}\n\
         ip link set eth1.{VLAN} up\n\
         ip link set {BRIDGE} up"
    ));
}

pub(crate) struct Shared<'lab> {
    lab: &'lab Lab,
    network: Network<'lab>,
    guest: Node,
    _gateway: Node,
    _outside: Listener,
}

impl<'lab> Shared<'lab> {
    /// The first command is `prepare-nic`.
    pub(crate) fn deployed(lab: &'lab Lab) -> Self {
        let network = lab.network(215).on_vlan("3042").with_subnet("172.31.42.1", "172.31.42.0/24");
        let network = network.shared("172.31.42.200");
        let gateway = lab.plug("brnone-3042", &["172.31.42.1/24"]);
        gateway.sandbox().ip("route add local 203.0.113.0/24 dev lo\n");
        network.deploy("172.31.42.10");
        let guest = network.guest("172.31.42.10");
        let outside = gateway.listen_tcp_on("203.0.113.9:80");
        Self { lab, network, guest, _gateway: gateway, _outside: outside }
    }

    pub(crate) fn works(&self) {
        assert_eq!(ports(self.lab.hypervisor(), BRIDGE), ["eth1.3042", "vh-3042-215"]);
        let prints = |program: &str, arguments: &[&str]| {
            let output = self.guest.sandbox().output(program, arguments);
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        };
        let name = ["+short", "@172.31.42.200", "web-10.cs1.internal"];
        assert_eq!(prints("dig", &name), "172.31.42.10");
        let user_data = ["-sf", "--max-time", "10", "http://172.31.42.200/latest/user-data"];
        assert_eq!(prints("curl", &user_data), "172.31.42.10");
        self.guest.connects_to("203.0.113.9:80").seen_as("172.31.42.10").answered_by("172.31.42.1");
    }

    pub(crate) fn ends(&self) {
        self.network.release_nic("172.31.42.10").destroy();
        self.guest.cannot_ping("172.31.42.200");
        assert_eq!(ports(self.lab.hypervisor(), BRIDGE), ["eth1.3042"]);
    }
}
