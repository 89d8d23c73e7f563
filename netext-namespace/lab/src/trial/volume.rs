//! Disks of their own for the extension's folder: one that can be full, and one whose power can be cut.

use std::fs::{self, File};
use std::path::Path;

use nix::fcntl::{FallocateFlags, fallocate};
use nix::mount::{MsFlags, mount};
use nix::sys::statvfs::statvfs;

use crate::extension::state_folder;
use crate::lab::Lab;
use crate::sandbox::{LAB_FOLDER, Sandbox};

/// The disk that can be full.
const SMALL: &str = "size=1m,mode=0755";
/// The size of the disk whose power can be cut, in bytes.
const IMAGE_SIZE: u64 = 32 << 20;
/// Nothing reaches the disk because some time has passed, or because a file system helps programs that sync nothing.
const ONLY_WHEN_SYNCED: &str = "loop,noatime,commit=3600,noauto_da_alloc";

/// A disk that can be full, with the extension's folder on it.
#[derive(Debug)]
pub struct SmallDisk<'lab> {
    host: &'lab Sandbox,
}

/// A disk with a file system of its own, with the extension's folder on it. Its power can be cut.
#[derive(Debug)]
pub struct DurableDisk<'lab> {
    host: &'lab Sandbox,
}

/// What a disk has at a moment: everything that was synced, and perhaps more.
#[derive(Debug)]
pub struct DiskImage(Vec<u8>);

impl<'lab> SmallDisk<'lab> {
    /// Puts such a disk under a lab whose extension has not been called yet.
    #[track_caller]
    pub fn mount(lab: &'lab Lab) -> Self {
        let host = lab.host();
        host.run(|| {
            fs::create_dir_all(root()).expect("a folder to mount on");
            mount(Some("lab"), root().as_str(), Some("tmpfs"), MsFlags::empty(), Some(SMALL))
                .expect("a small disk");
        });
        Self { host }
    }

    /// Fills the disk, except for this number of blocks.
    #[track_caller]
    pub fn leave(&self, blocks: u64) {
        self.empty();
        let filled = self.host.run(|| {
            let disk = statvfs(root().as_str())?;
            let filler = File::create(filler())?;
            let size = disk.blocks_available().saturating_sub(blocks) * disk.block_size();
            fallocate(&filler, FallocateFlags::empty(), 0, size.try_into().unwrap_or_default())?;
            std::io::Result::Ok(())
        });
        filled.unwrap_or_else(|error| panic!("filling the disk: {error}"));
    }

    /// Frees what was filled.
    pub fn empty(&self) {
        let _ = self.host.run(|| fs::remove_file(filler()));
    }
}

impl<'lab> DurableDisk<'lab> {
    /// Puts such a disk, which is empty, under a lab whose extension has not been called yet.
    #[track_caller]
    pub fn mount(lab: &'lab Lab) -> Self {
        let image = image();
        let host = lab.host();
        let created = host.run(|| File::create(&image)?.set_len(IMAGE_SIZE));
        created.unwrap_or_else(|error| panic!("{image}: {error}"));
        let options = ["-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"];
        carry_out(host, "mkfs.ext4", &[&options[..], &[&image]].concat());
        Self::attach(host)
    }

    /// Starts a lab's host with this disk. Another disk of it is taken out before; nothing may use that.
    #[track_caller]
    pub fn boot(lab: &'lab Lab, disk: &DiskImage) -> Self {
        let host = lab.host();
        let _ = host.output("umount", &[&root()]);
        let written = host.run(|| fs::write(image(), &disk.0));
        written.unwrap_or_else(|error| panic!("{}: {error}", image()));
        Self::attach(host)
    }

    fn attach(host: &'lab Sandbox) -> Self {
        host.run(|| fs::create_dir_all(root())).expect("a folder to mount on");
        carry_out(host, "mount", &["-t", "ext4", "-o", ONLY_WHEN_SYNCED, &image(), &root()]);
        Self { host }
    }

    /// Makes everything lasting that is on the disk.
    #[track_caller]
    pub fn sync(&self) {
        carry_out(self.host, "sync", &["-f", &root()]);
    }

    /// What is left of the disk's content if the power is cut now.
    #[track_caller]
    pub fn cut(&self) -> DiskImage {
        let image = self.host.run(|| fs::read(image()));
        DiskImage(image.unwrap_or_else(|error| panic!("reading the disk: {error}")))
    }
}

/// The folder above the extension's folder.
fn root() -> String {
    let folder = state_folder();
    Path::new(&folder).parent().map(|above| above.display().to_string()).unwrap_or_default()
}

fn filler() -> String {
    format!("{}/filler", root())
}

fn image() -> String {
    format!("{LAB_FOLDER}/disk.img")
}

#[track_caller]
fn carry_out(host: &Sandbox, program: &str, arguments: &[&str]) {
    let done = host.output(program, arguments);
    assert!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}
