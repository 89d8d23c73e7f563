//! Routers for tenants' networks in Linux network namespaces.
//!
//! This library is no API: it exists for the executable of this package and for its tests, and changes without notice. To
//! write an extension, use `netext-core`.
//!
//! Most commands take the same steps: lock the router, load its state, change it, compile, apply, save.
//!
//! - [`model`] holds the desired state: a [`Router`](model::Router) with its tiers, addresses and rules.
//! - [`compile`] translates it to packet rules, links and daemons. It is pure.
//! - [`plan`] is the result: plain data.
//! - [`drift`] describes the differences between the plan and the actual state.
//! - [`kernel`] applies the plan to the kernel: links, packet rules, tracked connections.
//! - [`daemons`] applies it to the daemons that serve instances.
//! - [`metadata`] stores the metadata of instances and serves it.
//! - [`store`] keeps the state of every router, and its lock; [`files`] replaces and locks files.
//! - [`host`] carries out the commands of the protocol on this host.
//! - [`failover`] decides which host serves a router, and which one takes over when that host is lost.
//! - [`relay`] is the protocol between a proxy and a host, and the host's end of it.
//! - [`proxy`] sends commands to the hosts.
//! - [`operator`] has the commands for operators.

pub mod compile;
pub mod daemons;
pub mod drift;
pub mod failover;
pub mod files;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub mod host;
pub mod kernel;
pub mod metadata;
pub mod model;
pub mod operator;
pub mod places;
pub mod plan;
mod programs;
pub mod proxy;
pub mod relay;
pub mod store;
mod wait;
