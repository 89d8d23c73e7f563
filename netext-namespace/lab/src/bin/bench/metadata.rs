//! The speed of the metadata server, against nginx serving the same bytes as a file.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use netext_lab::{Lab, Node, joined};
use serde_json::json;

use crate::clock::{interleave, milliseconds};
use crate::figure::{Figure, FigureTable};

const GUEST: &str = "10.1.1.10";
const ROUTER: &str = "10.1.1.1:80";
const NGINX: &str = "10.1.1.9:80";
const PATH: &str = "/latest/user-data";
/// Connections that send requests at the same time.
const REQUESTERS: usize = 8;

/// Requests over connections that stay open, from one guest, in turns to our server and to nginx on another machine of
/// the same segment.
pub(crate) fn measure(lab: &Lab, table: &mut FigureTable, quick: bool) {
    table.group("metadata", "nginx serving the same bytes");
    let network = lab.network(821).on_vlan("821");
    network.implement();
    let user_data = "#cloud-config\n".repeat(100);
    let vm_data = json!({"vm_data": [{"dir": "userdata", "file": "user_data", "content": user_data}]});
    network.command("save-vm-data", &joined(&network.nic_fields(GUEST), &vm_data)).succeeds_silently();
    let guest = network.guest(GUEST);
    let other = network.guest("10.1.1.9");
    let _nginx = Nginx::start(&other, &user_data);
    let (ours, nginx): (SocketAddr, SocketAddr) =
        (ROUTER.parse().expect("an address"), NGINX.parse().expect("an address"));
    for server in [ours, nginx] {
        assert_eq!(
            Requester::connect(&guest, server).request(),
            user_data.as_bytes(),
            "{server} serves the user data"
        );
    }

    let (rounds, window) = if quick { (9, 100) } else { (31, 200) };
    let window = Duration::from_millis(window);
    let rates = interleave(rounds, |_| rate(&guest, ours, window), |_| rate(&guest, nginx, window));
    table.add(Figure::rate("user data, 8 connections at once", "1/s", rates));
    let [mut one, mut other] = [ours, nginx].map(|server| Requester::connect(&guest, server));
    let latencies = interleave(rounds * 20, |_| latency(&mut one), |_| latency(&mut other));
    table.add(Figure::time("user data, one request at a time", latencies));
    network.destroy();
}

/// Requests per second.
#[expect(clippy::cast_precision_loss, reason = "a rate has no 52 bits of meaning")]
fn rate(guest: &Node, server: SocketAddr, window: Duration) -> f64 {
    let mut requesters: Vec<_> = (0..REQUESTERS).map(|_| Requester::connect(guest, server)).collect();
    let end = Instant::now() + window;
    let answered: usize = std::thread::scope(|scope| {
        let requesting = requesters.iter_mut().map(|requester| {
            scope.spawn(move || {
                let mut answered = 0;
                while Instant::now() < end {
                    requester.request();
                    answered += 1;
                }
                answered
            })
        });
        requesting
            .collect::<Vec<_>>()
            .into_iter()
            .map(|requesting| requesting.join().expect("a requesting thread"))
            .sum()
    });
    answered as f64 / window.as_secs_f64()
}

fn latency(requester: &mut Requester) -> f64 {
    let begun = Instant::now();
    requester.request();
    milliseconds(begun.elapsed())
}

/// A connection that stays open.
struct Requester(BufReader<TcpStream>);

impl Requester {
    fn connect(guest: &Node, server: SocketAddr) -> Self {
        let stream = guest.sandbox().run(|| TcpStream::connect(server)).expect("a server");
        stream.set_nodelay(true).expect("an option of a socket");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("an option of a socket");
        Self(BufReader::new(stream))
    }

    fn request(&mut self) -> Vec<u8> {
        let request = format!("GET {PATH} HTTP/1.1\r\nHost: {ROUTER}\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes()).expect("a server that accepts requests");
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            self.0.read_line(&mut line).expect("a header");
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a body");
        body
    }
}

/// nginx with one worker, like our server with one thread. It ends when it is dropped.
struct Nginx(Child);

impl Nginx {
    fn start(node: &Node, content: &str) -> Self {
        let folder = Path::new("/run/bench-nginx");
        fs::create_dir_all(folder.join("latest")).expect("a folder on the lab's tmpfs");
        fs::write(folder.join("latest/user-data"), content).expect("a file");
        let configuration = "user root;\nworker_processes 1;\ndaemon off;\npid nginx.pid;\nerror_log stderr;\n\
             events {}\nhttp {\naccess_log off;\ntcp_nodelay on;\nkeepalive_requests 100000000;\n\
             open_file_cache off;\nserver { listen 80; root /run/bench-nginx; }\n}\n";
        fs::write(folder.join("nginx.conf"), configuration).expect("a file");
        let arguments = ["-p", "/run/bench-nginx", "-c", "/run/bench-nginx/nginx.conf"];
        let mut command = Command::new("nginx");
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        let child = node.sandbox().run(|| command.spawn()).expect("nginx: run .ci/packages");
        let address = (node.name() + ":80").parse().expect("an address");
        let patience = Instant::now() + Duration::from_secs(5);
        while node.sandbox().run(|| TcpStream::connect_timeout(&address, Duration::from_secs(5))).is_err() {
            assert!(Instant::now() < patience, "nginx does not listen on {address}");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self(child)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
