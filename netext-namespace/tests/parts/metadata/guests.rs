//! Guests of a router that serves metadata: the real server on a disposable host, and small clients.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use netext_namespace::metadata::Instances;
use netext_namespace::metadata::server::{MetadataServerConfiguration, ServedTier};
use netext_protocol::VmDataEntry;
use rustix::process::{Pid, Signal, kill_process};
use socket2::{Domain, Socket, Type};

/// The router's address in the guest network.
pub(crate) const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 1, 1, 1);
pub(crate) const GUEST: Ipv4Addr = Ipv4Addr::new(10, 1, 1, 10);
pub(crate) const OTHER_GUEST: Ipv4Addr = Ipv4Addr::new(10, 1, 1, 11);

/// A server that ends with the test, and its folder.
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    tiers: Vec<ServedTier>,
}

pub(crate) fn entry(dir: &str, file: &str, content: &str) -> VmDataEntry {
    VmDataEntry::new(dir.to_owned(), file.to_owned()).content(content)
}

/// A folder of this test's own.
pub(crate) fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("netext-guests-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).expect("create a folder");
    folder
}

pub(crate) fn serve_metadata(configuration: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netext-namespace"));
    command.arg("serve-metadata").arg(configuration).stdin(Stdio::null());
    command
}

impl Server {
    /// Serves one guest network on the loopback interface, where all of 10.1.1.0/24 is.
    pub(crate) fn start() -> Self {
        crate::throwaway::sh("ip address add 10.1.1.1/24 dev lo");
        Self::start_on(&[(ROUTER, "lo")])
    }

    pub(crate) fn start_on(tiers: &[(Ipv4Addr, &str)]) -> Self {
        let folder = folder();
        let tiers: Vec<_> =
            tiers.iter().map(|(address, interface)| tier(&folder, *address, interface)).collect();
        write_configuration(&folder, &tiers);
        let mut child = serve_metadata(&folder.join(MetadataServerConfiguration::FILE))
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the server");
        let mut said = String::new();
        // The end of the file as well: the server has closed the stream.
        child.stdout.take().expect("its stdout").read_to_string(&mut said).expect("read its stdout");
        assert_eq!(said, "ready\n");
        Self { child, folder, tiers }
    }

    /// The instances of the first guest network.
    pub(crate) fn instances(&self) -> Instances {
        self.instances_of(0)
    }

    pub(crate) fn instances_of(&self, tier: usize) -> Instances {
        Instances::in_folder(&self.tiers[tier].folder)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).expect("read the log")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("send a signal");
    }

    /// Replaces the guest networks that are served.
    pub(crate) fn reload(&mut self, tiers: &[(Ipv4Addr, &str)]) {
        let seen = self.log().matches("read again").count();
        self.tiers =
            tiers.iter().map(|(address, interface)| tier(&self.folder, *address, interface)).collect();
        write_configuration(&self.folder, &self.tiers);
        self.signal(Signal::HUP);
        until("the configuration is read again", || self.log().matches("read again").count() > seen);
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("wait for the server")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn tier(folder: &Path, address: Ipv4Addr, interface: &str) -> ServedTier {
    ServedTier {
        address,
        interface: Some(interface.to_owned()),
        folder: folder.join(format!("network-{address}/metadata")),
    }
}

pub(crate) fn write_configuration(folder: &Path, tiers: &[ServedTier]) {
    let configuration = MetadataServerConfiguration { tiers: tiers.to_vec(), log: Some(folder.join("log")) };
    let json = serde_json::to_vec(&configuration).expect("a configuration");
    fs::write(folder.join(MetadataServerConfiguration::FILE), json).expect("write the configuration");
}

pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) header: String,
    pub(crate) body: Vec<u8>,
}

impl HttpResponse {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }
}

/// A connection of a guest.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(guest: Ipv4Addr, router: Ipv4Addr, port: u16) -> std::io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddrV4::new(guest, 0).into())?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        socket.connect(&SocketAddrV4::new(router, port).into())?;
        Ok(Self(BufReader::new(socket.into())))
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Reads a response; `None` if the connection was closed instead.
    pub(crate) fn answer(&mut self, to_head: bool) -> Option<HttpResponse> {
        let mut header = String::new();
        loop {
            let before = header.len();
            match self.0.read_line(&mut header) {
                Ok(0) | Err(_) => return None,
                Ok(_) if &header[before..] == "\r\n" => break,
                Ok(_) => {}
            }
        }
        let status = header[9..12].parse().expect("a status");
        let length = header.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().expect("a length"))
        });
        let mut body = vec![0; if to_head { 0 } else { length.unwrap_or(0) }];
        self.0.read_exact(&mut body).expect("read the body");
        Some(HttpResponse { status, header, body })
    }

    /// Sends a request and reads the response.
    pub(crate) fn ask(&mut self, method: &str, path: &str, header: &str) -> Option<HttpResponse> {
        self.send(format!("{method} {path} HTTP/1.1\r\nHost: data-server\r\n{header}\r\n").as_bytes())
            .ok()?;
        self.answer(method == "HEAD")
    }

    /// Waits until the server closes the connection; false if it does not.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        // A reset counts as closed, the client's timeout does not.
        match self.0.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    pub(crate) fn read_some(&mut self, bytes: &mut [u8]) -> usize {
        // A read with a timeout is interrupted if the process is stopped for a moment.
        loop {
            match self.0.read(bytes) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                read => return read.expect("read"),
            }
        }
    }

    pub(crate) fn read_to_end(mut self) -> Vec<u8> {
        let mut all = Vec::new();
        self.0.read_to_end(&mut all).expect("read to the end");
        all
    }
}

/// Requests a path on port 80 over a connection of its own.
pub(crate) fn get(guest: Ipv4Addr, path: &str) -> HttpResponse {
    let mut connection = Connection::open(guest, ROUTER, 80).expect("connect");
    connection.ask("GET", path, "Connection: close\r\n").expect("an answer")
}

/// Sends a request to the password server.
pub(crate) fn password(guest: Ipv4Addr, header: &str) -> String {
    let mut connection = Connection::open(guest, ROUTER, 8080).expect("connect");
    let answer = connection.ask("GET", "/", &format!("{header}\r\n")).expect("an answer");
    assert_eq!(answer.status, 200);
    answer.text().to_owned()
}
