//! The hardware of a machine: a qemu on the lab's host, with tap devices on bridges, disks and two serial ports.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::sandbox::{LAB_FOLDER, Sandbox};
use crate::testbed::Testbed;

use super::boot_files::{BootFiles, QEMU};

/// The parts that a machine is built of.
#[derive(Debug)]
pub(crate) struct MachineBlueprint<'a> {
    /// MiB of memory.
    pub(crate) memory: u32,
    /// Its NICs, from `eth0` on.
    pub(crate) nics: &'a [MachineNic<'a>],
    /// Kernel modules in addition to those for NICs and disks, each after those that it needs.
    pub(crate) modules: &'a [&'a str],
    /// Images of its disks, from `vda` on. The first, if any, is its root, which it keeps over resets. The images are
    /// not changed.
    pub(crate) disks: &'a [&'a Path],
}

/// A NIC, plugged into a bridge of the lab's host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MachineNic<'a> {
    /// The bridge, made if absent.
    pub(crate) bridge: &'a str,
    /// Its hardware address.
    pub(crate) mac: &'a str,
}

/// A running qemu. When it is dropped, it ends, and its tap devices are deleted.
#[derive(Debug)]
pub(super) struct Hardware {
    host: Sandbox,
    taps: Vec<String>,
    /// The host's folder with the files that it boots and writes.
    folder: String,
    qemu: Child,
}

impl Hardware {
    /// Switches on a machine.
    #[track_caller]
    pub(super) fn start(testbed: &Testbed, name: &str, blueprint: &MachineBlueprint<'_>) -> Self {
        let files = BootFiles::demand(blueprint.modules);
        let taps: Vec<_> = blueprint.nics.iter().map(|nic| testbed.plug_tap(nic.bridge)).collect();
        let folder = format!("{LAB_FOLDER}/machine-{}", taps.first().map_or(name, String::as_str));
        let archive = files.archive(name).unwrap_or_else(|error| panic!("root of {name}: {error}"));
        let qemu = testbed.host().run(|| {
            fs::create_dir(&folder)?;
            fs::write(format!("{folder}/root"), archive)?;
            command(&files.kernel, &folder, &taps, blueprint).spawn()
        });
        let qemu = qemu.unwrap_or_else(|error| panic!("{QEMU} for {name}: {error}"));
        Self { host: testbed.host().clone(), taps, folder, qemu }
    }

    /// The two ends of its second serial port. They can be taken once.
    pub(super) fn take_port(&mut self) -> (ChildStdin, ChildStdout) {
        let port = self.qemu.stdin.take().zip(self.qemu.stdout.take());
        port.expect("asked for when it was started, and taken once")
    }

    /// The console's text so far, after the messages of qemu itself.
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

fn command(kernel: &Path, folder: &str, taps: &[String], blueprint: &MachineBlueprint<'_>) -> Command {
    let mut qemu = Command::new(QEMU);
    // Always emulated, so that it is the same everywhere. qemu's microvm boots half a second sooner, but under
    // emulation it mostly hung with an empty console.
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
        // Writes go to a file without a name that ends with the machine.
        let drive = format!("if=virtio,format=raw,snapshot=on,file={}", disk.display());
        qemu.args(["-drive", &drive]);
    }
    qemu.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
    let said = File::create(format!("{folder}/qemu"));
    qemu.stderr(said.map_or_else(|_| Stdio::null(), Stdio::from));
    qemu
}
