//! Real instances: a machine with Debian's cloud kernel and busybox, plugged into a bridge of the host.
//!
//! A [`Node`](crate::Node) is quicker and enough where packets are the question. An instance is for what
//! only a whole machine shows: that it boots on the network with nothing but what the network tells it.

mod dialogue;
mod lease;
mod machine;
mod parts;
mod root;
mod vocabulary;

use std::sync::Mutex;
use std::time::Duration;

pub use dialogue::Ran;
pub use lease::Lease;

use crate::lab::Lab;
use crate::network::Network;

use dialogue::Dialogue;
use machine::Machine;

/// How long it may take to boot: about 2 s, and more where many boot at once on few processors.
const PATIENCE_TO_BOOT: Duration = Duration::from_secs(60);
/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// An instance that has booted; its interface is up and has no address yet.
///
/// It is switched off when it is dropped, and after five minutes without a word. Dropped by a test that
/// fails, it shows its console.
#[derive(Debug)]
pub struct Instance {
    name: String,
    dialogue: Mutex<Dialogue>,
    machine: Machine,
}

impl Lab {
    /// Boots an instance that calls itself `name` and whose NIC has the address `mac`, plugged into the
    /// host's bridge `bridge` (made if absent).
    #[track_caller]
    pub fn instance(&self, bridge: &str, name: &str, mac: &str) -> Instance {
        let mut machine = Machine::start(self, bridge, name, mac);
        let (input, output) = machine.take_port();
        let dialogue = Mutex::new(Dialogue::new(input, output));
        let instance = Instance { name: name.to_owned(), dialogue, machine };
        let booted = instance.dialogue.lock().expect("just made").await_ready(PATIENCE_TO_BOOT);
        booted.unwrap_or_else(|trouble| panic!("{name} ought to boot, but: {trouble}"));
        instance
    }
}

impl Network<'_> {
    /// Boots an instance on the network's bridge.
    #[track_caller]
    pub fn instance(&self, name: &str, mac: &str) -> Instance {
        self.lab.instance(&self.bridge(), name, mac)
    }
}

impl Instance {
    /// What its console showed so far: the kernel's complaints, and every script with what it printed.
    pub fn console(&self) -> String {
        self.machine.console()
    }

    /// Runs a shell script of busybox, whatever comes of it.
    #[track_caller]
    pub fn tries(&self, script: &str) -> Ran {
        let ran = self.dialogue.lock().expect("no panic while held").ask(script, PATIENCE);
        ran.unwrap_or_else(|trouble| panic!("{} ought to run {script:?}, but: {trouble}", self.name))
    }

    /// Runs a shell script of busybox that ends well, and tells what it printed.
    #[track_caller]
    pub fn runs(&self, script: &str) -> String {
        let ran = self.tries(script);
        assert_eq!(ran.code, 0, "{} ought to run {script:?}, but: {ran:?}", self.name);
        match String::from_utf8(ran.output) {
            Ok(output) => output,
            Err(error) => panic!("{} ran {script:?}, which printed no text: {error}", self.name),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the console of {}:\n{}", self.name, self.console());
        }
    }
}
