//! The lab of netext-namespace: a KVM host, an upstream and guests in throwaway network namespaces.
//!
//! A [`Lab`] is a machine of its own: a mount and a network namespace with a bridge for the public
//! segment, on which an upstream is the gateway to an internet of clients. The extension runs on that
//! machine exactly as CloudStack runs it: [`Network`] plays the management server and drives the
//! executable command by command. Every [`Node`] (guest, client, neighbour) then asks with real packets
//! whether it works.
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
//! An [`Instance`] is a whole machine with a kernel of its own, for what only such a one shows:
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
//! A [`Vpc`] has networks for tiers:
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
//! It needs root, `ip`, `nft` and `conntrack`, for instances also what `.ci/packages` unpacks, and fails by
//! name where one is missing. Any number of labs can be up at once; each takes all that it made with it.

#![expect(clippy::print_stderr, reason = "what the lab notes beside a test is shown with the test's failure")]

mod action;
mod attempt;
mod balancer;
mod client;
mod commands;
mod conversation;
mod extension;
mod firewall;
mod fleet;
mod forward;
mod hypervisor;
mod instance;
mod lab;
mod listener;
mod lock;
mod machine;
mod network;
mod node;
mod outcome;
mod payload;
mod place;
mod probe;
mod processes;
mod reboot;
mod requirements;
mod router;
mod vpc;

pub use attempt::Expectation;
pub use balancer::Balancer;
pub use conversation::Conversation;
pub use extension::EXTENSION;
pub use firewall::{AccessList, Firewall, Rule};
pub use fleet::{FIRST_HOST, KvmHost, OPERATOR, SERVER_ADDRESS, SERVER_HOME};
pub use forward::Forward;
pub use hypervisor::Hypervisor;
pub use instance::{Instance, Lease};
pub use lab::{Lab, PUBLIC_BRIDGE, PUBLIC_GATEWAY, SECRET_KEY, SECRET_PASSWORD};
pub use listener::Listener;
pub use lock::HeldLock;
pub use machine::{Machine, Ran};
pub use network::{Network, SourceNat};
pub use nix::sys::signal::Signal;
pub use node::Node;
pub use outcome::{Outcome, Running};
pub use payload::{as_gson_writes, joined};
pub use place::Place;
pub use probe::Answer;
pub use reboot::Unplugged;
pub use router::Router;
pub use vpc::Vpc;

/// Boots a lab whose extension, that of the crate under test, is called on a management server of its own.
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

/// Boots a lab where the extension of the crate under test runs on a [machine of its own](Hypervisor) that tags these
/// VLANs.
#[macro_export]
macro_rules! machine {
    ($vlans:expr) => {
        $crate::Lab::boot_machine(env!("CARGO_BIN_EXE_netext-namespace"), $vlans)
    };
}
