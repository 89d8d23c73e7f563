//! The host around the routers: their NICs, their state, and settings of the host that get in their way.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use netext_core::error_chain;
use rustix::fs::statvfs;

use super::finding::DoctorFinding;
use super::limits;
use crate::model::{InterfaceName, Router, RouterId, SegmentDevice};
use crate::operator::error::OperatorError;
use crate::store::Store;

/// With less free space, or a smaller share of free inodes, commands soon fail.
const FREE_MEBIBYTES: u64 = 64;
const FREE_FILES_PERCENT: u64 = 2;

pub(super) fn findings(store: &Store) -> Result<Vec<DoctorFinding>, OperatorError> {
    let ids = store.routers()?;
    let mut findings = Vec::new();
    let mut routers = Vec::new();
    for id in &ids {
        match store.read(*id) {
            Ok(state) => routers.push(state.router),
            Err(error) => findings.push(DoctorFinding::problem(
                id.to_string(),
                error_chain(&error),
                "do what the error says",
            )),
        }
    }
    findings.extend(nics(&routers));
    findings.extend(limits::findings(&routers));
    findings.extend(folder(store.root()));
    findings.push(bridged_packets());
    findings.extend(strangers(&ids));
    Ok(findings)
}

/// The NICs that routers' traffic leaves this host by, each with the detail that names it.
fn nics(routers: &[Router]) -> Vec<DoctorFinding> {
    let mut nics: BTreeMap<&InterfaceName, &str> = BTreeMap::new();
    for router in routers {
        let devices = [
            (&router.devices.guest, "guest.network.device", router.implemented_tiers().next().is_some()),
            (&router.devices.public, "public.network.device", router.public_addresses().next().is_some()),
        ];
        for (device, detail, is_used) in devices {
            if let (SegmentDevice::Nic(name), true) = (device, is_used) {
                nics.insert(name, detail);
            }
        }
    }
    nics.into_iter().map(|(name, detail)| nic(name, detail)).collect()
}

fn nic(name: &InterfaceName, detail: &str) -> DoctorFinding {
    let subject = format!("NIC {name}");
    let folder = Path::new("/sys/class/net").join(name.as_ref());
    if !folder.exists() {
        let remedy =
            format!("register a NIC of this host as {detail}, or 'none' for segments that stay on this host");
        return DoctorFinding::problem(subject, "does not exist", remedy);
    }
    // A NIC that is down has no readable carrier.
    match fs::read_to_string(folder.join("carrier")).as_deref().map(str::trim) {
        Ok("1") => DoctorFinding::ok(subject, "is up and has a carrier"),
        Ok(_) => DoctorFinding::warning(subject, "has no carrier", "check the cable and the switch port"),
        Err(_) => DoctorFinding::warning(
            subject,
            "is down",
            format!("ip link set {name} up, and make the network configuration do so at boot"),
        ),
    }
}

fn folder(root: &Path) -> Vec<DoctorFinding> {
    let subject = "state";
    let Ok(found) = fs::metadata(root) else {
        return vec![DoctorFinding::ok(
            subject,
            format!("{} does not exist yet; the first command creates it", root.display()),
        )];
    };
    let mut findings = Vec::new();
    if found.uid() != 0 || found.mode() & 0o022 != 0 {
        findings.push(DoctorFinding::problem(
            subject,
            format!("accounts other than root can write to {}", root.display()),
            format!("chown root:root {0} && chmod 0711 {0}", root.display()),
        ));
    }
    // Daemons do not run as root, and need access to their own folders.
    let closed = root.ancestors().find(|path| fs::metadata(path).is_ok_and(|it| it.mode() & 0o001 == 0));
    if let Some(closed) = closed {
        findings.push(DoctorFinding::problem(
            subject,
            format!("dnsmasq, radvd and haproxy cannot enter {}", closed.display()),
            format!("chmod o+x {}", closed.display()),
        ));
    }
    if let Ok(space) = statvfs(root) {
        let mebibytes = space.f_bavail.saturating_mul(space.f_frsize) / (1024 * 1024);
        // A file system without a fixed number of inodes reports 0.
        let files = (space.f_files > 0).then(|| space.f_favail.saturating_mul(100) / space.f_files);
        if mebibytes < FREE_MEBIBYTES || files.is_some_and(|percent| percent < FREE_FILES_PERCENT) {
            let inodes = files.map_or_else(String::new, |percent| format!(" and {percent} % of its inodes"));
            findings.push(DoctorFinding::problem(
                subject,
                format!("the disk of {} has only {mebibytes} MiB{inodes} left", root.display()),
                "free some space: commands cannot save their state",
            ));
        }
    }
    if findings.is_empty() {
        findings.push(DoctorFinding::ok(subject, root.display().to_string()));
    }
    findings
}

/// If these parameters are on, the host's own firewall sees the frames that cross bridges, and may drop them.
fn bridged_packets() -> DoctorFinding {
    let subject = "bridged packets";
    let is_on = |name: &str| {
        fs::read_to_string(format!("/proc/sys/net/bridge/bridge-nf-call-{name}"))
            .is_ok_and(|it| it.trim() == "1")
    };
    let on: Vec<_> = ["iptables", "ip6tables", "arptables"].into_iter().filter(|name| is_on(name)).collect();
    if on.is_empty() {
        return DoctorFinding::ok(subject, "bypass the host's own firewall");
    }
    let firewalld = if is_running("firewalld") { "firewalld" } else { "the host's own firewall" };
    let parameters: Vec<_> = on.iter().map(|name| format!("net.bridge.bridge-nf-call-{name}=0")).collect();
    DoctorFinding::warning(
        subject,
        format!("go through {firewalld}, which may drop them"),
        format!("sysctl -w {}, unless security groups need this", parameters.join(" ")),
    )
}

fn is_running(program: &str) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|it| fs::read_to_string(it.path().join("comm")).ok())
        .any(|name| name.trim() == program)
}

/// Namespaces that are named like routers but are none of this extension's.
fn strangers(known: &[RouterId]) -> Option<DoctorFinding> {
    let names = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let is_strange = |name: &String| {
        let id = name.starts_with("cs-").then(|| name.parse::<RouterId>().ok()).flatten();
        id.is_some_and(|id| !known.contains(&id))
    };
    let mut strange: Vec<_> = names.filter(is_strange).collect();
    strange.sort();
    (!strange.is_empty()).then(|| {
        DoctorFinding::warning(
            "namespaces",
            format!("not routers of this extension: {}", strange.join(", ")),
            "keep them if they belong to another extension; otherwise delete them: ip netns delete NAME",
        )
    })
}
