//! A network of the cloud, driven command by command as the management server drives it.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::lab::Lab;
use crate::node::Node;
use crate::router::Router;

/// Whether a public address is the network's source NAT address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceNat {
    /// Guests without a static NAT leave by it.
    Yes,
    /// It serves static NAT or port forwards only.
    No,
}

/// A guest network as the management server knows it: its fields, and the details that the device
/// printed last. It starts as an isolated network 10.1.1.0/24 with the gateway 10.1.1.1 on VLAN 1910.
#[derive(Debug)]
pub struct Network<'lab> {
    pub(crate) lab: &'lab Lab,
    pub(crate) id: u32,
    pub(crate) vpc: Option<u32>,
    pub(crate) guest_type: &'static str,
    pub(crate) vlan: String,
    pub(crate) public_vlan: String,
    pub(crate) gateway: String,
    pub(crate) cidr: String,
    pub(crate) extension_ip: String,
    pub(crate) ip6: Option<(String, String)>,
    pub(crate) details: Mutex<Value>,
}

impl<'lab> Network<'lab> {
    pub(crate) fn new(lab: &'lab Lab, id: u32) -> Self {
        Self {
            lab,
            id,
            vpc: None,
            guest_type: "isolated",
            vlan: "1910".to_owned(),
            public_vlan: "vlan://101".to_owned(),
            gateway: "10.1.1.1".to_owned(),
            cidr: "10.1.1.0/24".to_owned(),
            extension_ip: "10.1.1.1".to_owned(),
            ip6: None,
            details: Mutex::new(json!({})),
        }
    }

    /// Puts it on another guest VLAN.
    pub fn on_vlan(mut self, vlan: &str) -> Self {
        vlan.clone_into(&mut self.vlan);
        self
    }

    /// Takes its public addresses from another public VLAN, such as `vlan://untagged`.
    pub fn on_public_vlan(mut self, vlan: &str) -> Self {
        vlan.clone_into(&mut self.public_vlan);
        self
    }

    /// Gives it another gateway and subnet; the extension answers on the gateway.
    pub fn with_subnet(mut self, gateway: &str, cidr: &str) -> Self {
        gateway.clone_into(&mut self.gateway);
        gateway.clone_into(&mut self.extension_ip);
        cidr.clone_into(&mut self.cidr);
        self
    }

    /// Adds an IPv6 gateway and subnet.
    pub fn with_ip6(mut self, gateway: &str, cidr: &str) -> Self {
        self.ip6 = Some((gateway.to_owned(), cidr.to_owned()));
        self
    }

    /// Makes it a shared network: somebody else's gateway, the extension on an address of its own.
    pub fn shared(mut self, extension_ip: &str) -> Self {
        self.guest_type = "shared";
        extension_ip.clone_into(&mut self.extension_ip);
        self
    }

    /// Makes it an L2 network: no addresses at all.
    pub fn l2(mut self) -> Self {
        self.guest_type = "l2";
        self.gateway.clear();
        self.cidr.clear();
        self.extension_ip.clear();
        self
    }

    /// The network's number.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The details that the device printed last.
    pub fn details(&self) -> Value {
        self.details.lock().expect("no panic while held").clone()
    }

    /// Makes the server forget what the device printed.
    pub fn forget_details(&self) {
        *self.details.lock().expect("no panic while held") = json!({});
    }

    /// An instance on the network's bridge, with the gateway as its default route.
    #[track_caller]
    pub fn guest(&self, address: &str) -> Node {
        let guest = self.lab.plug(&self.bridge(), &[&self.with_prefix(address)]);
        guest.routes("default", &self.gateway);
        guest
    }

    /// An instance with an IPv4 and an IPv6 address, and both gateways as its default routes.
    #[track_caller]
    pub fn dual_stack_guest(&self, address: &str, ip6_address: &str) -> Node {
        let (gateway, cidr) = self.ip6.as_ref().expect("the network has IPv6");
        let length = cidr.split_once('/').map_or("64", |(_, length)| length);
        let ip6_address = format!("{ip6_address}/{length}");
        let guest = self.lab.plug(&self.bridge(), &[&self.with_prefix(address), &ip6_address]);
        guest.routes("default", &self.gateway);
        guest.routes("default", gateway);
        guest
    }

    /// The network's router, seen from inside.
    #[track_caller]
    pub fn router(&self) -> Router {
        Router::new(self.lab.inside(&self.namespace()))
    }

    /// The name of the router's namespace.
    pub fn namespace(&self) -> String {
        self.vpc.map_or_else(|| format!("cs-net-{}", self.id), |vpc| format!("cs-vpc-{vpc}"))
    }

    /// The name of the guest bridge on the host.
    pub fn bridge(&self) -> String {
        format!("brnone-{}", if self.vlan.is_empty() { "untagged" } else { &self.vlan })
    }

    /// The path on the host of the file that a command locks while it works on this network.
    pub fn lock_file(&self) -> String {
        format!("{}/lock-{}", self.lab.state_folder(), self.router_name())
    }

    /// The path on the host of the folder of what is kept for this network.
    pub fn folder(&self) -> String {
        format!("{}/network-{}", self.lab.state_folder(), self.id)
    }

    fn router_name(&self) -> String {
        self.vpc.map_or_else(|| format!("network-{}", self.id), |vpc| format!("vpc-{vpc}"))
    }

    fn with_prefix(&self, address: &str) -> String {
        format!("{address}/{}", self.cidr.split_once('/').map_or("24", |(_, length)| length))
    }
}
