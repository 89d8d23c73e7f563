//! The clients that a guest has: for leases, names, metadata and passwords.

use std::net::Ipv4Addr;

use crate::instance::Lease;
use crate::network::Network;
use crate::node::Node;

/// What udhcpc runs when it has a lease.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/lease");

impl Network<'_> {
    /// An instance on the network's bridge that knows nothing but its MAC.
    #[track_caller]
    pub fn bare_guest(&self, mac: &str) -> Node {
        let guest = self.lab.plug(&self.bridge(), &[]);
        guest.place().ip(&format!("link set eth0 down\nlink set eth0 address {mac}\nlink set eth0 up\n"));
        guest
    }
}

impl Node {
    /// Asks for a lease with udhcpc, asserts the address that it is given, and configures the machine with it.
    #[track_caller]
    pub fn takes_lease(&self, address: &str) -> Lease {
        let lease = self.lease();
        lease.with("ip", address);
        let mask: Ipv4Addr = lease.option("subnet").and_then(|mask| mask.parse().ok()).expect("a netmask");
        let prefix = u32::from(mask).leading_ones();
        self.place().ip(&format!("address replace {address}/{prefix} dev eth0\n"));
        if let Some(router) = lease.option("router") {
            self.routes("default", router);
        }
        lease
    }

    /// Asserts that nobody gives it a lease.
    #[track_caller]
    pub fn gets_no_lease(&self) {
        self.lease().without("ip");
    }

    /// What udhcpc is given; nothing if nobody answers.
    fn lease(&self) -> Lease {
        let arguments =
            ["-i", "eth0", "-f", "-n", "-q", "-t", "3", "-T", "1", "-s", SCRIPT, "-O", "search", "-O", "mtu"];
        Lease::parse(&String::from_utf8_lossy(&self.place().output("udhcpc", &arguments).stdout))
    }

    /// What dig is answered by a server for a question, such as `web-10` or `-x 10.1.1.10`: a line each, sorted.
    #[track_caller]
    pub fn digs(&self, server: &str, question: &str) -> String {
        let server = format!("@{server}");
        let mut arguments = vec!["+short", "+time=1", "+tries=2", "+retry=1", &server];
        arguments.extend(question.split(' '));
        let answer = self.place().output("dig", &arguments);
        let answer = String::from_utf8_lossy(&answer.stdout);
        let mut lines: Vec<_> = answer.lines().filter(|line| !line.starts_with(';')).collect();
        lines.sort_unstable();
        lines.join("\n")
    }

    /// What curl gets from a metadata server for a path below `/latest`; nothing if it is refused or not answered.
    #[track_caller]
    pub fn curls(&self, server: &str, path: &str) -> String {
        let url = format!("http://{server}/latest/{path}");
        let answer = self.place().output("curl", &["-s", "-f", "--max-time", "3", &url]);
        String::from_utf8_lossy(&answer.stdout).into_owned()
    }

    /// What wget gets from a password server for a request, such as `send_my_password`.
    #[track_caller]
    pub fn asks_password_server(&self, server: &str, request: &str) -> String {
        let (header, url) = (format!("DomU_Request: {request}"), format!("http://{server}:8080/"));
        let arguments = ["-q", "-t", "1", "-T", "3", "-O", "-", "--header", &header, &url];
        String::from_utf8_lossy(&self.place().output("wget", &arguments).stdout).trim_end().to_owned()
    }
}
