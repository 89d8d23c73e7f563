//! Machines with a kernel of their own: Debian's cloud kernel under qemu, which carries out what the test says
//! over a serial port.

mod dialogue;
mod hardware;
mod parts;
mod root;

use std::sync::Mutex;
use std::time::Duration;

pub use dialogue::Ran;
pub(crate) use hardware::{Blueprint, Nic};

use crate::lab::Lab;

use dialogue::Dialogue;
use hardware::Hardware;

/// How long it may take to boot: about 2 s, and more where many boot at once on few processors.
const PATIENCE_TO_BOOT: Duration = Duration::from_secs(60);

/// A machine that has booted; its first NIC is up and has no address yet.
///
/// It is switched off when it is dropped, and after five minutes without a word. Dropped by a test that
/// fails, it shows its console.
#[derive(Debug)]
pub struct Machine {
    name: String,
    /// How long one script may take.
    patience: Duration,
    dialogue: Mutex<Dialogue>,
    hardware: Hardware,
}

impl Machine {
    /// Builds and boots a machine that calls itself `name`.
    #[track_caller]
    pub(crate) fn boot(lab: &Lab, name: &str, blueprint: &Blueprint<'_>, patience: Duration) -> Self {
        let mut hardware = Hardware::start(lab, name, blueprint);
        let (input, output) = hardware.take_port();
        let dialogue = Mutex::new(Dialogue::new(input, output));
        let machine = Self { name: name.to_owned(), patience, dialogue, hardware };
        machine.awaits_boot();
        machine
    }

    /// Resets it, as if the power had failed for a moment: nobody is told, nothing is written first. It boots
    /// again from its disk.
    #[track_caller]
    pub fn resets(&self) {
        let told = self.dialogue.lock().expect("no panic while held").tell("echo b >/proc/sysrq-trigger");
        told.unwrap_or_else(|trouble| panic!("{} ought to reset, but: {trouble}", self.name));
        self.awaits_boot();
    }

    #[track_caller]
    fn awaits_boot(&self) {
        let booted = self.dialogue.lock().expect("no panic while held").await_ready(PATIENCE_TO_BOOT);
        booted.unwrap_or_else(|trouble| panic!("{} ought to boot, but: {trouble}", self.name));
    }

    /// What it calls itself when it boots.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its console showed so far: the kernel's complaints, and every script with what it printed.
    pub fn console(&self) -> String {
        self.hardware.console()
    }

    /// Runs a shell script of busybox, whatever comes of it.
    #[track_caller]
    pub fn tries(&self, script: &str) -> Ran {
        let ran = self.dialogue.lock().expect("no panic while held").ask(script, self.patience);
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

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the console of {}:\n{}", self.name, self.console());
        }
    }
}
