//! Routers for tenants' networks, made of Linux network namespaces.
//!
//! What a router shall look like is plain data ([`plan`]), compiled elsewhere without touching anything.
//! Making the kernel match it is the thin rim [`kernel`]: links, addresses, routes, packet filter, tracked
//! connections.

pub mod kernel;
pub mod plan;
