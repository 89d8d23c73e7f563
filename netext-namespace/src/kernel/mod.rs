//! The rim that touches the kernel: what the rest of the crate has compiled is put in force here.
//!
//! Everything is a system call or a netlink message of our own, but for `nft`, whose language the packet
//! filter is written in; changes of single elements go past it. Nothing here decides; it compares, acts on the difference, and says what went wrong.

pub(crate) mod arp;
pub mod capture;
pub mod conntrack;
pub mod counters;
pub mod elements;
pub mod links;
pub mod listing;
pub mod namespace;
pub mod netlink;
pub mod nftables;
pub mod routing;
