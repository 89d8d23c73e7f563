//! The lab itself: a KVM host, the public segment with its upstream, and who else is plugged in.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount, umount};
use serde_json::{Map, Value};

use crate::extension;
use crate::fleet::Server;
use crate::hypervisor::Hypervisor;
use crate::network::Network;
use crate::node::{Node, parse};
use crate::place::Place;
use crate::vpc::Vpc;
use crate::{processes, requirements};

/// The host's bridge of the public segment, VLAN 101.
pub const PUBLIC_BRIDGE: &str = "brnone-101";
/// The upstream's address on the public segment: the gateway of every public address.
pub const PUBLIC_GATEWAY: &str = "198.51.100.1";
/// What the registered details hold as the password; it must never show up anywhere.
pub const SECRET_PASSWORD: &str = "pa55-w0rd-never-to-be-seen";
/// A line of what the registered details hold as the SSH key; it must never show up anywhere.
pub const SECRET_KEY: &str = "a2V5LW5ldmVyLXRvLWJlLXNlZW4=";

/// A KVM host with a public segment, in namespaces of its own.
///
/// Labs do not see each other, and nothing outside sees them; dropped, they end the processes that live
/// in them, and the kernel takes down the rest.
#[derive(Debug)]
pub struct Lab {
    host: Place,
    upstream: Node,
    executable: String,
    pub(crate) server: Option<Server>,
    pub(crate) physical_details: Mutex<Map<String, Value>>,
    pub(crate) variables: Mutex<BTreeMap<String, String>>,
    pub(crate) umask: AtomicU32,
    plugged: AtomicU32,
    pub(crate) hypervisor: Option<Hypervisor>,
    /// Held to the end: the kernel gives the number of a namespace that is gone to the next one, which
    /// may be another lab's.
    machines: Mutex<Vec<Place>>,
}

impl Lab {
    /// A lab whose host carries the executable `extension`, as the package would have installed it.
    ///
    /// `NETEXT_EXECUTABLE` in the environment names another build to test instead. `NETEXT_LAB=fleet` has every
    /// command called on a management server, as [`Lab::boot_with_server`] does.
    #[track_caller]
    pub fn boot(extension: &str) -> Self {
        if std::env::var("NETEXT_LAB").is_ok_and(|kind| kind == "fleet") {
            return Self::boot_with_server(extension);
        }
        Self::boot_alone(extension)
    }

    #[track_caller]
    pub(crate) fn boot_alone(extension: &str) -> Self {
        let mut lab = Self::without_extension();
        extension.clone_into(&mut lab.executable);
        extension::install(lab.host(), Path::new(&extension::executable(extension)));
        lab
    }

    /// A lab whose host carries no extension.
    #[track_caller]
    pub fn without_extension() -> Self {
        requirements::demand();
        let host = Place::machine("the host");
        let upstream = Place::network("the upstream");
        let machines = vec![host.clone(), upstream.clone()];
        host.ip(&format!(
            "link set lo up\n\
             link add {PUBLIC_BRIDGE} type bridge\n\
             link set {PUBLIC_BRIDGE} up\n\
             link add lab0 type veth peer name eth0 netns {}\n\
             link set lab0 master {PUBLIC_BRIDGE} up\n",
            upstream.path()
        ));
        // Every address of 203.0.113.0/24 is the upstream's own: clients from anywhere on the internet.
        upstream.ip(&format!(
            "link set lo up\n\
             address add {PUBLIC_GATEWAY}/24 dev eth0\n\
             link set eth0 up\n\
             route add local 203.0.113.0/24 dev lo\n"
        ));
        Self {
            host,
            upstream: Node::new(upstream, vec![parse(PUBLIC_GATEWAY)]),
            executable: String::new(),
            server: None,
            physical_details: Mutex::new(extension::physical_details()),
            variables: Mutex::new(extension::variables()),
            umask: AtomicU32::new(0o022),
            plugged: AtomicU32::new(1),
            hypervisor: None,
            machines: Mutex::new(machines),
        }
    }

    /// The extension's executable, as it was handed over.
    pub fn executable(&self) -> &str {
        &self.executable
    }

