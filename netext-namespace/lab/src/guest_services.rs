//! The services of a router, used by a guest: DHCP leases, DNS names, metadata and passwords.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::node::Node;

/// The script that udhcpc runs when it has a lease.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/lease");

/// A DHCP lease under udhcpc's names: `ip`, `subnet`, `router`, `dns`, `domain`, `search`, `hostname`, `serverid`,
/// `lease` and every other option that the server sent.
#[derive(Clone, Debug)]
pub struct Lease {
    options: BTreeMap<String, String>,
}

impl Lease {
    /// Reads lines of `name=value`.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        Self { options: lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect() }
    }

    /// The value of an option, if the server sent it.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// Asserts the value of an option; a space separates addresses.
    #[track_caller]
    pub fn with(&self, name: &str, value: &str) -> &Self {
        assert_eq!(self.option(name), Some(value), "{name} of the lease: {:?}", self.options);
        self
    }

    /// Asserts that the server did not send an option.
    #[track_caller]
    pub fn without(&self, name: &str) -> &Self {
        assert_eq!(self.option(name), None, "the lease has a {name}: {:?}", self.options);
        self
    }
}

impl Node {
    /// Gets a lease with udhcpc, asserts its address, and configures the machine with it.
    #[track_caller]
    pub fn takes_lease(&self, address: &str) -> Lease {
        let lease = self.lease();
        lease.with("ip", address);
        let mask: Ipv4Addr = lease.option("subnet").and_then(|mask| mask.parse().ok()).expect("a netmask");
        let prefix = u32::from(mask).leading_ones();
        self.sandbox().ip(&format!("address replace {address}/{prefix} dev eth0\n"));
        if let Some(router) = lease.option("router") {
            self.routes("default", router);
        }
        lease
    }

    /// Asserts that no server offers it a lease.
    #[track_caller]
    pub fn gets_no_lease(&self) {
        self.lease().without("ip");
    }

    /// The lease that udhcpc gets; empty if no server replies.
    fn lease(&self) -> Lease {
        let arguments =
            ["-i", "eth0", "-f", "-n", "-q", "-t", "3", "-T", "1", "-s", SCRIPT, "-O", "search", "-O", "mtu"];
        Lease::parse(&String::from_utf8_lossy(&self.sandbox().output("udhcpc", &arguments).stdout))
    }

    /// A DNS server's answers to a question of dig, such as `web-10` or `-x 10.1.1.10`: sorted lines.
    #[track_caller]
    pub fn digs(&self, server: &str, question: &str) -> String {
        let server = format!("@{server}");
        let mut arguments = vec!["+short", "+time=1", "+tries=2", "+retry=1", &server];
        arguments.extend(question.split(' '));
        let answer = self.sandbox().output("dig", &arguments);
        let answer = String::from_utf8_lossy(&answer.stdout);
        let mut lines: Vec<_> = answer.lines().filter(|line| !line.starts_with(';')).collect();
        lines.sort_unstable();
        lines.join("\n")
    }

    /// A metadata server's response to curl for a path below `/latest`; empty if the request fails.
    #[track_caller]
    pub fn curls(&self, server: &str, path: &str) -> String {
        let url = format!("http://{server}/latest/{path}");
        let answer = self.sandbox().output("curl", &["-s", "-f", "--max-time", "3", &url]);
        String::from_utf8_lossy(&answer.stdout).into_owned()
    }

    /// A password server's response to wget for a request such as `send_my_password`.
    #[track_caller]
    pub fn asks_password_server(&self, server: &str, request: &str) -> String {
        let (header, url) = (format!("DomU_Request: {request}"), format!("http://{server}:8080/"));
        let arguments = ["-q", "-t", "1", "-T", "3", "-O", "-", "--header", &header, &url];
        String::from_utf8_lossy(&self.sandbox().output("wget", &arguments).stdout).trim_end().to_owned()
    }
}
