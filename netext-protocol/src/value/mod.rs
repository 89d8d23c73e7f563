//! The values of the protocol: types that hold what a field may hold, and nothing else.

pub(crate) mod details;
pub(crate) mod identifier;
pub(crate) mod network;
pub(crate) mod secret;
pub(crate) mod traffic;
