//! Plans put in force in the kernel.

mod bridges;
mod conntrack;
mod links;
mod namespace;
mod nftables;
mod routing;
