//! The machines of a lab and the cables between them: a KVM host, the public segment with its upstream, and everything
//! that is plugged in.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount, umount};

use crate::node::{Node, parse};
use crate::sandbox::Sandbox;
use crate::{processes, requirements};

/// The host's bridge of the public segment, VLAN 101.
pub const PUBLIC_BRIDGE: &str = "brnone-101";
/// The upstream's address on the public segment: the gateway of every public address.
pub const PUBLIC_GATEWAY: &str = "198.51.100.1";

/// A KVM host with a public segment, in its own namespaces.
///
/// Testbeds do not see each other, and nothing outside sees them. When a testbed is dropped, it ends the processes
/// that run in it, and the kernel takes down the rest.
#[derive(Debug)]
pub struct Testbed {
    host: Sandbox,
    upstream: Node,
    cables: AtomicU32,
    /// Held to the end: the kernel gives the inode number of a namespace that is gone to the next one, which
    /// may belong to another testbed.
    machines: Mutex<Vec<Sandbox>>,
}

/// The machines of the testbed that lost their bridge, each as its port and the bridge.
#[derive(Debug)]
#[must_use = "the machines stay unplugged until they are plugged in again"]
pub struct UnpluggedMachines<'lab> {
    testbed: &'lab Testbed,
    ports: Vec<(String, String)>,
}

impl Testbed {
    #[track_caller]
    pub(crate) fn new() -> Self {
        requirements::demand();
        let host = Sandbox::machine("the host");
        let upstream = Sandbox::network("the upstream");
        let machines = vec![host.clone(), upstream.clone()];
        host.ip(&format!(
            "link set lo up\n\
             link add {PUBLIC_BRIDGE} type bridge\n\
             link set {PUBLIC_BRIDGE} up\n\
             link add lab0 type veth peer name eth0 netns {}\n\
             link set lab0 master {PUBLIC_BRIDGE} up\n",
            upstream.path()
        ));
        // The upstream owns every address of 203.0.113.0/24: clients from anywhere on the internet.
        upstream.ip(&format!(
            "link set lo up\n\
             address add {PUBLIC_GATEWAY}/24 dev eth0\n\
             link set eth0 up\n\
             route add local 203.0.113.0/24 dev lo\n"
        ));
        let upstream = Node::new(upstream, vec![parse(PUBLIC_GATEWAY)]);
        Self { host, upstream, cables: AtomicU32::new(1), machines: Mutex::new(machines) }
    }

    /// The KVM host. Where the KVM host is an emulated machine, the host that it is cabled to.
    pub fn host(&self) -> &Sandbox {
        &self.host
    }

    /// The gateway of the public segment; the internet is behind it.
    pub fn upstream(&self) -> &Node {
        &self.upstream
    }

    /// A client on the internet, with an address in 203.0.113.0/24.
    #[track_caller]
    pub fn client(&self, address: &str) -> Node {
        assert!(address.starts_with("203.0.113."), "clients have addresses in 203.0.113.0/24, not {address}");
        self.upstream.speaking_as(parse(address))
    }

    /// Another machine on the public segment, with an address in 198.51.100.0/24.
    #[track_caller]
    pub fn neighbour(&self, address: &str) -> Node {
        self.plug(PUBLIC_BRIDGE, &[&format!("{address}/24")])
    }

    /// A machine plugged into the host's bridge `bridge`, which is created if absent, with addresses such as
    /// `10.1.1.10/24`.
    #[track_caller]
    pub fn plug(&self, bridge: &str, addresses: &[&str]) -> Node {
        let number = self.next_cable();
        let own: Vec<_> = addresses.iter().map(|it| it.split('/').next().unwrap_or_default()).collect();
        let sandbox = Sandbox::network(own.first().copied().unwrap_or("a machine"));
        self.keep(sandbox.clone());
        self.have_bridge(bridge);
        self.host.ip(&format!(
            "link add lab{number} type veth peer name eth0 address {} netns {}\n\
             link set lab{number} master {bridge} up\n",
            mac(number),
            sandbox.path(),
        ));
        let address_lines = addresses.iter().map(|address| {
            let nodad = if address.contains(':') { " nodad" } else { "" };
            format!("address add {address} dev eth0{nodad}\n")
        });
        sandbox.ip(&format!("link set lo up\nlink set eth0 up\n{}", address_lines.collect::<String>()));
        let own = own.into_iter().map(parse).collect();
        Node::plugged(sandbox, own, &self.host, format!("lab{number}"))
    }

