//! The rim that touches the kernel.

mod conntrack;
mod links;
mod namespace;
mod nftables;
mod routing;
