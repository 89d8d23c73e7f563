//! The host role: the device of the protocol that acts on this machine.

pub(crate) mod actions;
mod apply;
mod changes;
mod device;
pub mod health;
mod reconcile;
mod services;
mod table_names;
mod transaction;

pub use device::HostDevice;
pub use reconcile::{Reconciled, reconcile};
pub(crate) use reconcile::{fence, settle};
