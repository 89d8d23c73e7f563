//! Traffic through a router, with few firewall rules and with many.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use netext_lab::{Forward, Lab, Network, Node, Rule, SourceNat};
use socket2::SockRef;

use crate::clock::interleave;
use crate::figure::{Figure, FigureTable, Target};
use crate::firewall::fillers;

const BYTES_PORT: u16 = 5001;
pub(crate) const CONNECTIONS_PORT: u16 = 5002;
/// Threads that connect at the same time.
const CALLERS: usize = 1;
const CHUNK: usize = 128 * 1024;

/// A network with its rules, and a guest that serves.
pub(crate) struct Site<'lab> {
    pub(crate) network: Network<'lab>,
    pub(crate) public: &'static str,
    pub(crate) guest: Node,
}

/// Bytes and connections from the upstream to a guest behind a port forward; the last rule allows them.
pub(crate) fn measure(lab: &Lab, table: &mut FigureTable, quick: bool) {
    table.group("traffic through the router", "the same with 5 firewall rules");
    let few = Site::new(lab, 811, "811", "198.51.100.51", 5);
    let many = Site::new(lab, 812, "812", "198.51.100.52", 5_000);
    let (rounds, window) = if quick { (9, 150) } else { (61, 200) };
    let window = Duration::from_millis(window);
    let enough = Target::AtLeast(0.95);

    let bytes = interleave(rounds, |_| many.bytes(lab, window), |_| few.bytes(lab, window));
    table.add(Figure::rate("TCP throughput, 5,000 firewall rules", "Gb/s", bytes).must_reach(enough));
    let calls = interleave(rounds, |_| many.connections(lab, window), |_| few.connections(lab, window));
    table.add(Figure::rate("new TCP connections, 5,000 firewall rules", "1/s", calls).must_reach(enough));

    for site in [&few, &many] {
        site.network.destroy();
    }
}

impl<'lab> Site<'lab> {
    fn new(lab: &'lab Lab, id: u32, vlan: &str, public: &'static str, rules: u32) -> Self {
        let network = lab.network(id).on_vlan(vlan);
        network.implement().assign_ip(public, SourceNat::Yes);
        let ports = format!("{BYTES_PORT}-{CONNECTIONS_PORT}");
        network.add_port_forward(&Forward::tcp(&format!("{public}:{ports}"), &format!("10.1.1.10:{ports}")));
        let last = Rule::ingress(public).protocol("tcp").ports(BYTES_PORT.into(), CONNECTIONS_PORT.into());
        network.apply_firewall(&fillers(public, rules - 1).with(last.from("198.51.100.0/24")));
        let guest = network.guest("10.1.1.10");
        Self { network, public, guest }
    }

    fn target(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.public.parse().expect("an address"), port)
    }

    fn listen(&self, port: u16) -> TcpListener {
        let listener = self.guest.sandbox().run(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)));
        listener.expect("a listening guest")
    }

    /// Gigabits per second of one connection, counted at the receiver.
    #[expect(clippy::cast_precision_loss, reason = "a rate has no 52 bits of meaning")]
    fn bytes(&self, lab: &Lab, window: Duration) -> f64 {
        let (listener, target) = (self.listen(BYTES_PORT), self.target(BYTES_PORT));
        let mut sender = lab.upstream().sandbox().run(|| TcpStream::connect(target)).expect("a way in");
        let (mut receiver, _) = listener.accept().expect("a connection");
        let begun = Instant::now();
        let arrived = std::thread::scope(|scope| {
            let counting = scope.spawn(move || {
                let (mut buffer, mut arrived) = (vec![0; CHUNK], 0);
                while let Ok(length @ 1..) = receiver.read(&mut buffer) {
                    arrived += length;
                }
                arrived
            });
            let chunk = vec![0; CHUNK];
            while begun.elapsed() < window && sender.write_all(&chunk).is_ok() {}
            let _ = sender.shutdown(Shutdown::Write);
            counting.join().expect("a counting thread")
        });
        arrived as f64 * 8.0 / begun.elapsed().as_secs_f64() / 1e9
    }

    /// New connections per second.
    #[expect(clippy::cast_precision_loss, reason = "a rate has no 52 bits of meaning")]
    pub(crate) fn connections(&self, lab: &Lab, window: Duration) -> f64 {
        // Every window starts with an empty table of tracked connections.
        self.network.router().node().sandbox().output("conntrack", &["-F"]);
        let (listener, target) = (self.listen(CONNECTIONS_PORT), self.target(CONNECTIONS_PORT));
        let (ended, made) = (AtomicBool::new(false), AtomicU64::new(0));
        let begun = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| while listener.accept().is_ok() && !ended.load(Ordering::Relaxed) {});
            let callers = [(); CALLERS].map(|()| {
                scope.spawn(|| {
                    lab.upstream()
                        .sandbox()
                        .run(|| made.fetch_add(call(target, begun + window), Ordering::Relaxed))
                })
            });
            for caller in callers {
                caller.join().expect("a calling thread");
            }
            ended.store(true, Ordering::Relaxed);
            // Wakes the thread that waits in accept().
            let _ = SockRef::from(&listener).shutdown(Shutdown::Both);
        });
        made.into_inner() as f64 / window.as_secs_f64()
    }
}

/// Connects and disconnects until the time is over; returns the number of connections.
fn call(target: SocketAddr, end: Instant) -> u64 {
    let mut made = 0;
    while Instant::now() < end {
        // A connection that the rules drop would wait for long; every one must succeed.
        let stream = TcpStream::connect_timeout(&target, Duration::from_secs(2)).expect("a way in");
        // A reset leaves no port in TIME_WAIT.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("an option of a socket");
        made += 1;
    }
    made
}
