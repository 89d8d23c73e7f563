//! Routers for tenants' networks, made of Linux network namespaces.
//!
//! Every command of the protocol is the same short sentence: lock the router, load its state, change it,
//! compile, apply, save.
//!
//! - [`model`] is what is desired: a [`Router`](model::Router) with its tiers, addresses and rules.
//! - [`compile`] says what that means for links and packets. It is pure.
//! - [`plan`] is how it says so: plain data.
//! - [`drift`] is what differs between that and what is there.
//! - [`kernel`] is the thin rim that makes the kernel match: links, packet filter, tracked connections.
//! - [`daemons`] makes the daemons that serve guests match.
//! - [`metadata`] is what instances are told about themselves, and the server that tells them.
//! - [`store`] keeps the state of every router, and its lock.
//! - [`host`] is the device of the protocol that puts these together; [`proxy`] carries commands to it, and
//!   [`relay`] is what those two say to each other.
//! - [`failover`] decides which host serves a router, and which one takes over when that host is lost.
//! - [`operator`] is what the executable tells people, and does for them.

pub mod compile;
pub mod daemons;
pub mod drift;
pub mod failover;
pub mod files;
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
