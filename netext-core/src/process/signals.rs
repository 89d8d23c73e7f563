//! Signals that end a process, handed to the runner.

use std::{io, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::runner::{Interrupter, Signal};

/// From now on these signals interrupt the run instead of ending the process: what it began is undone. A terminal
/// that goes away (SIGHUP) and SIGQUIT count as SIGTERM.
pub(super) fn forward(interrupter: Interrupter) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT])?;
    let watch = move || {
        for signal in signals.forever() {
            interrupter.interrupt(if signal == SIGINT { Signal::Interrupt } else { Signal::Terminate });
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(watch)?;
    Ok(())
}
