//! The hardware of an instance: a qemu on the KVM host, with a tap device on a bridge and two serial ports.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::lab::Lab;
use crate::place::{LAB_FOLDER, Place};

use super::parts::{Parts, QEMU};
use super::root;

/// A running qemu. Dropped, it is switched off, and its tap device with it.
#[derive(Debug)]
pub(super) struct Machine {
    host: Place,
    tap: String,
    /// The host's folder with what it boots and what it writes.
    folder: String,
    qemu: Child,
}

impl Machine {
    /// Switches a machine on that is plugged into `bridge`.
    #[track_caller]
    pub(super) fn start(lab: &Lab, bridge: &str, name: &str, mac: &str) -> Self {
        let parts = Parts::demand();
        let tap = lab.plug_tap(bridge);
        let folder = format!("{LAB_FOLDER}/instance-{tap}");
        let archive = root::archive(&parts, name).unwrap_or_else(|error| panic!("root of {name}: {error}"));
        let qemu = lab.host().run(|| {
            fs::create_dir(&folder)?;
            fs::write(format!("{folder}/root"), archive)?;
            command(&parts.kernel, &folder, &tap, mac).spawn()
        });
        let qemu = qemu.unwrap_or_else(|error| panic!("{QEMU} for {name}: {error}"));
        Self { host: lab.host().clone(), tap, folder, qemu }
    }

    /// The two ends of its second serial port, once.
    pub(super) fn take_port(&mut self) -> (ChildStdin, ChildStdout) {
        let port = self.qemu.stdin.take().zip(self.qemu.stdout.take());
        port.expect("asked for when it was started, and taken once")
    }

    /// What its console showed so far, after what qemu itself had to say.
    pub(super) fn console(&self) -> String {
        let paths = ["qemu", "console"].map(|file| format!("{}/{file}", self.folder));
        let texts = self.host.run(|| paths.map(|path| fs::read(path).unwrap_or_default()));
        texts.map(|text| String::from_utf8_lossy(&text).replace('\r', "")).concat()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
        let _ = self.host.try_ip(&format!("link delete {}\n", self.tap));
        let _ = self.host.run(|| fs::remove_dir_all(&self.folder));
    }
}

fn command(kernel: &Path, folder: &str, tap: &str, mac: &str) -> Command {
    let mut qemu = Command::new(QEMU);
    // Emulated wherever it runs, so that it is the same everywhere. qemu's microvm boots half a second sooner
    // where it boots; under emulation it mostly stood still with an empty console.
    qemu.args(["-accel", "tcg", "-machine", "q35", "-cpu", "qemu64", "-m", "128"]);
    qemu.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]);
    qemu.arg("-kernel").arg(kernel).args(["-initrd", &format!("{folder}/root")]);
    qemu.args(["-append", "console=ttyS0 quiet panic=-1 mitigations=off"]);
    qemu.args(["-serial", &format!("file:{folder}/console")]);
    qemu.args(["-chardev", "stdio,id=port,signal=off", "-serial", "chardev:port"]);
    qemu.args(["-netdev", &format!("tap,id=cable,ifname={tap},script=no,downscript=no")]);
    qemu.args(["-device", &format!("virtio-net-pci,netdev=cable,mac={mac},romfile=")]);
    qemu.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
    let said = File::create(format!("{folder}/qemu"));
    qemu.stderr(said.map_or_else(|_| Stdio::null(), Stdio::from));
    qemu
}