    /// A tap device on the host's bridge `bridge`, which is created if absent, for an emulated machine.
    #[track_caller]
    pub(crate) fn plug_tap(&self, bridge: &str) -> String {
        let tap = format!("lab{}", self.next_cable());
        self.have_bridge(bridge);
        self.host.ip(&format!("tuntap add {tap} mode tap\nlink set {tap} master {bridge} up\n"));
        tap
    }

    /// Another public segment, on a VLAN from 1 to 255 other than 101: `198.18.<vlan>.0/24`, with the upstream as its
    /// gateway `198.18.<vlan>.1`. Clients reach the addresses of every segment. The upstream drops replies that
    /// return through another segment as forged.
    #[track_caller]
    pub fn public_vlan(&self, vlan: u8) {
        let bridge = format!("brnone-{vlan}");
        let upstream = self.upstream.sandbox();
        self.have_bridge(&bridge);
        self.host.ip(&format!(
            "link add lab-{vlan} type veth peer name eth{vlan} netns {}\n\
             link set lab-{vlan} master {bridge} up\n",
            upstream.path()
        ));
        upstream
            .ip(&format!("address add {}/24 dev eth{vlan}\nlink set eth{vlan} up\n", public_gateway(vlan)));
        upstream.run(|| {
            let is_strict = fs::write("/proc/sys/net/ipv4/conf/all/rp_filter", "1");
            is_strict.expect("the upstream can be made to filter by reverse path");
        });
    }

    /// The host as a machine that others may try to reach.
    pub fn host_machine(&self) -> Node {
        Node::new(self.host.clone(), Vec::new())
    }

    /// A view from inside the host's namespace `name`.
    #[track_caller]
    pub fn inside(&self, name: &str) -> Node {
        let sandbox = self.host.named_namespace(name);
        let sandbox = sandbox.unwrap_or_else(|| panic!("the host has no namespace {name}"));
        Node::new(sandbox, Vec::new())
    }

    /// Whether the host has a namespace of this name.
    pub fn has_namespace(&self, name: &str) -> bool {
        self.host.named_namespace(name).is_some()
    }

    /// Whether the host itself, not a namespace on it, has an interface of this name.
    pub fn has_interface(&self, name: &str) -> bool {
        let path = format!("/sys/class/net/{name}");
        self.host.run(|| Path::new(&path).exists())
    }

    /// The names of the host's interfaces, without those that connect the lab's machines.
    pub fn interfaces(&self) -> Vec<String> {
        let mut names = self.host.names_in("/sys/class/net");
        names.retain(|name| !name.starts_with("lab"));
        names.sort();
        names
    }

    /// Breaks a program on this host: until it is mended, it fails and prints nothing.
    #[track_caller]
    pub fn breaks(&self, program: &str) {
        let (path, none): (_, Option<&str>) = (requirements::find(program), None);
        let path = path.unwrap_or_else(|| panic!("no {program} to break"));
        let broken = self.host.run(|| mount(Some("/bin/false"), &path, none, MsFlags::MS_BIND, none));
        broken.unwrap_or_else(|error| panic!("breaking {}: {error}", path.display()));
    }

    /// Mends a program that [`Testbed::breaks`] broke.
    #[track_caller]
    pub fn mends(&self, program: &str) {
        let path = requirements::find(program).unwrap_or_else(|| panic!("no {program} to mend"));
        let mended = self.host.run(|| umount(&path));
        mended.unwrap_or_else(|error| panic!("mending {}: {error}", path.display()));
    }

