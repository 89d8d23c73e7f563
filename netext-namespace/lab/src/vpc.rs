//! A VPC of the cloud and its commands, as the management server sends them.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::lab::Lab;
use crate::network::Network;
use crate::outcome::CommandOutcome;
use crate::payload::{self, SourceNat, action_document, joined, public_fields};
use crate::router::Router;

/// A VPC 10.2.0.0/16 with public addresses on VLAN 101, and the details that the device printed last.
#[derive(Debug)]
pub struct Vpc<'lab> {
    lab: &'lab Lab,
    id: u32,
    details: Mutex<Value>,
}

impl Lab {
    /// A VPC of the cloud that is not implemented yet.
    pub fn vpc(&self, id: u32) -> Vpc<'_> {
        Vpc { lab: self, id, details: Mutex::new(json!({})) }
    }
}

impl<'lab> Vpc<'lab> {
    /// A tier of the VPC, with a number from 1 to 99. Tier 1 is network `<VPC>01` with the subnet 10.2.1.0/24, the gateway
    /// 10.2.1.1 and VLAN 2001. The tiers of several VPCs need different VLANs.
    pub fn tier(&self, number: u32) -> Network<'lab> {
        let (gateway, cidr) = (format!("10.2.{number}.1"), format!("10.2.{number}.0/24"));
        let mut tier = Network::new(self.lab, self.id * 100 + number)
            .with_subnet(&gateway, &cidr)
            .on_vlan(&(2000 + number).to_string());
        tier.vpc = Some(self.id);
        tier
    }

    /// Runs `implement-vpc` for a VPC that has no address yet.
    #[track_caller]
    pub fn implement(&self) -> &Self {
        self.run_silently("implement-vpc", &json!({}))
    }

    /// Runs `implement-vpc` with the source NAT address.
    #[track_caller]
    pub fn implement_with(&self, source_nat: &str) -> &Self {
        self.run_silently("implement-vpc", &source_nat_fields(source_nat))
    }

    /// Runs `update-vpc-source-nat-ip`.
    #[track_caller]
    pub fn leave_by(&self, source_nat: &str) -> &Self {
        self.run_silently("update-vpc-source-nat-ip", &source_nat_fields(source_nat))
    }

    /// Runs `shutdown-vpc`; the server then forgets the details.
    #[track_caller]
    pub fn shutdown(&self) -> &Self {
        self.end("shutdown-vpc")
    }

    /// Runs `destroy-vpc`; the server then forgets the details.
    #[track_caller]
    pub fn destroy(&self) -> &Self {
        self.end("destroy-vpc")
    }

    #[track_caller]
    fn end(&self, command: &str) -> &Self {
        self.run_silently(command, &json!({"vpc_state": "inactive"}));
        *self.details.lock().expect("no panic while held") = json!({});
        self
    }

    #[track_caller]
    fn run_silently(&self, command: &str, fields: &Value) -> &Self {
        self.command(command, fields).succeeds_silently();
        self
    }

    /// Runs any command after `ensure-network-device`, as the server does. `fields` are added to those of the VPC, or
    /// replace them.
    #[track_caller]
    pub fn command(&self, name: &str, fields: &Value) -> CommandOutcome {
        let current = self.details.lock().expect("no panic while held").to_string();
        let asked = joined(fields, &json!({"current_details": current}));
        let ensured = self.lab.run("ensure-network-device", &self.document(&asked));
        let printed = serde_json::from_str(&ensured.succeeds().output).expect("the details are JSON");
        *self.details.lock().expect("no panic while held") = printed;
        self.lab.run(name, &self.document(fields))
    }

    /// The whole document of a command: both details, and the fields of the VPC joined with `fields`.
    pub fn document(&self, fields: &Value) -> Value {
        let vpc = json!({
            "vpc_id": self.id.to_string(),
            "zone_id": "1",
            "vpc_state": "enabled",
            "vpc_cidr": "10.2.0.0/16",
        });
        let details = self.details.lock().expect("no panic while held").clone();
        payload::document(&self.lab.registered(), &details, &joined(&vpc, fields))
    }

    /// Runs `custom-action` on the VPC as a whole. The action may fail.
    #[track_caller]
    pub fn action(&self, name: &str, parameters: &Value) -> CommandOutcome {
        self.lab.run("custom-action", &action_document(&self.document(&json!({})), name, parameters))
    }

    /// Runs an action, which must succeed, and returns its message.
    #[track_caller]
    pub fn acts(&self, name: &str, parameters: &Value) -> Value {
        self.action(name, parameters).message()
    }

    /// The VPC's router, seen from inside.
    #[track_caller]
    pub fn router(&self) -> Router {
        Router::new(self.lab.inside(&self.namespace()))
    }

    /// The name of the router's namespace.
    pub fn namespace(&self) -> String {
        format!("cs-vpc-{}", self.id)
    }

    /// The path on the host of the folder of the router's state.
    pub fn folder(&self) -> String {
        format!("{}/vpc-{}", self.lab.state_folder(), self.id)
    }
}

/// The fields of a VPC's source NAT address.
pub fn source_nat_fields(address: &str) -> Value {
    public_fields(address, "vlan://101", SourceNat::Yes)
}
