//! The host role: the device of the protocol that acts on this machine.

pub(crate) mod actions;
mod apply;
mod changes;
mod device;
mod errors;
pub mod health;
mod operator_files;
mod reconcile;
mod services;
mod transaction;

pub use device::HostDevice;
pub use reconcile::{Reconciled, reconcile};
pub(crate) use reconcile::{fence, settle};
