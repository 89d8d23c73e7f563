//! Emulated machines with their own kernel: Debian's cloud kernel under qemu, which runs the scripts that the test sends
//! over a serial port.

mod boot_files;
mod dialogue;
mod hardware;

use std::sync::Mutex;
use std::time::Duration;

pub use dialogue::ScriptOutcome;
pub(crate) use hardware::{MachineBlueprint, MachineNic};

use crate::testbed::Testbed;

use dialogue::Dialogue;
use hardware::Hardware;

/// The limit for booting: it takes about 2 s, and more when many machines boot at once on few processors.
const PATIENCE_TO_BOOT: Duration = Duration::from_secs(60);

/// A machine that has booted; its first NIC is up and has no address yet.
///
/// It is switched off when it is dropped, and after five minutes without a script. When a test fails, it prints its
/// console.
#[derive(Debug)]
pub struct Machine {
    name: String,
    /// How long a script may take.
    patience: Duration,
    dialogue: Mutex<Dialogue>,
    hardware: Hardware,
}

impl Machine {
    /// Builds and boots the machine `name`.
    #[track_caller]
    pub(crate) fn boot(
        testbed: &Testbed,
        name: &str,
        blueprint: &MachineBlueprint<'_>,
        patience: Duration,
    ) -> Self {
        let mut hardware = Hardware::start(testbed, name, blueprint);
        let (input, output) = hardware.take_port();
        let dialogue = Mutex::new(Dialogue::new(input, output));
        let machine = Self { name: name.to_owned(), patience, dialogue, hardware };
        machine.await_boot();
        machine
    }

    /// Resets it, like a short power failure: without notice, and without writing anything first. It boots again from its
    /// disk.
    #[track_caller]
    pub fn resets(&self) {
        let sent = self.dialogue.lock().expect("no panic while held").send("echo b >/proc/sysrq-trigger");
        sent.unwrap_or_else(|error| panic!("{} does not reset: {error}", self.name));
        self.await_boot();
    }

    #[track_caller]
    fn await_boot(&self) {
        let booted = self.dialogue.lock().expect("no panic while held").await_ready(PATIENCE_TO_BOOT);
        booted.unwrap_or_else(|error| panic!("{} does not boot: {error}", self.name));
    }

    /// Its host name when it boots.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The console's text so far: the kernel's messages, and every script with its output.
    pub fn console(&self) -> String {
        self.hardware.console()
    }

    /// Runs a busybox shell script, which may fail.
    #[track_caller]
    pub fn tries(&self, script: &str) -> ScriptOutcome {
        let ran = self.dialogue.lock().expect("no panic while held").ask(script, self.patience);
        ran.unwrap_or_else(|error| panic!("{} cannot run {script:?}: {error}", self.name))
    }

    /// Runs a busybox shell script, which must succeed, and returns its output.
    #[track_caller]
    pub fn runs(&self, script: &str) -> String {
        let ran = self.tries(script);
        assert_eq!(ran.code, 0, "{} failed to run {script:?}: {ran:?}", self.name);
        match String::from_utf8(ran.output) {
            Ok(output) => output,
            Err(error) => panic!("the output of {script:?} on {} is not text: {error}", self.name),
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
