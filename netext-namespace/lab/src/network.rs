//! A network of the cloud, as the management server knows it: its fields, and its instances and router on the host.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::balancer::Balancer;
use crate::extension::{payload_path, write_privately};
use crate::firewall::{AccessList, Firewall};
use crate::forward::Forward;
use crate::instance::Instance;
use crate::lab::Lab;
use crate::node::Node;
use crate::payload::{self, SourceNat, joined};
use crate::router::Router;

/// A guest network with its fields and the details that the device printed last. It starts as an isolated network
/// 10.1.1.0/24 with the gateway 10.1.1.1 on VLAN 1910.
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

impl Lab {
    /// An isolated network of the cloud that is not implemented yet; see [`Network`] for its initial fields.
    pub fn network(&self, id: u32) -> Network<'_> {
        Network::new(self, id)
    }

    /// Writes a payload file as the management server would write it now, and returns its path.
    #[track_caller]
    pub fn payload_file(&self) -> String {
        let path = payload_path("fleet");
        let document = self.network(209).document(&json!({}));
        self.server().run(|| write_privately(&path, &payload::as_gson_writes(&document)));
        path.to_string_lossy().into_owned()
    }
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

    /// Makes it a shared network: the gateway is another router, the extension has its own address.
    pub fn shared(mut self, extension_ip: &str) -> Self {
        self.guest_type = "shared";
        extension_ip.clone_into(&mut self.extension_ip);
        self
    }

    /// Makes it an L2 network without addresses.
    pub fn l2(mut self) -> Self {
        self.guest_type = "l2";
        self.gateway.clear();
        self.cidr.clear();
        self.extension_ip.clear();
        self
    }

    /// The network's id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The details that the device printed last.
    pub fn details(&self) -> Value {
        self.details.lock().expect("no panic while held").clone()
    }

    /// Makes the server forget the details.
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

    /// An instance on the network's bridge that knows only its MAC address.
    #[track_caller]
    pub fn bare_guest(&self, mac: &str) -> Node {
        let guest = self.lab.plug(&self.bridge(), &[]);
        guest.sandbox().ip(&format!("link set eth0 down\nlink set eth0 address {mac}\nlink set eth0 up\n"));
        guest
    }

    /// Boots a real instance on the network's bridge.
    #[track_caller]
    pub fn instance(&self, name: &str, mac: &str) -> Instance {
        self.lab.instance(&self.bridge(), name, mac)
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

    /// The path on the host of the file that a command locks while it changes this network.
    pub fn lock_file(&self) -> String {
        format!("{}/lock-{}", self.lab.state_folder(), self.router_name())
    }

    /// The path on the host of the folder of this network's state.
    pub fn folder(&self) -> String {
        format!("{}/network-{}", self.lab.state_folder(), self.id)
    }

    fn router_name(&self) -> String {
        self.vpc.map_or_else(|| format!("network-{}", self.id), |vpc| format!("vpc-{vpc}"))
    }

    fn with_prefix(&self, address: &str) -> String {
        format!("{address}/{}", self.cidr.split_once('/').map_or("24", |(_, length)| length))
    }

    /// The whole document of a command: both details, and the fields of the network joined with `fields`.
    pub fn document(&self, fields: &Value) -> Value {
        payload::document(&self.lab.registered(), &self.details(), &joined(&self.fields(), fields))
    }

    /// The whole document of an action.
    pub fn action_document(&self, action: &str, parameters: &Value) -> Value {
        payload::action_document(&self.document(&json!({})), action, parameters)
    }

    /// The whole document of `ensure-network-device`.
    pub fn ensure_document(&self) -> Value {
        self.document(&json!({"current_details": self.details().to_string()}))
    }

    /// The fields that `implement-network` adds to those of the network.
    pub fn extension_field(&self) -> Value {
        match self.extension_ip.as_str() {
            "" => json!({}),
            address => json!({"extension_ip": address}),
        }
    }

    /// The fields of a public address. An address of another [public VLAN](crate::Testbed::public_vlan) of the lab is on
    /// that VLAN, any other address on the network's own.
    pub fn public_fields(&self, address: &str, source_nat: SourceNat) -> Value {
        payload::public_fields(address, &self.public_vlan, source_nat)
    }

    /// The fields of a static NAT.
    pub fn static_nat_fields(&self, public: &str, private: &str) -> Value {
        joined(&self.public_fields(public, SourceNat::No), &json!({"private_ip": private}))
    }

    /// The fields of a port forward.
    pub fn forward_fields(&self, forward: &Forward) -> Value {
        joined(&self.public_fields(forward.public_ip(), SourceNat::No), &forward.fields())
    }

    /// The fields of the firewall rules.
    pub fn firewall_fields(&self, firewall: &Firewall) -> Value {
        json!({"fw_rules": firewall.to_json(&self.cidr)})
    }

    /// The fields of the access list.
    pub fn access_list_fields(&self, list: &AccessList) -> Value {
        json!({"acl_rules": list.to_json()})
    }

    /// The fields of load balancer rules.
    pub fn balancer_fields(&self, balancers: &[&Balancer]) -> Value {
        let rules: Vec<_> = balancers.iter().map(|balancer| balancer.to_json()).collect();
        json!({"lb_rules": rules})
    }

    /// The fields of the instance at `address`.
    pub fn nic_fields(&self, address: &str) -> Value {
        let last: u8 = address.rsplit(['.', ':']).next().and_then(|octet| octet.parse().ok()).unwrap_or(1);
        let nic = json!({
            "nic_id": (60 + u32::from(last)).to_string(),
            "nic_uuid": format!("5c1e6e5a-3c58-4a0a-9a75-0a1b2c3d4e{last:02x}"),
            "mac": format!("02:01:00:d1:00:{last:02x}"),
            "ip": address,
            "netmask": "255.255.255.0",
            "default_nic": "true",
            "device_id": "0",
            "hostname": format!("web-{last}"),
        });
        joined(&self.extension_field(), &nic)
    }

    fn fields(&self) -> Value {
        let mut fields = json!({
            "network_id": self.id.to_string(),
            "vlan": self.vlan,
            "zone_id": "1",
            "guest_type": self.guest_type,
            "network_state": "implemented",
        });
        if !self.cidr.is_empty() {
            fields = joined(&fields, &json!({"gateway": self.gateway, "cidr": self.cidr}));
        }
        if let Some(vpc) = self.vpc {
            fields = joined(&fields, &json!({"vpc_id": vpc.to_string()}));
        }
        if let Some((gateway, cidr)) = &self.ip6 {
            fields = joined(&fields, &json!({"network_ip6_gateway": gateway, "network_ip6_cidr": cidr}));
        }
        fields
    }
}
