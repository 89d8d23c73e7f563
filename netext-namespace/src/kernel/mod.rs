//! The rim that touches the kernel: puts plans in force.
//!
//! Packet rules are written in the language of `nft`; everything else is a system call or a netlink message. Nothing
//! here decides: it compares, acts on the difference, and reports errors.

pub(crate) mod arp;
pub mod capture;
pub mod conntrack;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
pub mod links;
pub mod listing;
pub mod namespace;
pub mod netlink;
pub mod nft;
pub mod nftables;
pub mod routing;
