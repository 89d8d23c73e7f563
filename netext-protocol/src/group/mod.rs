//! The groups of fields that many payloads share.

mod network;
mod nic;
mod public_ip;
mod resolvers;
mod subject;
mod vpc;

pub use network::Network;
pub use nic::{MissingField, Nic, NicIdentity};
pub use public_ip::PublicIp;
pub use resolvers::Resolvers;
pub use subject::Subject;
pub use vpc::Vpc;
