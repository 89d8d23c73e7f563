//! Instances of the lab are machines: they boot, run scripts, and configure themselves from the network.

use std::process::{Child, Command, Stdio};

use netext_lab::{Instance, Lab, Node};

const BRIDGE: &str = "brnone-1910";
const MAC: &str = "02:01:00:d1:00:0a";

#[test]
fn an_instance_runs_scripts_and_leaves_nothing_behind() {
    let lab = Lab::without_extension();
    let guest = lab.plug(BRIDGE, &["10.1.1.11/24"]);
    let instance = lab.instance(BRIDGE, "web-10", MAC);
    assert_eq!(instance.runs("hostname; cat /sys/class/net/eth0/address"), format!("web-10\n{MAC}\n"));
    let ran = instance.tries(r"printf 'a\000\377'; echo oops >&2; exit 3");
    assert_eq!((ran.code, ran.output.as_slice(), ran.errors.as_str()), (3, &b"a\0\xff"[..], "oops\n"));
    assert_eq!(instance.runs("head -c 100000 /dev/zero | tr '\\0' x").len(), 100_000);
    let console = instance.console();
    assert!(console.contains("+ printf 'a") && console.contains("oops"), "{console}");

    instance.takes_address("10.1.1.10/24", "10.1.1.1");
    reaches_and_is_reached(&instance, &guest);

    drop(instance);
    guest.cannot_connect_to("10.1.1.10:22");
    let left: Vec<_> = lab.processes();
    assert!(left.is_empty(), "{left:?}");
    assert!(!lab.has_interface("lab2"), "the tap device is deleted with the machine");
}

fn reaches_and_is_reached(instance: &Instance, guest: &Node) {
    let _web = guest.listen_tcp(80);
    instance.connects_to("10.1.1.11:80").seen_as("10.1.1.10").answered_by("10.1.1.11");
    instance.cannot_connect_to("10.1.1.11:81");
    instance.pings("10.1.1.11");
    instance.listens_tcp(22);
    guest.connects_to("10.1.1.10:22").seen_as("10.1.1.11").answered_by("web-10");
    let (mut one, mut other) = (guest.talks_to("10.1.1.10:22"), guest.talks_to("10.1.1.10:22"));
    one.goes_on();
    other.goes_on();
}

#[test]
fn an_instance_configures_itself_from_the_network() {
    let lab = Lab::without_extension();
    let server = lab.plug(BRIDGE, &["10.1.1.1/24", "2001:db8:1::1/64"]);
    let mut dnsmasq = dnsmasq(
        &server,
        &[
            "--dhcp-range=10.1.1.0,static,255.255.255.0",
            "--dhcp-host=02:01:00:d1:00:0a,10.1.1.10,web-1",
            "--dhcp-option=option:dns-server,10.1.1.1,198.51.100.53",
            "--dhcp-option=option:domain-search,cs1.internal",
            "--dhcp-range=2001:db8:1::,ra-only",
            "--enable-ra",
        ],
    );
    let instance = lab.instance(BRIDGE, "image", MAC);
    let lease = instance.takes_lease("10.1.1.10");
    lease.with("router", "10.1.1.1").with("subnet", "255.255.255.0").with("search", "cs1.internal");
    lease.with("dns", "10.1.1.1 198.51.100.53").with("hostname", "web-1").without("staticroutes");
    let resolvers = "search cs1.internal\nnameserver 10.1.1.1\nnameserver 198.51.100.53\n";
    assert_eq!(instance.runs("cat /etc/resolv.conf; hostname"), format!("{resolvers}web-1\n"));
    assert!(instance.runs("ip route").contains("default via 10.1.1.1 dev eth0"));

    instance.configures_itself("2001:db8:1:0:1:ff:fed1:a");
    instance.listens_tcp(22);
    server.connects_to("[2001:db8:1:0:1:ff:fed1:a]:22").seen_as("2001:db8:1::1").answered_by("web-1");

    dnsmasq.kill().expect("a running dnsmasq");
    dnsmasq.wait().expect("a child");
    instance.gets_no_lease();
}

/// A DHCP server on `node`; it ends with the lab.
fn dnsmasq(node: &Node, options: &[&str]) -> Child {
    let plain = ["--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0"];
    let own = ["--leasefile-ro", "--pid-file=", "--user=root", "--log-facility=-"];
    let mut command = Command::new("dnsmasq");
    command.args(plain).args(own).args(options).stdin(Stdio::null()).stderr(Stdio::null());
    node.sandbox().run(|| command.spawn()).expect("dnsmasq runs (of Debian's dnsmasq-base)")
}
