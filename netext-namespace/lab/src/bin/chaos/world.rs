//! The lab of a world: a host with a small disk, the instances of all networks, and a client.

use std::fs;
use std::path::PathBuf;

use netext_lab::{Lab, Listener, Network, Node};
use nix::mount::{MsFlags, mount};

use crate::model::{ALONE, INSTANCES, NETWORKS, NetworkNumber, instance_address, is_tier, subnet};

/// The client's address.
pub(crate) const CLIENT: &str = "203.0.113.5";
/// The source NAT address of the VPC.
pub(crate) const VPC_ADDRESS: &str = "198.51.100.20";
const VPC: u32 = 7;
const NONE: Option<&str> = None;

pub(crate) struct World {
    guests: Vec<Vec<Node>>,
    pub(crate) client: Node,
    _listeners: Vec<Listener>,
    /// The last field: the machines are plugged into it.
    pub(crate) lab: Lab,
}

impl World {
    /// A world in which nothing happened yet: only the VPC exists.
    #[track_caller]
    pub(crate) fn create(executable: &str) -> Self {
        let lab = Lab::boot(executable);
        let root = state_root(&lab);
        lab.host().run(|| {
            fs::create_dir_all(&root).expect("the folder of the state");
            let small =
                mount(Some("disk"), &root, Some("tmpfs"), MsFlags::empty(), Some("size=4m,mode=0755"));
            small.expect("a small disk");
        });
        lab.vpc(VPC).implement_with(VPC_ADDRESS);
        let client = lab.client(CLIENT);
        let mut listeners = vec![client.listen_tcp(80)];
        let guests = (0..NETWORKS).map(|number| {
            let network = network(&lab, number);
            let guests = INSTANCES.map(|instance| network.guest(&instance_address(number, instance)));
            listeners.extend(guests.iter().map(|guest| guest.listen_tcp(22)));
            guests.to_vec()
        });
        let guests = guests.collect();
        Self { guests, client, _listeners: listeners, lab }
    }

    pub(crate) fn network(&self, number: NetworkNumber) -> Network<'_> {
        network(&self.lab, number)
    }

    /// The instances of a network, with their last octets.
    pub(crate) fn guests(&self, number: NetworkNumber) -> impl Iterator<Item = (u8, &Node)> {
        INSTANCES.into_iter().zip(&self.guests[number])
    }

    /// Does something while the disk is full.
    pub(crate) fn with_full_disk<T>(&self, work: impl FnOnce() -> T) -> T {
        let filler = state_root(&self.lab).join("filler");
        self.lab.host().run(|| {
            // Until nothing more fits, not even a byte.
            let mut block = 1 << 16;
            let mut text = Vec::new();
            while block > 0 {
                text.resize(text.len() + block, b'x');
                if fs::write(&filler, &text).is_err() {
                    text.truncate(text.len() - block);
                    block /= 2;
                }
            }
        });
        let done = work();
        self.lab.host().run(|| fs::remove_file(&filler)).expect("a filler");
        done
    }

    /// Does something while the disk can only be read.
    pub(crate) fn with_read_only_disk<T>(&self, work: impl FnOnce() -> T) -> T {
        let root = state_root(&self.lab);
        let bind = MsFlags::MS_REMOUNT | MsFlags::MS_BIND;
        // It stays writable if a daemon writes at this moment.
        let _ = self.lab.host().run(|| mount(NONE, &root, NONE, bind | MsFlags::MS_RDONLY, NONE));
        let done = work();
        self.lab.host().run(|| mount(NONE, &root, NONE, bind, NONE)).expect("a disk that can be written");
        done
    }

    /// Boots the host, without the repair that follows.
    pub(crate) fn reboot(&self) {
        let unplugged = self.lab.reboot();
        for number in 0..NETWORKS {
            self.have_bridge(&self.network(number).bridge());
        }
        self.have_bridge(netext_lab::PUBLIC_BRIDGE);
        unplugged.plug_in();
    }

    fn have_bridge(&self, bridge: &str) {
        if !self.lab.has_interface(bridge) {
            self.lab.host().ip(&format!("link add {bridge} type bridge\nlink set {bridge} up\n"));
        }
    }
}

/// The folder above the extension's: the disk.
fn state_root(lab: &Lab) -> PathBuf {
    let folder = PathBuf::from(lab.state_folder());
    folder.parent().expect("a folder below the root").to_owned()
}

fn network(lab: &Lab, number: NetworkNumber) -> Network<'_> {
    let id = u32::try_from(number).unwrap_or_default();
    if is_tier(number) {
        return lab.vpc(VPC).tier(id + 1 - u32::try_from(ALONE).unwrap_or_default());
    }
    let subnet = subnet(number);
    let network = lab.network(301 + id).on_vlan(&(1921 + id).to_string());
    network.with_subnet(&format!("{subnet}.1"), &format!("{subnet}.0/24"))
}
