//! The lab of netext-namespace: a KVM host, an upstream and guests in throwaway network namespaces.
//!
//! A [`Testbed`] is a host of its own: a mount and a network namespace with a bridge for the public segment, where an
//! upstream is the gateway to an internet of clients. A [`Lab`] adds the extension, which runs exactly as CloudStack
//! runs it: [`Network`] plays the management server and calls the executable command by command. Every [`Node`]
//! (guest, client, neighbour) then tests with real packets whether it works.
//!
//! ```no_run
//! # use netext_lab::{Lab, SourceNat};
//! let lab = Lab::boot("/path/of/the/executable");
//! let network = lab.network(209);
//! network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
//!
//! let guest = network.guest("10.1.1.10");
//! let _web = lab.client("203.0.113.5").listen_tcp(80);
//! guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
//! ```
//!
//! An [`Instance`] is a whole machine with its own kernel:
//!
//! ```no_run
//! # let lab = netext_lab::Lab::boot("/path/of/the/executable");
//! # let network = lab.network(209);
//! let instance = network.instance("web-10", "02:01:00:d1:00:0a");
//! instance.takes_lease("10.1.1.10").with("router", "10.1.1.1");
//! instance.listens_tcp(22);
//! assert_eq!(instance.runs("wget -qO- http://10.1.1.1/latest/user-data"), "#cloud-config\n");
//! ```
//!
//! The tiers of a [`Vpc`] are networks:
//!
//! ```no_run
//! # let lab = netext_lab::Lab::boot("/path/of/the/executable");
//! let vpc = lab.vpc(7);
//! vpc.implement_with("198.51.100.20");
//! let (web, database) = (vpc.tier(1), vpc.tier(2));
//! web.implement();
//! database.implement();
//! web.guest("10.2.1.10").pings("10.2.2.1");
//! ```
//!
//! It needs root, `ip`, `nft` and `conntrack`, and for instances the files that `.ci/packages` unpacks; it fails with
//! the name of a missing one. Any number of labs can run at once, and each removes everything that it made.

#![expect(clippy::print_stderr, reason = "notes are shown when a test fails")]

mod balancer;
mod commands;
pub mod console;
mod conversation;
mod extension;
mod faults;
mod firewall;
mod fleet;
mod forward;
mod guest_services;
mod hypervisor;
mod instance;
mod lab;
mod listener;
mod machine;
pub mod model;
mod network;
mod node;
mod outcome;
mod payload;
mod probe;
mod processes;
mod requirements;
mod router;
mod sandbox;
mod testbed;
mod trial;
mod vpc;

pub use balancer::Balancer;
pub use commands::HeldLock;
pub use conversation::Conversation;
pub use extension::{EXTENSION, SECRET_KEY, SECRET_PASSWORD};
pub use faults::{CallPlace, Fault, SystemCall, TracedCommand};
pub use firewall::{AccessList, Firewall, Rule};
pub use fleet::{FIRST_HOST, KvmHost, OPERATOR, SERVER_ADDRESS, SERVER_HOME};
pub use forward::Forward;
pub use guest_services::Lease;
pub use hypervisor::Hypervisor;
pub use instance::Instance;
pub use lab::{Call, Lab};
pub use listener::Listener;
pub use machine::{Machine, ScriptOutcome};
pub use network::Network;
pub use nix::errno::Errno;
pub use nix::sys::signal::Signal;
pub use node::Node;
pub use outcome::{CommandOutcome, RunningCommand};
pub use payload::{SourceNat, as_gson_writes, joined, resolvers, restore_fields, restored_instance};
pub use probe::{Expectation, ProbeReply};
pub use router::Router;
pub use sandbox::Sandbox;
pub use testbed::{PUBLIC_BRIDGE, PUBLIC_GATEWAY, Testbed, UnpluggedMachines};
pub use trial::{Answers, Broken, DiskImage, DurableDisk, Observation, Question, SavedDisk, SmallDisk};
pub use vpc::{Vpc, source_nat_fields};

/// Boots a lab with the executable of the crate under test, called on a management server of its own.
#[macro_export]
macro_rules! fleet {
    () => {
        $crate::Lab::boot_with_server(env!("CARGO_BIN_EXE_netext-namespace"))
    };
}

/// Boots a lab with the executable of the crate under test.
#[macro_export]
macro_rules! lab {
    () => {
        $crate::Lab::boot(env!("CARGO_BIN_EXE_netext-namespace"))
    };
}

/// Boots a lab with the executable of the crate under test on an [emulated host](Hypervisor) that tags these VLANs.
#[macro_export]
macro_rules! machine {
    ($vlans:expr) => {
        $crate::Lab::boot_machine(env!("CARGO_BIN_EXE_netext-namespace"), $vlans)
    };
}
