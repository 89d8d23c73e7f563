//! An extension that carries networks on OVN: every command is one transaction on the northbound database.

mod compile;
mod device;
mod northbound;
mod ovsdb;
mod registration;
mod rows;
mod state;

use std::process::ExitCode;

fn main() -> ExitCode {
    netext_core::main(device::Ovn)
}
