//! A host to throw away: a private mount and network namespace for the thread of one test.
//!
//! Tests run side by side, do not see each other's interfaces, and leave nothing behind. They check results with
//! independent tools.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netext_namespace::daemons::{self, DaemonError};
use netext_namespace::drift::{Difference, Pass};
use netext_namespace::kernel::links::{self, LinkError};
use netext_namespace::kernel::namespace::Namespace;
use netext_namespace::model::{InterfaceName, NamespaceName};
use netext_namespace::plan::{
    BridgePlan, Daemon, DaemonPlan, DefaultRoute, InterfacePlan, LinkPlan, NamespacePlan, RoutingPlan, Uplink,
};
use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};

/// Moves this thread to a host of its own.
pub(crate) fn host() {
    let private = unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS);
    assert!(private.is_ok(), "this test makes network namespaces and needs root: {private:?}");
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .expect("make mounts private");
    fs::create_dir_all("/run/netns").expect("create /run/netns");
    mount("tmpfs", "/run/netns", "tmpfs", MountFlags::empty(), None).expect("mount /run/netns");
    sh("ip link set lo up");
}

/// Late enough for everything.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// Runs a command, which must succeed, and returns what it printed.
pub(crate) fn sh(command: &str) -> String {
    let (success, output) = try_sh(command);
    assert!(success, "{command}\n{output}");
    output
}

/// Runs a command and returns whether it succeeded and what it printed.
pub(crate) fn try_sh(command: &str) -> (bool, String) {
    let output =
        Command::new("sh").arg("-c").arg(format!("exec 2>&1; {command}")).output().expect("start sh");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

pub(crate) fn name(name: &str) -> InterfaceName {
    name.parse().expect("a name of an interface")
}

pub(crate) fn router_name() -> NamespaceName {
    "cs-net-42".parse().expect("a name of a namespace")
}

pub(crate) fn bridge(bridge: &str) -> BridgePlan {
    BridgePlan { name: name(bridge), uplink: Uplink::HostLocal }
}

pub(crate) const GUEST_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub(crate) const PUBLIC_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];

fn interface(names: [&str; 3], mac: [u8; 6], addresses: &[&str]) -> InterfacePlan {
    let [inside, peer, bridge] = names.map(name);
    let addresses = addresses.iter().map(|address| address.parse().expect("an address"));
    InterfacePlan { name: inside, peer, bridge, mac, addresses: addresses.collect(), announce: true }
}

/// A router with a guest side and a public side, each on a bridge of the host alone.
pub(crate) fn router() -> LinkPlan {
    let guest =
        interface(["vn-100-42", "vh-100-42", "breth1-100"], GUEST_MAC, &["10.1.1.1/24", "fd00:1::1/64"]);
    let public = interface(["vpn-50-42", "vph-50-42", "breth1-50"], PUBLIC_MAC, &["203.0.113.10/24"]);
    LinkPlan {
        bridges: vec![bridge("breth1-100"), bridge("breth1-50")],
        namespace: Some(NamespacePlan {
            name: router_name(),
            forwarding: true,
            interfaces: vec![guest, public],
            default_route: Some(DefaultRoute {
                gateway: "203.0.113.1".parse().expect("an address"),
                interface: name("vpn-50-42"),
            }),
            routing: RoutingPlan::default(),
        }),
    }
}

/// Makes links match a plan, with the namespace that they need, and returns the differences.
pub(crate) fn apply(plan: &LinkPlan) -> Result<Vec<Difference>, LinkError> {
    go_over(plan, Pass::repair())
}

/// The differences that would be repaired.
pub(crate) fn rehearse(plan: &LinkPlan) -> Result<Vec<Difference>, LinkError> {
    go_over(plan, Pass::rehearsal())
}

