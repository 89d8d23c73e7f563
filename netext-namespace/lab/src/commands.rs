//! The commands of a network, as the management server gives them.

use serde_json::{Value, json};

use crate::balancer::Balancer;
use crate::firewall::{AccessList, Firewall};
use crate::forward::Forward;
use crate::network::{Network, SourceNat};
use crate::outcome::{Outcome, Running};
use crate::payload::joined;

impl Network<'_> {
    /// Runs `implement-network`; it must print nothing.
    #[track_caller]
    pub fn implement(&self) -> &Self {
        self.command("implement-network", &self.extension_field()).succeeds_silently();
        self
    }

    /// Runs `shutdown-network`; the server then forgets the details.
    #[track_caller]
    pub fn shutdown(&self) -> &Self {
        self.command("shutdown-network", &json!({"network_state": "shutdown"})).succeeds_silently();
        self.forget_details();
        self
    }

    /// Runs `destroy-network`; the server then forgets the details.
    #[track_caller]
    pub fn destroy(&self) -> &Self {
        self.command("destroy-network", &json!({"network_state": "destroy"})).succeeds_silently();
        self.forget_details();
        self
    }

    /// Runs `assign-ip`.
    #[track_caller]
    pub fn assign_ip(&self, address: &str, source_nat: SourceNat) -> &Self {
        self.command("assign-ip", &self.public_fields(address, source_nat)).succeeds_silently();
        self
    }

    /// Runs `release-ip`.
    #[track_caller]
    pub fn release_ip(&self, address: &str) -> &Self {
        self.command("release-ip", &self.public_fields(address, SourceNat::No)).succeeds_silently();
        self
    }

    /// Runs `add-static-nat`.
    #[track_caller]
    pub fn add_static_nat(&self, public: &str, private: &str) -> &Self {
        self.command("add-static-nat", &self.static_nat_fields(public, private)).succeeds_silently();
        self
    }

    /// Runs `delete-static-nat`.
    #[track_caller]
    pub fn delete_static_nat(&self, public: &str, private: &str) -> &Self {
        self.command("delete-static-nat", &self.static_nat_fields(public, private)).succeeds_silently();
        self
    }

    /// Runs `add-port-forward`.
    #[track_caller]
    pub fn add_port_forward(&self, forward: &Forward) -> &Self {
        self.command("add-port-forward", &self.forward_fields(forward)).succeeds_silently();
        self
    }

    /// Runs `delete-port-forward`.
    #[track_caller]
    pub fn delete_port_forward(&self, forward: &Forward) -> &Self {
        self.command("delete-port-forward", &self.forward_fields(forward)).succeeds_silently();
        self
    }

    /// Runs `apply-fw-rules`.
    #[track_caller]
    pub fn apply_firewall(&self, firewall: &Firewall) -> &Self {
        self.command("apply-fw-rules", &self.firewall_fields(firewall)).succeeds_silently();
        self
    }

    /// Runs `apply-network-acl`.
    #[track_caller]
    pub fn apply_access_list(&self, list: &AccessList) -> &Self {
        self.command("apply-network-acl", &self.access_list_fields(list)).succeeds_silently();
        self
    }

    /// Runs `apply-lb-rules`.
    #[track_caller]
    pub fn apply_balancers(&self, balancers: &[&Balancer]) -> &Self {
        self.command("apply-lb-rules", &self.balancer_fields(balancers)).succeeds_silently();
        self
    }

    /// Runs `prepare-nic` for the instance at `address`.
    #[track_caller]
    pub fn prepare_nic(&self, address: &str) -> &Self {
        self.command("prepare-nic", &self.nic_fields(address)).succeeds_silently();
        self
    }

    /// Runs `release-nic` for the instance at `address`.
    #[track_caller]
    pub fn release_nic(&self, address: &str) -> &Self {
        self.command("release-nic", &self.nic_fields(address)).succeeds_silently();
        self
    }

    /// Runs any command, the fields of the network being joined with (or overruled by) `fields`, after
    /// `ensure-network-device` as the server does.
    #[track_caller]
    pub fn command(&self, name: &str, fields: &Value) -> Outcome {
        self.ensure_device(fields);
        self.lab.run(name, &self.document(fields))
    }

    /// Starts what [`Network::command`] runs.
    #[track_caller]
    pub fn start(&self, name: &str, fields: &Value) -> Running {
        self.ensure_device(fields);
        self.lab.start(name, &self.document(fields))
    }

    /// Runs `ensure-network-device` and keeps what it prints; like the server, only notes a failure.
    #[track_caller]
    pub fn ensure_device(&self, fields: &Value) -> Outcome {
        let current = self.details().to_string();
        let document = self.document(&joined(fields, &json!({"current_details": current})));
        let outcome = self.lab.run("ensure-network-device", &document);
        self.keep_details(&outcome);
        outcome
    }

    /// Keeps what `ensure-network-device` printed; like the server, only notes a failure.
    #[track_caller]
    pub fn keep_details(&self, outcome: &Outcome) {
        if outcome.code != Some(0) {
            eprintln!("ensure-network-device failed, as the server would log: {}", outcome.output);
        } else if !outcome.output.trim().is_empty() {
            assert_eq!(outcome.output.trim_end().lines().count(), 1, "details are one line: {outcome:?}");
            assert!(outcome.output.len() <= 1024, "details stay under 1 KiB: {outcome:?}");
            let details: Value = serde_json::from_str(&outcome.output).unwrap_or_default();
            assert!(details.is_object(), "details are a JSON object: {outcome:?}");
            *self.details.lock().expect("no panic while held") = details;
        }
    }
}