    /// The KVM host, unless that is a machine of its own; then what that is cabled to.
    pub fn host(&self) -> &Place {
        &self.host
    }

    /// The gateway of the public segment, behind which lies the internet.
    pub fn upstream(&self) -> &Node {
        &self.upstream
    }

    /// Someone on the internet; `address` lies in 203.0.113.0/24.
    #[track_caller]
    pub fn client(&self, address: &str) -> Node {
        assert!(address.starts_with("203.0.113."), "clients live in 203.0.113.0/24, not at {address}");
        self.upstream.speaking_as(parse(address))
    }

    /// Another machine on the public segment; `address` lies in 198.51.100.0/24.
    #[track_caller]
    pub fn neighbour(&self, address: &str) -> Node {
        self.plug(PUBLIC_BRIDGE, &[&format!("{address}/24")])
    }

    /// A machine plugged into the host's bridge `bridge` (made if absent), with addresses such as
    /// `10.1.1.10/24`.
    #[track_caller]
    pub fn plug(&self, bridge: &str, addresses: &[&str]) -> Node {
        let number = self.next_plug();
        let own: Vec<_> = addresses.iter().map(|it| it.split('/').next().unwrap_or_default()).collect();
        let place = Place::network(own.first().copied().unwrap_or("a machine"));
        self.keep(place.clone());
        self.have_bridge(bridge);
        self.host.ip(&format!(
            "link add lab{number} type veth peer name eth0 address {} netns {}\n\
             link set lab{number} master {bridge} up\n",
            mac(number),
            place.path(),
        ));
        let address_lines = addresses.iter().map(|address| {
            let nodad = if address.contains(':') { " nodad" } else { "" };
            format!("address add {address} dev eth0{nodad}\n")
        });
        place.ip(&format!("link set lo up\nlink set eth0 up\n{}", address_lines.collect::<String>()));
        let own = own.into_iter().map(parse).collect();
        Node::plugged(place, own, &self.host, format!("lab{number}"))
    }