fn go_over(plan: &LinkPlan, mut pass: Pass) -> Result<Vec<Difference>, LinkError> {
    let namespace = plan.namespace.as_ref().map(|router| Namespace::ensure(&router.name, soon(), &mut pass));
    links::apply(plan, namespace.transpose()?.as_ref(), &mut pass)?;
    Ok(pass.into_differences())
}

/// Deletes a router's links and namespace.
pub(crate) fn remove(name: &NamespaceName, peers: &[InterfaceName]) -> Result<(), LinkError> {
    links::remove(name, peers, &mut Pass::command()).into_iter().next().map_or(Ok(()), Err)
}

/// The router of a plan, to be changed.
pub(crate) fn inside(plan: &mut LinkPlan) -> &mut NamespacePlan {
    plan.namespace.as_mut().expect("the plan has a router")
}

pub(crate) fn peers() -> [InterfaceName; 2] {
    [name("vh-100-42"), name("vph-50-42")]
}

/// The addresses of a router's interface, as `ip` shows them, without link-local ones.
pub(crate) fn addresses(interface: &str) -> BTreeSet<String> {
    let shown = sh(&format!("ip -n cs-net-42 -o address show dev {interface}"));
    let words = shown.lines().filter_map(|line| line.split_whitespace().nth(3));
    words.filter(|address| !address.starts_with("fe80")).map(str::to_owned).collect()
}

/// The changes on the host and in the router's namespace that the kernel reports while `run` runs.
pub(crate) fn changes_during(run: impl FnOnce()) -> String {
    let monitors = ["monitor link address route rule", "-n cs-net-42 monitor link address route rule"].map(
        |arguments| {
            let mut command = Command::new("ip");
            command.args(arguments.split(' ')).stdout(Stdio::piped()).spawn().expect("start ip monitor")
        },
    );
    // Long enough for the monitors to listen, and for the kernel to settle the state of new links.
    thread::sleep(Duration::from_millis(1500));
    // Marks that both monitors show separate earlier changes from those of this run.
    mark("before");
    run();
    mark("after");
    let outputs = monitors.map(|mut monitor| {
        thread::sleep(Duration::from_millis(200));
        monitor.kill().expect("stop ip monitor");
        let output = monitor.wait_with_output().expect("read ip monitor");
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = output.lines().skip_while(|line| !line.contains("192.0.2.251"));
        let lines = lines.take_while(|line| !line.contains("192.0.2.252"));
        // A mark is an address and a route in the table `local`.
        lines
            .filter(|line| !line.contains("192.0.2.251") && !line.contains("valid_lft"))
            .collect::<Vec<_>>()
            .join("\n")
    });
    outputs.concat()
}

fn mark(when: &str) {
    let address = if when == "before" { "192.0.2.251" } else { "192.0.2.252" };
    sh(&format!("ip address add {address}/32 dev lo && ip -n cs-net-42 address add {address}/32 dev lo"));
}

/// A machine on one of the host's bridges: a namespace with one interface, `eth0`.
pub(crate) fn machine(name: &str, bridge: &str, address: &str, gateway: &str) -> Namespace {
    sh(&format!(
        "ip netns add {name} && ip link add tap-{name} type veth peer name eth0 netns {name} && \
         ip link set tap-{name} master {bridge} up && ip -n {name} link set eth0 up && \
         ip -n {name} address add {address}/24 dev eth0 && ip -n {name} route add default via {gateway} && \
         until ip link show tap-{name} | grep -q 'state UP'; do sleep 0.01; done"
    ));
    let name = name.parse().expect("a name of a namespace");
    Namespace::open(&name).expect("open the machine's namespace").expect("the machine's namespace")
}

/// Makes the daemons in a namespace match their plans, and stops the others of those that are known.
pub(crate) fn apply_daemons(
    namespace: &Namespace,
    plans: Vec<DaemonPlan>,
    known: Vec<Daemon>,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<(), DaemonError> {
    daemons::stage(plans, known, &[], pass)?
        .apply(namespace, deadline, pass)?
        .complete(namespace, deadline, pass)
}
