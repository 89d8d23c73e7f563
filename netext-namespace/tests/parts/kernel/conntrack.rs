//! Cutting tracked connections: real flows through a router, looked at with `conntrack`.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use crate::throwaway::{apply, host, machine, router, router_name, sh};
use netext_namespace::kernel::conntrack::cut;
use netext_namespace::kernel::namespace::Namespace;
use netext_namespace::kernel::nft::run;
use netext_namespace::plan::FlowMatch;

const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const GUEST: Ipv4Addr = Ipv4Addr::new(10, 1, 1, 5);
const UPSTREAM: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

const NAT: &str = "table ip netext {
    chain in { type nat hook prerouting priority dstnat; ip daddr 203.0.113.10 udp dport 8000-8010 dnat to 10.1.1.5; }
    chain out { type nat hook postrouting priority srcnat; ip saddr 10.1.1.0/24 oifname \"vpn-50-42\" snat to 203.0.113.10; }
}";

struct Scene {
    router: Namespace,
    guest: Namespace,
    upstream: Namespace,
}

impl Scene {
    /// A guest behind a router that translates for it, and a machine on the public side.
    fn new() -> Self {
        host();
        apply(&router()).unwrap();
        let router = Namespace::open(&router_name()).unwrap().unwrap();
        run(&router, NAT, Instant::now() + Duration::from_secs(20)).unwrap();
        let guest = machine("guest", "breth1-100", "10.1.1.5", "10.1.1.1");
        let upstream = machine("upstream", "breth1-50", "203.0.113.1", "203.0.113.10");
        Self { router, guest, upstream }
    }

    /// Sends a datagram from one machine to another, as the other sees it arrive.
    fn send(from: &Namespace, to: &Namespace, addressed: (Ipv4Addr, u16), port: u16) {
        let receiver = to.enter(|| UdpSocket::bind(("0.0.0.0", port))).unwrap().unwrap();
        receiver.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let sender = from.enter(|| UdpSocket::bind("0.0.0.0:0")).unwrap().unwrap();
        sender.send_to(b"hello", addressed).unwrap();
        receiver.recv_from(&mut [0; 16]).expect("the datagram arrives");
    }

    fn inbound(&self, port: u16) {
        Self::send(&self.upstream, &self.guest, (PUBLIC, port), port);
    }

    fn outbound(&self, port: u16) {
        Self::send(&self.guest, &self.upstream, (UPSTREAM, port), port);
    }

    fn flows(&self) -> Vec<String> {
        let table = self.router.enter(|| sh("conntrack -L -f ipv4 -p udp 2>/dev/null")).unwrap();
        table.lines().map(str::to_owned).collect()
    }
}

#[test]
fn only_the_flows_that_match_are_cut() {
    let scene = Scene::new();
    for port in [8000, 8005, 8010] {
        scene.inbound(port);
    }
    scene.outbound(53);
    assert_eq!(scene.flows().len(), 4);

    let forward = FlowMatch {
        original_destination: Some(PUBLIC),
        reply_source: Some(GUEST.into()),
        protocol: Some(17),
        original_destination_ports: Some(8000..=8005),
        ..FlowMatch::default()
    };
    let tcp = FlowMatch { protocol: Some(6), ..forward.clone() };
    assert_eq!(cut(&scene.router, &[tcp]).unwrap(), 0);
    assert_eq!(cut(&scene.router, std::slice::from_ref(&forward)).unwrap(), 2);
    let left = scene.flows();
    assert!(left.len() == 2 && !left.iter().any(|flow| flow.contains("dport=8000 ")), "{left:?}");
    assert_eq!(cut(&scene.router, &[forward]).unwrap(), 0);

    let left_by_the_address = FlowMatch { reply_destination: Some(PUBLIC), ..FlowMatch::default() };
    let addressed = FlowMatch { original_destination: Some(PUBLIC), ..FlowMatch::default() };
    assert_eq!(cut(&scene.router, &[left_by_the_address, addressed]).unwrap(), 2);
    assert_eq!(scene.flows(), [""; 0]);
}

#[test]
fn an_empty_match_matches_nothing() {
    let scene = Scene::new();
    scene.outbound(53);
    assert_eq!(cut(&scene.router, &[]).unwrap(), 0);
    assert_eq!(cut(&scene.router, &[FlowMatch::default()]).unwrap(), 0);
    assert_eq!(scene.flows().len(), 1);
}

#[test]
fn flows_of_any_zone_are_cut() {
    let scene = Scene::new();
    let zone = "table ip zones { chain raw { type filter hook prerouting priority raw; udp dport 53 ct zone set 7; }; }";
    run(&scene.router, zone, Instant::now() + Duration::from_secs(20)).unwrap();
    scene.outbound(53);
    assert!(scene.flows()[0].contains("zone=7"));
    let from_the_guest = FlowMatch { original_source: Some(GUEST.into()), ..FlowMatch::default() };
    assert_eq!(cut(&scene.router, &[from_the_guest]).unwrap(), 1);
    assert_eq!(scene.flows(), [""; 0]);
}

#[test]
fn a_large_table_is_cut_to_the_last_flow() {
    let scene = Scene::new();
    let sender = scene.guest.enter(|| UdpSocket::bind("0.0.0.0:4000")).unwrap().unwrap();
    for port in 10_000..30_000_u16 {
        sender.send_to(b"x", (UPSTREAM, port)).unwrap();
    }
    let before = scene.flows().len();
    assert!(before > 10_000, "{before}");
    let from_the_guest = FlowMatch { original_source: Some(GUEST.into()), ..FlowMatch::default() };
    assert_eq!(cut(&scene.router, &[from_the_guest]).unwrap(), before);
    assert_eq!(scene.flows(), [""; 0]);
}
