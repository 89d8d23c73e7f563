//! An extension that owns its segments: it tells the server where a layer-2 network lives.

mod device;
mod naming;

use std::process::ExitCode;

fn main() -> ExitCode {
    netext_core::main(device::Segments)
}