    /// Waits until an interface of the host is gone. One end of a cable outlives the namespace of the other end for
    /// a moment.
    #[track_caller]
    pub fn await_end_of_interface(&self, name: &str) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.has_interface(name) {
            assert!(Instant::now() < deadline, "interface {name} is still there");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The processes on the host, in its namespaces and on the machines, as process id and command line.
    pub fn processes(&self) -> Vec<(i32, String)> {
        processes::within(&self.sandboxes())
    }

    /// Kills a process.
    pub fn kills(&self, process: i32) {
        self.host.output("kill", &["-9", &process.to_string()]);
    }

    /// Removes everything from the host that is not on its disk: the routers' namespaces with all processes in them, and
    /// every interface except the cables to the other machines, which hang loose until they are
    /// [plugged in again](UnpluggedMachines::plug_in).
    #[track_caller]
    pub fn reboot(&self) -> UnpluggedMachines<'_> {
        let names = self.host.namespaces();
        let routers: Vec<_> = names.iter().filter_map(|name| self.host.named_namespace(name)).collect();
        processes::end_network_of(&routers);
        let interfaces = self.interfaces();
        let ports = self.host.names_in("/sys/class/net").into_iter().filter(|name| name.starts_with("lab"));
        let ports = ports.filter_map(|name| {
            let bridge = self.host.run(|| fs::read_link(format!("/sys/class/net/{name}/master"))).ok()?;
            Some((name, bridge.file_name()?.to_string_lossy().into_owned()))
        });
        let ports = ports.collect();
        for name in &names {
            self.host.ip(&format!("netns delete {name}\n"));
        }
        drop(routers);
        // The ends of pairs go with their namespaces, at some moment.
        for interface in interfaces.iter().filter(|name| *name != "lo") {
            let _ = self.host.try_ip(&format!("link delete {interface}\n"));
        }
        for interface in interfaces.iter().filter(|name| *name != "lo") {
            self.await_end_of_interface(interface);
        }
        UnpluggedMachines { testbed: self, ports }
    }

    /// Lays a cable from the host's bridge `bridge` to a bridge of the same name on another machine. Both bridges are
    /// created if absent: the segment is the same on both.
    #[track_caller]
    pub(crate) fn trunk_to(&self, machine: &Sandbox, bridge: &str) {
        self.have_bridge(bridge);
        machine.ip(&format!("link add {bridge} type bridge\nlink set {bridge} up\n"));
        let number = self.next_cable();
        self.host.ip(&format!(
            "link add lab{number} type veth peer name lab{number} netns {}\n\
             link set lab{number} master {bridge} up\n",
            machine.path()
        ));
        machine.ip(&format!("link set lab{number} master {bridge} up\n"));
    }

    /// Ends a machine with the testbed.
    pub(crate) fn keep(&self, machine: Sandbox) {
        self.machines.lock().expect("no panic while held").push(machine);
    }

    fn next_cable(&self) -> u32 {
        self.cables.fetch_add(1, Ordering::Relaxed)
    }

    fn have_bridge(&self, bridge: &str) {
        if !self.has_interface(bridge) {
            // Two threads may arrive here at once; the second finds the bridge.
            let made = self.host.try_ip(&format!("link add {bridge} type bridge\nlink set {bridge} up\n"));
            assert!(made.is_ok() || self.has_interface(bridge), "bridge {bridge}: {made:?}");
        }
    }

    /// All sandboxes of the testbed. Their inode numbers belong to them as long as they are held.
    fn sandboxes(&self) -> Vec<Sandbox> {
        let names = self.host.namespaces();
        let mut all: Vec<_> = names.iter().filter_map(|name| self.host.named_namespace(name)).collect();
        all.extend(self.machines.lock().iter().flat_map(|held| held.iter().cloned()));
        all
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        processes::end_within(&self.sandboxes());
    }
}

impl UnpluggedMachines<'_> {
    /// Plugs the machines into their bridges again, which must exist.
    #[track_caller]
    pub fn plug_in(self) {
        for (port, bridge) in self.ports {
            self.testbed.host.ip(&format!("link set {port} master {bridge} up\n"));
        }
    }
}

/// The VLAN of an address on one of the further public segments.
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
