//! The smallest useful extension: every network is a file in a folder, for whatever tool acts on it.

mod device;

use std::process::ExitCode;

fn main() -> ExitCode {
    netext_core::main(device::Spool::new("/var/spool/netext-minimal"))
}
