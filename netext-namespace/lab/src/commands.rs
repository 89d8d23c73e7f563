//! The commands of a network, as the management server sends them.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;

use nix::fcntl::{Flock, FlockArg};
use serde_json::{Value, json};

use crate::balancer::Balancer;
use crate::firewall::{AccessList, Firewall};
use crate::forward::Forward;
use crate::network::Network;
use crate::outcome::{CommandOutcome, RunningCommand};
use crate::payload::{SourceNat, action_document, joined, resolvers};

/// A router's lock, held until this is dropped.
#[derive(Debug)]
pub struct HeldLock {
    _file: Flock<File>,
}

impl Network<'_> {
    /// Runs `implement-network`.
    #[track_caller]
    pub fn implement(&self) -> &Self {
        self.run_silently("implement-network", &self.extension_field())
    }

    /// Runs `shutdown-network`; the server then forgets the details.
    #[track_caller]
    pub fn shutdown(&self) -> &Self {
        self.run_silently("shutdown-network", &json!({"network_state": "shutdown"})).forget_details();
        self
    }

    /// Runs `destroy-network`; the server then forgets the details.
    #[track_caller]
    pub fn destroy(&self) -> &Self {
        self.run_silently("destroy-network", &json!({"network_state": "destroy"})).forget_details();
        self
    }

    /// Runs `assign-ip`.
    #[track_caller]
    pub fn assign_ip(&self, address: &str, source_nat: SourceNat) -> &Self {
        self.run_silently("assign-ip", &self.public_fields(address, source_nat))
    }

    /// Runs `release-ip`.
    #[track_caller]
    pub fn release_ip(&self, address: &str) -> &Self {
        self.run_silently("release-ip", &self.public_fields(address, SourceNat::No))
    }

    /// Runs `add-static-nat`.
    #[track_caller]
    pub fn add_static_nat(&self, public: &str, private: &str) -> &Self {
        self.run_silently("add-static-nat", &self.static_nat_fields(public, private))
    }

    /// Runs `delete-static-nat`.
    #[track_caller]
    pub fn delete_static_nat(&self, public: &str, private: &str) -> &Self {
        self.run_silently("delete-static-nat", &self.static_nat_fields(public, private))
    }

    /// Runs `add-port-forward`.
    #[track_caller]
    pub fn add_port_forward(&self, forward: &Forward) -> &Self {
        self.run_silently("add-port-forward", &self.forward_fields(forward))
    }

    /// Runs `delete-port-forward`.
    #[track_caller]
    pub fn delete_port_forward(&self, forward: &Forward) -> &Self {
        self.run_silently("delete-port-forward", &self.forward_fields(forward))
    }

    /// Runs `apply-fw-rules`.
    #[track_caller]
    pub fn apply_firewall(&self, firewall: &Firewall) -> &Self {
        self.run_silently("apply-fw-rules", &self.firewall_fields(firewall))
    }

    /// Runs `apply-network-acl`.
    #[track_caller]
    pub fn apply_access_list(&self, list: &AccessList) -> &Self {
        self.run_silently("apply-network-acl", &self.access_list_fields(list))
    }

    /// Runs `apply-lb-rules`.
    #[track_caller]
    pub fn apply_balancers(&self, balancers: &[&Balancer]) -> &Self {
        self.run_silently("apply-lb-rules", &self.balancer_fields(balancers))
    }

    /// Runs `prepare-nic` for the instance at `address`.
    #[track_caller]
    pub fn prepare_nic(&self, address: &str) -> &Self {
        self.run_silently("prepare-nic", &self.nic_fields(address))
    }

    /// Runs `release-nic` for the instance at `address`.
    #[track_caller]
    pub fn release_nic(&self, address: &str) -> &Self {
        self.run_silently("release-nic", &self.nic_fields(address))
    }

    /// Deploys the instance at `address` as the server does: its NIC, its lease, its name, and its address as user data.
    #[track_caller]
    pub fn deploy(&self, address: &str) -> &Self {
        self.prepare_nic(address);
        let nic = self.nic_fields(address);
        let resolved = joined(&nic, &resolvers());
        for command in ["config-dhcp-subnet", "add-dhcp-entry", "config-dns-subnet", "add-dns-entry"] {
            self.run_silently(command, &resolved);
        }
        let vm_data = json!({"vm_data": [{"dir": "userdata", "file": "user_data", "content": address}]});
        self.run_silently("save-vm-data", &joined(&nic, &vm_data))
    }

    /// Runs a command, which must succeed and print nothing.
    #[track_caller]
    fn run_silently(&self, name: &str, fields: &Value) -> &Self {
        self.command(name, fields).succeeds_silently();
        self
    }

    /// Runs any command after `ensure-network-device`, as the server does. `fields` are added to those of the network,
    /// or replace them.
    #[track_caller]
    pub fn command(&self, name: &str, fields: &Value) -> CommandOutcome {
        self.ensure_device(fields);
        self.lab.run(name, &self.document(fields))
    }

    /// Starts a command like [`Network::command`].
    #[track_caller]
    pub fn start(&self, name: &str, fields: &Value) -> RunningCommand {
        self.ensure_device(fields);
        self.lab.start(name, &self.document(fields))
    }

    /// Runs `ensure-network-device` and keeps the details that it prints. Like the server, only logs a failure.
    #[track_caller]
    pub fn ensure_device(&self, fields: &Value) -> CommandOutcome {
        let current = self.details().to_string();
        let document = self.document(&joined(fields, &json!({"current_details": current})));
        let outcome = self.lab.run("ensure-network-device", &document);
        self.keep_details(&outcome);
        outcome
    }

    /// Keeps the details that `ensure-network-device` printed. Like the server, only logs a failure.
    #[track_caller]
    pub fn keep_details(&self, outcome: &CommandOutcome) {
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

    /// Runs `custom-action` as the server does. The action may fail.
    #[track_caller]
    pub fn action(&self, name: &str, parameters: &Value) -> CommandOutcome {
        self.ensure_device(&json!({}));
        self.lab.run("custom-action", &action_document(&self.document(&json!({})), name, parameters))
    }

    /// Runs an action, which must succeed, and returns its message.
    #[track_caller]
    pub fn acts(&self, name: &str, parameters: &Value) -> Value {
        self.action(name, parameters).message()
    }

    /// Waits for the lock that every command on this network takes, and holds it like another command.
    #[track_caller]
    pub fn hold_lock(&self) -> HeldLock {
        let (folder, path) = (self.lab.state_folder(), self.lock_file());
        let file = self.lab.host().run(|| {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            File::options().write(true).create(true).truncate(false).open(&path)
        });
        let file = file.unwrap_or_else(|error| panic!("{path}: {error}"));
        match Flock::lock(file, FlockArg::LockExclusive) {
            Ok(file) => HeldLock { _file: file },
            Err((_, error)) => panic!("{path}: {error}"),
        }
    }
}
