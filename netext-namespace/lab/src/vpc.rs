//! A VPC of the cloud, driven command by command as the management server drives it.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::lab::Lab;
use crate::network::{Network, SourceNat};
use crate::outcome::Outcome;
use crate::payload::{joined, public_fields};
use crate::router::Router;

/// A VPC as the management server knows it: 10.2.0.0/16, with public addresses on VLAN 101.
#[derive(Debug)]
pub struct Vpc<'lab> {
    pub(crate) lab: &'lab Lab,
    id: u32,
    details: Mutex<Value>,
}

impl<'lab> Vpc<'lab> {
    pub(crate) fn new(lab: &'lab Lab, id: u32) -> Self {
        Self { lab, id, details: Mutex::new(json!({})) }
    }

    /// The VPC's tier of that number, from 1 to 99: network `<VPC>01` and so on, with the subnet 10.2.1.0/24, the
    /// gateway 10.2.1.1 and VLAN 2001. Tiers of several VPCs need VLANs of their own.
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
        self.command("implement-vpc", &json!({})).succeeds_silently();
        self
    }

    /// Runs `implement-vpc` with the source NAT address.
    #[track_caller]
    pub fn implement_with(&self, source_nat: &str) -> &Self {
        self.command("implement-vpc", &source_nat_fields(source_nat)).succeeds_silently();
        self
    }

    /// Runs `update-vpc-source-nat-ip`.
    #[track_caller]
    pub fn leave_by(&self, source_nat: &str) -> &Self {
        self.command("update-vpc-source-nat-ip", &source_nat_fields(source_nat)).succeeds_silently();
        self
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
        self.command(command, &json!({"vpc_state": "inactive"})).succeeds_silently();
        *self.details.lock().expect("no panic while held") = json!({});
        self
    }

    /// Runs any command, the fields of the VPC being joined with (or overruled by) `fields`, after
    /// `ensure-network-device` as the server does.
    #[track_caller]
    pub fn command(&self, name: &str, fields: &Value) -> Outcome {
        let current = self.details.lock().expect("no panic while held").to_string();
        let asked = joined(fields, &json!({"current_details": current}));
        let ensured = self.lab.run("ensure-network-device", &self.document(&asked));
        let printed = serde_json::from_str(&ensured.succeeds().output).expect("the details are JSON");
        *self.details.lock().expect("no panic while held") = printed;
        self.lab.run(name, &self.document(fields))
    }

    /// The whole document of a command: both details, and the fields of the VPC joined with `fields`.
    pub fn document(&self, fields: &Value) -> Value {
        let physical = self.lab.physical_details.lock().expect("no panic while held").clone();
        let vpc = json!({
            "vpc_id": self.id.to_string(),
            "zone_id": "1",
            "vpc_state": "enabled",
            "vpc_cidr": "10.2.0.0/16",
        });
        json!({
            "physical-network-extension-details": physical,
            "network-extension-details": self.details.lock().expect("no panic while held").clone(),
            "payload": joined(&vpc, fields),
        })
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
fn source_nat_fields(address: &str) -> Value {
    public_fields(address, "vlan://101", SourceNat::Yes)
}
