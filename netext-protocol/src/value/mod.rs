//! The values of the protocol: each type holds exactly the values that its field allows.

pub(crate) mod details;
pub(crate) mod identifier;
pub(crate) mod network;
pub(crate) mod secret;
pub(crate) mod traffic;
