//! An extension that owns its segments: it chooses the segment of a layer-2 network.

mod device;
mod naming;

use std::process::ExitCode;

fn main() -> ExitCode {
    netext_core::main(device::Segments)
}
