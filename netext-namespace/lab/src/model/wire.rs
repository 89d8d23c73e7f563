//! The wire at each place: whole frames go out and are seen coming in, past the machines' own kernels.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::sockopt::RcvBufForce;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, recvfrom, send, setsockopt,
    socket,
};

use super::packet::{Packet, Sighting};
use super::site::{GUESTS, PUBLIC_VLANS, Place, Site, detour_address};
use super::step::Cloud;
use crate::lab::Lab;
use crate::sandbox::Sandbox;
use crate::testbed::PUBLIC_BRIDGE;

/// `PACKET_HOST` in `linux/if_packet.h`: a frame to this machine.
const PACKET_HOST: u8 = 0;
/// No probe is longer.
const LONGEST: usize = 2048;
/// Room for the frames of one round.
const RECEIVE_BUFFER: usize = 16 << 20;
/// When nothing came for this long, nothing more comes.
const QUIET: Duration = Duration::from_millis(25);
/// How long an expected packet may take: the router may have to learn a neighbour first.
const PATIENCE: Duration = Duration::from_millis(500);
/// The machines' own kernels answer no packet: they only tell their hardware address.
const DEAF: &str = "table inet deaf {\n\
     chain arrive { type filter hook prerouting priority -400; icmpv6 type { 133, 134, 135, 136 } accept; drop; }\n\
     }\n";

/// The sockets at all places of a site.
#[derive(Debug)]
pub(super) struct Wire {
    ports: BTreeMap<Place, Port>,
}

#[derive(Debug)]
struct Port {
    socket: OwnedFd,
    mac: [u8; 6],
    /// Held so that the machine stays plugged in.
    _machine: crate::node::Node,
}

/// The router's hardware address at each place.
pub(super) type RouterMacs = BTreeMap<Place, [u8; 6]>;

impl Wire {
    /// Plugs machines in at every place.
    pub(super) fn lay(lab: &Lab, site: Site) -> Self {
        let mut ports = BTreeMap::new();
        for vlan in PUBLIC_VLANS {
            let bridge = if vlan == 101 { PUBLIC_BRIDGE.to_owned() } else { format!("brnone-{vlan}") };
            if vlan != 101 {
                lab.public_vlan(vlan);
            }
            let interface = if vlan == 101 { "eth0".to_owned() } else { format!("eth{vlan}") };
            ports.insert(Place::Outside(vlan), Port::open(lab.upstream().clone(), &interface));
            let detour = lab.plug(&bridge, &[&format!("{}/24", detour_address(vlan))]);
            ports.insert(Place::Detour(vlan), Port::open(detour, "eth0"));
        }
        let cloud = Cloud::new(lab, site);
        for tier in site.tiers() {
            let mut addresses: Vec<_> =
                GUESTS.iter().map(|last| format!("{}/24", site.guest(*tier, *last))).collect();
            if site.ip6_gateway().is_some() {
                addresses.push("2001:db8:1::10/64".to_owned());
            }
            let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
            let guests = lab.plug(&cloud.network(*tier).bridge(), &addresses);
            ports.insert(Place::Guests(*tier), Port::open(guests, "eth0"));
        }
        Self { ports }
    }

    /// Sends the first packets of probes, and gathers what is seen until all `expected` numbers were seen and the wire
    /// is quiet.
    pub(super) fn exchange(
        &self,
        macs: &RouterMacs,
        sent: &[(Place, u32, Packet, bool)],
        expected: usize,
    ) -> Vec<(Place, Sighting)> {
        for (place, number, packet, is_answer) in sent {
            if let (Some(port), Some(mac)) = (self.ports.get(place), macs.get(place)) {
                port.send(&packet.frame(*number, *is_answer, port.mac, *mac));
            }
        }
        let mut seen = Vec::new();
        let (begun, mut last) = (Instant::now(), Instant::now());
        let mut buffer = vec![0; LONGEST];
        loop {
            let before = seen.len();
            for (place, port) in &self.ports {
                while let Some(frame) = port.receive(&mut buffer) {
                    seen.extend(frame.probe().map(|sighting| (*place, sighting)));
                }
            }
            if seen.len() > before {
                last = Instant::now();
            }
            let is_complete = seen.len() >= expected || begun.elapsed() > PATIENCE;
            if is_complete && last.elapsed() > QUIET {
                return seen;
            }
            sleep(Duration::from_millis(2));
        }
    }
}

