//! Servers of the lab: they greet every client with the address that they see, then echo.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;

use crate::sandbox::Sandbox;

/// A server that runs until it is dropped, and remembers its clients.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    state: Arc<ListenerState>,
    tcp: Option<TcpListener>,
}

/// How a TCP server learns the address of its client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ClientSource {
    /// From the connection.
    #[default]
    Peer,
    /// From the PROXY header (version 1) that comes first on each connection.
    ProxyHeader,
}

#[derive(Debug, Default)]
struct ListenerState {
    name: String,
    client: ClientSource,
    ended: AtomicBool,
    seen: Mutex<Vec<IpAddr>>,
    streams: Mutex<Vec<TcpStream>>,
}

impl Listener {
    #[track_caller]
    pub(crate) fn tcp(sandbox: &Sandbox, name: &str, address: SocketAddr, client: ClientSource) -> Self {
        let listener = sandbox.run(|| TcpListener::bind(address));
        let listener = listener.unwrap_or_else(|error| panic!("{name} listens on tcp {address}: {error}"));
        let state = Arc::new(ListenerState { name: name.to_owned(), client, ..ListenerState::default() });
        let accepting = listener.try_clone().expect("a second handle of a socket");
        let of_thread = Arc::clone(&state);
        std::thread::spawn(move || of_thread.accept(&accepting));
        Self { address, state, tcp: Some(listener) }
    }

    #[track_caller]
    pub(crate) fn udp(sandbox: &Sandbox, name: &str, address: SocketAddr) -> Self {
        let socket = sandbox.run(|| UdpSocket::bind(address));
        let socket = socket.unwrap_or_else(|error| panic!("{name} listens on udp {address}: {error}"));
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout on a socket");
        let state = Arc::new(ListenerState { name: name.to_owned(), ..ListenerState::default() });
        let of_thread = Arc::clone(&state);
        std::thread::spawn(move || of_thread.answer(&socket));
        Self { address, state, tcp: None }
    }

    /// The addresses of this server's clients so far, in the order of arrival.
    pub fn seen(&self) -> Vec<String> {
        let seen = self.state.seen.lock().expect("no panic while held");
        seen.iter().map(ToString::to_string).collect()
    }

    /// Asserts that no client reached this server so far.
    #[track_caller]
    pub fn saw_no_client(&self) {
        let seen = self.seen();
        assert!(seen.is_empty(), "{} port {} was reached by {seen:?}", self.state.name, self.address.port());
    }
}

impl ListenerState {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        while let Ok((stream, peer)) = listener.accept() {
            self.seen.lock().expect("no panic while held").push(peer.ip());
            let Ok(second) = stream.try_clone() else { return };
            self.streams.lock().expect("no panic while held").push(second);
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            let state = Arc::clone(self);
            std::thread::spawn(move || state.echo(stream, peer));
        }
    }

    fn echo(&self, mut stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let peer = match self.client {
            ClientSource::Peer => Some(peer),
            ClientSource::ProxyHeader => proxied(&mut stream),
        };
        let Some(peer) = peer else { return };
        if stream.write_all(self.greeting(peer).as_bytes()).is_err() {
            return;
        }
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            if stream.write_all(&buffer[..length]).is_err() {
                return;
            }
        }
        // The handle among `streams` would keep it half open.
        let _ = stream.shutdown(std::net::Shutdown::Both);
    }

    fn answer(&self, socket: &UdpSocket) {
        let mut buffer = [0; 512];
        while !self.ended.load(Ordering::SeqCst) {
            if let Ok((_, peer)) = socket.recv_from(&mut buffer) {
                self.seen.lock().expect("no panic while held").push(peer.ip());
                let _ = socket.send_to(self.greeting(peer).as_bytes(), peer);
            }
        }
    }

    fn greeting(&self, peer: SocketAddr) -> String {
        format!("{} {}\n", peer.ip().to_canonical(), self.name)
    }
}

/// The client that a header such as `PROXY TCP4 203.0.113.5 198.51.100.10 40000 80` names.
fn proxied(stream: &mut TcpStream) -> Option<SocketAddr> {
    let mut header = Vec::new();
    let mut byte = [0];
    // The longest header has 107 bytes.
    while !header.ends_with(b"\r\n") && header.len() < 107 {
        stream.read_exact(&mut byte).ok()?;
        header.push(byte[0]);
    }
    let header = String::from_utf8(header).ok()?;
    let words: Vec<_> = header.split_whitespace().collect();
    match words.as_slice() {
        ["PROXY", "TCP4", client, _, port, _] => {
            Some(SocketAddr::new(client.parse().ok()?, port.parse().ok()?))
        }
        _ => None,
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        if let Some(listener) = &self.tcp {
            // Wakes the thread that waits in accept().
            let _ = SockRef::from(listener).shutdown(std::net::Shutdown::Both);
        }
        let streams = self.state.streams.lock().map(|mut held| std::mem::take(&mut *held));
        for stream in streams.unwrap_or_default() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}
