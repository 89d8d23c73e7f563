//! An extension for an SDN controller with a REST API over HTTPS.

mod backoff;
mod controller;
mod device;
mod registration;

use std::process::ExitCode;

fn main() -> ExitCode {
    netext_core::main(device::Sdn)
}