impl Port {
    fn open(machine: crate::node::Node, interface: &str) -> Self {
        let sandbox = machine.sandbox();
        sandbox.run(|| {
            let mut nft = std::process::Command::new("nft");
            nft.args(["-f", "-"]).stdin(std::process::Stdio::piped());
            let mut child = nft.spawn().expect("nft starts");
            let mut input = child.stdin.take().expect("a pipe was asked for");
            io::Write::write_all(&mut input, DEAF.as_bytes()).expect("nft reads");
            drop(input);
            assert!(child.wait().expect("nft ends").success(), "nft accepts the rules of a deaf machine");
        });
        let link = sandbox.run(|| link(interface));
        let link = link.unwrap_or_else(|| panic!("{} has no {interface}", sandbox.name()));
        let socket = sandbox.run(|| packet_socket(&link));
        let socket = socket.unwrap_or_else(|error| panic!("a packet socket in {}: {error}", sandbox.name()));
        Self { socket, mac: link.addr().unwrap_or_default(), _machine: machine }
    }

    fn send(&self, frame: &[u8]) {
        let sent = send(self.socket.as_raw_fd(), frame, MsgFlags::empty());
        assert_eq!(sent, Ok(frame.len()), "a frame is sent");
    }

    /// The next frame, if there is one.
    fn receive<'b>(&self, buffer: &'b mut [u8]) -> Option<Frame<'b>> {
        match recvfrom::<LinkAddr>(self.socket.as_raw_fd(), buffer) {
            Ok((length, from)) => {
                // Not what this machine sent, and not what the bridge flooded here.
                let is_mine = from.is_some_and(|from| from.pkttype() == PACKET_HOST);
                Some(Frame { bytes: &buffer[..length], is_mine })
            }
            Err(errno) if io::Error::from(errno).kind() == ErrorKind::WouldBlock => None,
            Err(errno) => panic!("receiving frames: {errno}"),
        }
    }
}

/// A frame that came by.
#[derive(Clone, Copy, Debug)]
struct Frame<'b> {
    bytes: &'b [u8],
    is_mine: bool,
}

impl Frame<'_> {
    /// The packet of a probe that it carries to this machine.
    fn probe(self) -> Option<Sighting> {
        Sighting::of(self.bytes).filter(|_| self.is_mine)
    }
}

/// The router's hardware addresses; places where it has no interface are absent.
pub(super) fn router_macs(lab: &Lab, site: Site, namespace: &str) -> RouterMacs {
    let Some(router) = lab.host().named_namespace(namespace) else { return RouterMacs::new() };
    let places = PUBLIC_VLANS.iter().flat_map(|vlan| [Place::Outside(*vlan), Place::Detour(*vlan)]);
    let places = places.chain(site.tiers().iter().map(|tier| Place::Guests(*tier)));
    let mac = |router: &Sandbox, place| router.run(|| link(&site.interface(place)))?.addr();
    places.filter_map(|place| Some((place, mac(&router, place)?))).collect()
}

fn link(interface: &str) -> Option<LinkAddr> {
    let mut entries = getifaddrs().expect("the interfaces can be listed");
    entries.find_map(|entry| {
        let address = entry.address?;
        (entry.interface_name == interface).then(|| address.as_link_addr().copied())?
    })
}

fn packet_socket(link: &LinkAddr) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll)?;
    setsockopt(&socket, RcvBufForce, &RECEIVE_BUFFER)?;
    bind(socket.as_raw_fd(), link)?;
    Ok(socket)
}
