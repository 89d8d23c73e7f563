//! SIGTERM and SIGINT, handed to the runner.

use std::{io, thread};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::runner::{Interrupter, Signal};

/// From now on the two signals interrupt the run instead of ending the process.
pub(super) fn forward(interrupter: Interrupter) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let watch = move || {
        for signal in signals.forever() {
            interrupter.interrupt(if signal == SIGINT { Signal::Interrupt } else { Signal::Terminate });
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(watch)?;
    Ok(())
}
