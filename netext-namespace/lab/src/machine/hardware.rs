//! The hardware of a machine: a qemu on the lab's host, with tap devices on bridges, disks and two serial ports.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::lab::Lab;
use crate::place::{LAB_FOLDER, Place};

use super::parts::{Parts, QEMU};
use super::root;

/// What a machine is to be built of.
#[derive(Debug)]
pub(crate) struct Blueprint<'a> {
    /// MiB of memory.
    pub(crate) memory: u32,
    /// Its NICs, from `eth0` on.
    pub(crate) nics: &'a [Nic<'a>],
    /// Kernel modules beside those for NICs and disks, each with those before it that it needs.
    pub(crate) modules: &'a [&'a str],
    /// Images of its disks, from `vda` on. It lives on the first, if there is one, and keeps it over resets; the
    /// images stay as they are.
    pub(crate) disks: &'a [&'a Path],
}

/// A NIC, plugged into a bridge of the lab's host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nic<'a> {
    /// The bridge, made if absent.
    pub(crate) bridge: &'a str,
    /// Its hardware address.
    pub(crate) mac: &'a str,
}

/// A running qemu. Dropped, it is switched off, and its tap devices with it.
#[derive(Debug)]
pub(super) struct Hardware {
    host: Place,
    taps: Vec<String>,
    /// The host's folder with what it boots and what it writes.
    folder: String,
    qemu: Child,
}

impl Hardware {
    /// Switches a machine on.
    #[track_caller]
    pub(super) fn start(lab: &Lab, name: &str, blueprint: &Blueprint<'_>) -> Self {
        let parts = Parts::demand(blueprint.modules);
        let taps: Vec<_> = blueprint.nics.iter().map(|nic| lab.plug_tap(nic.bridge)).collect();
        let folder = format!("{LAB_FOLDER}/machine-{}", taps.first().map_or(name, String::as_str));
        let archive = root::archive(&parts, name).unwrap_or_else(|error| panic!("root of {name}: {error}"));
        let qemu = lab.host().run(|| {
            fs::create_dir(&folder)?;
            fs::write(format!("{folder}/root"), archive)?;
            command(&parts.kernel, &folder, &taps, blueprint).spawn()
        });
        let qemu = qemu.unwrap_or_else(|error| panic!("{QEMU} for {name}: {error}"));
        Self { host: lab.host().clone(), taps, folder, qemu }
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

impl Drop for Hardware {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
        for tap in &self.taps {
            let _ = self.host.try_ip(&format!("link delete {tap}\n"));
        }
        let _ = self.host.run(|| fs::remove_dir_all(&self.folder));
    }
}

fn command(kernel: &Path, folder: &str, taps: &[String], blueprint: &Blueprint<'_>) -> Command {
    let mut qemu = Command::new(QEMU);
    // Emulated wherever it runs, so that it is the same everywhere. qemu's microvm boots half a second sooner
    // where it boots; under emulation it mostly stood still with an empty console.
    qemu.args(["-accel", "tcg", "-machine", "q35", "-cpu", "qemu64"]);
    qemu.args(["-m", &blueprint.memory.to_string()]);
    qemu.args(["-nodefaults", "-no-user-config", "-display", "none"]);
    if blueprint.disks.is_empty() {
        qemu.arg("-no-reboot");
    }
    qemu.arg("-kernel").arg(kernel).args(["-initrd", &format!("{folder}/root")]);
    qemu.args(["-append", "console=ttyS0 quiet panic=-1 mitigations=off"]);
    qemu.args(["-serial", &format!("file:{folder}/console")]);
    qemu.args(["-chardev", "stdio,id=port,signal=off", "-serial", "chardev:port"]);
    for (number, (tap, nic)) in taps.iter().zip(blueprint.nics).enumerate() {
        qemu.args(["-netdev", &format!("tap,id=cable{number},ifname={tap},script=no,downscript=no")]);
        let device = format!("virtio-net-pci,netdev=cable{number},mac={},romfile=", nic.mac);
        qemu.args(["-device", &device]);
    }
    for disk in blueprint.disks {
        // What is written goes to a file that has no name and ends with the machine.
        let drive = format!("if=virtio,format=raw,snapshot=on,file={}", disk.display());
        qemu.args(["-drive", &drive]);
    }
    qemu.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
    let said = File::create(format!("{folder}/qemu"));
    qemu.stderr(said.map_or_else(|_| Stdio::null(), Stdio::from));
    qemu
}