    /// An isolated network of the cloud, not implemented yet; see [`Network`] for what it starts with.
    pub fn network(&self, id: u32) -> Network<'_> {
        Network::new(self, id)
    }

    /// A VPC of the cloud, not implemented yet; see [`Vpc`] for what it starts with.
    pub fn vpc(&self, id: u32) -> Vpc<'_> {
        Vpc::new(self, id)
    }

    /// One more public segment, on a VLAN from 1 to 255 other than 101: `198.18.<vlan>.0/24`, where the upstream is
    /// the gateway `198.18.<vlan>.1`. Clients reach the addresses of every segment, and the upstream holds answers
    /// that come back by another segment for forged.
    #[track_caller]
    pub fn public_vlan(&self, vlan: u8) {
        let bridge = format!("brnone-{vlan}");
        let upstream = self.upstream.place();
        self.have_bridge(&bridge);
        self.host.ip(&format!(
            "link add lab-{vlan} type veth peer name eth{vlan} netns {}\n\
             link set lab-{vlan} master {bridge} up\n",
            upstream.path()
        ));
        upstream
            .ip(&format!("address add {}/24 dev eth{vlan}\nlink set eth{vlan} up\n", public_gateway(vlan)));
        upstream.run(|| {
            let strict = std::fs::write("/proc/sys/net/ipv4/conf/all/rp_filter", "1");
            strict.expect("the upstream can be made to look at where packets come from");
        });
    }

    /// The host itself, as a machine that others may try to reach.
    pub fn host_machine(&self) -> Node {
        Node::new(self.host.clone(), Vec::new())
    }

    /// A view from inside the namespace `name` of the host.
    #[track_caller]
    pub fn inside(&self, name: &str) -> Node {
        let place = self.host.named_namespace(name);
        let place = place.unwrap_or_else(|| panic!("the host has no namespace {name}"));
        Node::new(place, Vec::new())
    }

    /// Whether the host has a namespace of this name.
    pub fn has_namespace(&self, name: &str) -> bool {
        self.host.named_namespace(name).is_some()
    }

    /// Whether the host itself (not a namespace on it) has an interface of this name.
    pub fn has_interface(&self, name: &str) -> bool {
        let path = format!("/sys/class/net/{name}");
        self.host.run(|| Path::new(&path).exists())
    }

    /// The names of the host's own interfaces, without those by which the lab plugs its machines in.
    pub fn interfaces(&self) -> Vec<String> {
        let names = self.host.run(|| {
            let entries = std::fs::read_dir("/sys/class/net").expect("the host's interfaces").flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
        });
        let mut names: Vec<_> = names.into_iter().filter(|name| !name.starts_with("lab")).collect();
        names.sort();
        names
    }

    /// Breaks a program on this host: until mended, it fails and says nothing.
    #[track_caller]
    pub fn breaks(&self, program: &str) {
        let (path, none): (_, Option<&str>) = (requirements::find(program), None);
        let path = path.unwrap_or_else(|| panic!("no {program} to break"));
        let broken = self.host.run(|| mount(Some("/bin/false"), &path, none, MsFlags::MS_BIND, none));
        broken.unwrap_or_else(|error| panic!("breaking {}: {error}", path.display()));
    }

    /// Mends what [`Lab::breaks`] broke.
    #[track_caller]
    pub fn mends(&self, program: &str) {
        let path = requirements::find(program).unwrap_or_else(|| panic!("no {program} to mend"));
        let mended = self.host.run(|| umount(&path));
        mended.unwrap_or_else(|error| panic!("mending {}: {error}", path.display()));
    }

    /// Waits until an interface of the host is gone, as one end of a cable goes a while after the
    /// namespace with the other.
    #[track_caller]
    pub fn await_end_of_interface(&self, name: &str) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.has_interface(name) {
            assert!(Instant::now() < deadline, "interface {name} is still there");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The processes that live on the host, in its namespaces or on a machine of the lab, each as
    /// process id and command line.
    pub fn processes(&self) -> Vec<(i32, String)> {
        processes::within(&self.places())
    }

    /// A tap device on the host's bridge `bridge` (made if absent), for a machine to be plugged in by.
    #[track_caller]
    pub(crate) fn plug_tap(&self, bridge: &str) -> String {
        let tap = format!("lab{}", self.next_plug());
        self.have_bridge(bridge);
        self.host.ip(&format!("tuntap add {tap} mode tap\nlink set {tap} master {bridge} up\n"));
        tap
    }

    /// The number of the next cable.
    pub(crate) fn next_plug(&self) -> u32 {
        self.plugged.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a machine down with the lab.
    pub(crate) fn keep(&self, machine: Place) {
        self.machines.lock().expect("no panic while held").push(machine);
    }

    pub(crate) fn have_bridge(&self, bridge: &str) {
        if !self.has_interface(bridge) {
            // Two threads may come here at once; the second finds the bridge.
            let made = self.host.try_ip(&format!("link add {bridge} type bridge\nlink set {bridge} up\n"));
            assert!(made.is_ok() || self.has_interface(bridge), "bridge {bridge}: {made:?}");
        }
    }

    /// The names of the host's namespaces.
    pub(crate) fn namespaces(&self) -> Vec<String> {
        self.host.run(|| {
            let entries = std::fs::read_dir("/run/netns").into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        })
    }

    /// All namespaces of the lab; their numbers are theirs as long as they are held.
    fn places(&self) -> Vec<Place> {
        let names = self.namespaces();
        let mut places: Vec<_> = names.iter().filter_map(|name| self.host.named_namespace(name)).collect();
        places.extend(self.machines.lock().iter().flat_map(|held| held.iter().cloned()));
        places
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        processes::end_within(&self.places());
    }
}

/// The VLAN of an address of one of the further public segments.
pub(crate) fn public_vlan_of(address: &str) -> Option<u8> {
    address.strip_prefix("198.18.")?.split('.').next()?.parse().ok()
}

/// The gateway of a further public segment.
pub(crate) fn public_gateway(vlan: u8) -> String {
    format!("198.18.{vlan}.1")
}

fn mac(number: u32) -> String {
    let [_, _, high, low] = number.to_be_bytes();
    format!("02:1a:b0:00:{high:02x}:{low:02x}")
}
