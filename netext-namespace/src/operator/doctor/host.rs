//! The host around the routers: their NICs, their state, and what others have set up that gets in the way.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::statvfs;

use super::{Finding, limits};
use crate::model::{InterfaceName, Router, RouterId, SegmentDevice};
use crate::operator::failure::Failure;
use crate::store::Store;

/// Below this much free space, or share of free files, it gets tight.
const FREE_MEBIBYTES: u64 = 64;
const FREE_FILES_PERCENT: u64 = 2;

pub(super) fn findings(store: &Store) -> Result<Vec<Finding>, Failure> {
    let ids = store.routers()?;
    let mut findings = Vec::new();
    let mut routers = Vec::new();
    for id in &ids {
        match store.read(*id) {
            Ok(state) => routers.push(state.router),
            Err(error) => findings.push(Finding::problem(id.to_string(), error.to_string(), "as it says")),
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
fn nics(routers: &[Router]) -> Vec<Finding> {
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

fn nic(name: &InterfaceName, detail: &str) -> Finding {
    let subject = format!("NIC {name}");
    let folder = Path::new("/sys/class/net").join(name.as_ref());
    if !folder.exists() {
        let remedy =
            format!("register a NIC of this host as {detail}, or 'none' for segments of this host alone");
        return Finding::problem(subject, "is not there", remedy);
    }
    // One that is down does not tell.
    match fs::read_to_string(folder.join("carrier")).as_deref().map(str::trim) {
        Ok("1") => Finding::ok(subject, "is up and has a carrier"),
        Ok(_) => Finding::warning(subject, "has no carrier", "look at the cable and at the switch's port"),
        Err(_) => Finding::warning(
            subject,
            "is down",
            format!("ip link set {name} up, and have the network configuration do so"),
        ),
    }
}

fn folder(root: &Path) -> Vec<Finding> {
    let subject = "state";
    let Ok(found) = fs::metadata(root) else {
        return vec![Finding::ok(subject, format!("{} is made by the first command", root.display()))];
    };
    let mut findings = Vec::new();
    if found.uid() != 0 || found.mode() & 0o022 != 0 {
        findings.push(Finding::problem(
            subject,
            format!("others than root can change {}", root.display()),
            format!("chown root:root {0} && chmod 0711 {0}", root.display()),
        ));
    }
    // Daemons are not root, and have to get to their own folders.
    let closed = root.ancestors().find(|path| fs::metadata(path).is_ok_and(|it| it.mode() & 0o001 == 0));
    if let Some(closed) = closed {
        findings.push(Finding::problem(
            subject,
            format!("dnsmasq, radvd and haproxy cannot pass through {}", closed.display()),
            format!("chmod o+x {}", closed.display()),
        ));
    }
    if let Ok(space) = statvfs(root) {
        let mebibytes = space.f_bavail.saturating_mul(space.f_frsize) / (1024 * 1024);
        // A file system that makes files as they are needed counts none.
        let files = (space.f_files > 0).then(|| space.f_favail.saturating_mul(100) / space.f_files);
        if mebibytes < FREE_MEBIBYTES || files.is_some_and(|percent| percent < FREE_FILES_PERCENT) {
            findings.push(Finding::problem(
                subject,
                format!("the disk of {} is full but for {mebibytes} MiB", root.display()),
                "make room: no command can save its state",
            ));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(subject, root.display().to_string()));
    }
    findings
}

/// With this on, the host's own firewall sees the frames that cross bridges, and drops what it does not know.
fn bridged_packets() -> Finding {
    let subject = "bridged packets";
    let is_on = |name: &str| {
        fs::read_to_string(format!("/proc/sys/net/bridge/bridge-nf-call-{name}"))
            .is_ok_and(|it| it.trim() == "1")
    };
    let on: Vec<_> = ["iptables", "ip6tables", "arptables"].into_iter().filter(|name| is_on(name)).collect();
    if on.is_empty() {
        return Finding::ok(subject, "pass the host's own firewall by");
    }
    let firewalld = if is_running("firewalld") { "firewalld" } else { "the host's own firewall" };
    let parameters: Vec<_> = on.iter().map(|name| format!("net.bridge.bridge-nf-call-{name}=0")).collect();
    Finding::warning(
        subject,
        format!("of guests go through {firewalld}, which may drop them"),
        format!("sysctl -w {}, unless security groups need it", parameters.join(" ")),
    )
}

fn is_running(program: &str) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|it| fs::read_to_string(it.path().join("comm")).ok())
        .any(|name| name.trim() == program)
}

/// Routers' namespaces that this extension knows nothing of.
fn strangers(known: &[RouterId]) -> Option<Finding> {
    let names = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let is_strange = |name: &String| {
        let id = name.starts_with("cs-").then(|| name.parse::<RouterId>().ok()).flatten();
        id.is_some_and(|id| !known.contains(&id))
    };
    let mut strange: Vec<_> = names.filter(is_strange).collect();
    strange.sort();
    (!strange.is_empty()).then(|| {
        Finding::warning(
            "namespaces",
            format!("{}: no router of this extension", strange.join(", ")),
            "leave them if another extension made them; else ip netns delete",
        )
    })
}
