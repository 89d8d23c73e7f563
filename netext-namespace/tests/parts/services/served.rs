//! A router that serves guests, and guests with common clients, on a disposable host.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use netext_namespace::compile::services::{
    AdvertisedPrefix, DaemonAccounts, GuestServices, Reservation, service_daemons, services,
};
use netext_namespace::daemons::{self, DaemonError, DaemonSearch};
use netext_namespace::drift::Pass;
use netext_namespace::kernel::namespace::Namespace;
use netext_namespace::model::ServedRange;
use netext_namespace::plan::{DaemonAccount, DaemonPlan};
use netext_protocol::NetworkId;
use rustix::mount::{MountFlags, mount};

pub(crate) use crate::throwaway::soon;
use crate::throwaway::{apply, apply_daemons, host, name, router, router_name, sh, try_sh};

/// A network with all services and no instances.
pub(crate) fn network() -> GuestServices {
    GuestServices {
        network: NetworkId::new(42),
        interface: name("vn-100-42"),
        ranges: vec![ServedRange {
            subnet: "10.1.1.0/24".parse().unwrap(),
            gateway: Some("10.1.1.1".parse().unwrap()),
            address: "10.1.1.1".parse().unwrap(),
        }],
        dhcp: true,
        dns: true,
        resolvers: vec!["192.0.2.53".parse().unwrap(), "192.0.2.54".parse().unwrap()],
        domain: Some("cs42.example".parse().unwrap()),
        reservations: BTreeMap::new(),
        records: BTreeMap::new(),
        ipv6: Some(AdvertisedPrefix {
            gateway: "fd00:1::1".parse().unwrap(),
            prefix: "fd00:1::1/64".parse().unwrap(),
        }),
        dns6: vec!["2001:db8::53".parse().unwrap()],
    }
}

pub(crate) fn reservation(ip: &str, hostname: &str) -> Reservation {
    Reservation {
        ip: ip.parse().unwrap(),
        hostname: Some(hostname.parse().unwrap()),
        is_unnamed: false,
        default_nic: true,
        options: BTreeMap::new(),
    }
}

/// Reserves an address and answers the name for it.
pub(crate) fn admit(network: &mut GuestServices, mac: &str, ip: &str, hostname: &str) {
    network.reservations.insert(mac.parse().unwrap(), reservation(ip, hostname));
    network.records.insert(ip.parse().unwrap(), hostname.parse().unwrap());
}

pub(crate) fn accounts_of_debian() -> DaemonAccounts {
    let account = |user: &str| DaemonAccount { user: user.into(), group: "nogroup".into(), group_id: 65534 };
    DaemonAccounts { dnsmasq: account("dnsmasq"), radvd: account("radvd") }
}

pub(crate) const FOLDER: &str = "/mnt/network-42";

/// The router that serves the network.
pub(crate) struct Served {
    pub(crate) namespace: Namespace,
}

impl Served {
    /// A router with its links, on a host of its own.
    pub(crate) fn boot() -> Self {
        for program in ["dnsmasq", "radvd", "udhcpc", "dhclient", "dhcpcd", "dig", "rdisc6"] {
            assert!(try_sh(&format!("command -v {program}")).0, "{program} is missing: run .ci/packages");
        }
        host();
        mount("tmpfs", "/mnt", "tmpfs", MountFlags::empty(), None).unwrap();
        fs::create_dir(FOLDER).unwrap();
        for folder in ["/mnt", FOLDER] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).unwrap();
        }
        apply(&router()).unwrap();
        let namespace = Namespace::open(&router_name()).unwrap().unwrap();
        Self { namespace }
    }

    pub(crate) fn plans(guest: &GuestServices) -> Vec<DaemonPlan> {
        let accounts = DaemonAccounts {
            dnsmasq: daemons::account("dnsmasq").unwrap(),
            radvd: daemons::account("radvd").unwrap(),
        };
        services(guest, Path::new(FOLDER), &accounts)
    }

    pub(crate) fn try_apply(&self, plans: &[DaemonPlan]) -> Result<(), DaemonError> {
        let known = service_daemons(NetworkId::new(42), Path::new(FOLDER));
        apply_daemons(&self.namespace, plans.to_vec(), known.into(), soon(), &mut Pass::command())
    }

    pub(crate) fn serve(&self, guest: &GuestServices) {
        self.try_apply(&Self::plans(guest)).unwrap();
    }

    pub(crate) fn serve_nothing(&self) {
        self.try_apply(&[]).unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let known = service_daemons(NetworkId::new(42), Path::new(FOLDER));
        let _ = daemons::stop(&known, DaemonSearch::default(), soon(), &mut Pass::command());
    }
}

pub(crate) fn file(daemon: &str, file: &str) -> PathBuf {
    Path::new(FOLDER).join(daemon).join(file)
}

/// The process id in a daemon's pid file.
pub(crate) fn pid(daemon: &str) -> u32 {
    let text = fs::read_to_string(file(daemon, &format!("{daemon}.pid"))).unwrap();
    text.trim().parse().unwrap()
}

pub(crate) fn is_alive(pid: u32) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}

/// A guest on the network's bridge: a namespace with `eth0`, without an address.
pub(crate) fn guest(name: &str, mac: &str) {
    sh(&format!(
        "ip netns add {name} && ip link add tap-{name} type veth peer name eth0 netns {name} && \
         ip link set tap-{name} master breth1-100 up && \
         ip netns exec {name} sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad' && ip -n {name} link set eth0 address {mac} up && \
         ip -n {name} link set lo up && \
         until ip link show tap-{name} | grep -q 'state UP'; do sleep 0.01; done"
    ));
}

/// The lease that udhcpc got, by its own names of the options; empty if there was no reply.
pub(crate) fn lease(guest: &str, more: &str) -> BTreeMap<String, String> {
    let (script, given) = (format!("/mnt/{guest}.script"), format!("/mnt/{guest}.given"));
    fs::write(&script, format!("#!/bin/sh\n[ \"$1\" != bound ] || env > {given}\n")).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let _ = fs::remove_file(&given);
    let _ = try_sh(&format!(
        "ip netns exec {guest} env -i PATH=$PATH udhcpc -i eth0 -f -n -q -t 2 -T 1 -s {script} \
         -O mtu -O search -O ntpsrv -O staticroutes {more}"
    ));
    let given = fs::read_to_string(given).unwrap_or_default();
    given.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect()
}

/// The sorted answers of dig to a question.
pub(crate) fn ask(guest: &str, question: &str) -> String {
    let answer = sh(&format!("ip netns exec {guest} dig +short +time=1 +tries=2 +retry=1 {question} | sort"));
    answer.trim().to_owned()
}

/// The daemons of another network of the same router.
pub(crate) fn in_another_folder(guest: &GuestServices, folder: &str) -> Vec<DaemonPlan> {
    fs::create_dir(folder).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).unwrap();
    services(guest, Path::new(folder), &accounts_of_debian())
}
