//! The host role: the device of the protocol that acts on this machine.

mod apply;
mod changes;
mod device;
mod services;
mod transaction;

pub use device::HostDevice;
