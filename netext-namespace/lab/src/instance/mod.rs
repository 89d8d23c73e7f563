//! Real instances: a machine with a kernel of its own, plugged into a bridge of the host.
//!
//! A [`Node`](crate::Node) is quicker and enough where packets are the question. An instance is for what
//! only a whole machine shows: that it boots on the network with nothing but what the network tells it.

mod lease;
mod vocabulary;

use std::ops::Deref;
use std::time::Duration;

pub use lease::Lease;

use crate::lab::Lab;
use crate::machine::{Blueprint, Machine, Nic};
use crate::network::Network;

/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// An instance that has booted; its interface is up and has no address yet.
#[derive(Debug)]
pub struct Instance {
    machine: Machine,
}

impl Lab {
    /// Boots an instance that calls itself `name` and whose NIC has the address `mac`, plugged into the
    /// host's bridge `bridge` (made if absent).
    #[track_caller]
    pub fn instance(&self, bridge: &str, name: &str, mac: &str) -> Instance {
        let blueprint = Blueprint { memory: 128, nics: &[Nic { bridge, mac }], modules: &[], disks: &[] };
        Instance { machine: Machine::boot(self, name, &blueprint, PATIENCE) }
    }
}

impl Network<'_> {
    /// Boots an instance on the network's bridge.
    #[track_caller]
    pub fn instance(&self, name: &str, mac: &str) -> Instance {
        self.lab.instance(&self.bridge(), name, mac)
    }
}

/// An instance runs scripts as any machine does.
impl Deref for Instance {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.machine
    }
}
