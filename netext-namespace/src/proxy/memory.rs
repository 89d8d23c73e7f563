//! The memory of this management server about hosts and routers, in small files of the proxy's folder.
//!
//! Most of it is advice: without it everything works, but more slowly or more carefully. The exception is which hosts
//! must still step down from a router: they could not be reached when another host took it over.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use netext_core::error_chain;
use netext_protocol::{NetworkId, VpcId};

use super::remote::HostAddress;
use crate::failover::ReplicaVersion;
use crate::files::{self, Access, FileError, failed};
use crate::model::RouterId;

/// For how long a host that failed is asked after all others.
const DISTRUST: Duration = Duration::from_secs(30);

/// The host that serves a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RouterLocation {
    /// The host.
    pub(super) host: HostAddress,
    /// The epoch in which it serves the router.
    pub(super) epoch: u64,
}

/// A router that a host must step down from as soon as it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OwedStepDown {
    /// The router.
    pub(super) router: RouterId,
    /// The epoch in which another host serves it.
    pub(super) epoch: u64,
    /// The router no longer exists.
    pub(super) forget: bool,
}

/// The memory about hosts and routers.
#[derive(Debug)]
pub(super) struct ProxyMemory {
    folder: PathBuf,
}

impl ProxyMemory {
    /// The memory in a folder that exists.
    pub(super) fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Notes that a host could not be asked.
    pub(super) fn note_failure(&self, host: &HostAddress) {
        note(&self.file("failed", host), "");
    }

    /// Notes that a host answered.
    pub(super) fn note_answer(&self, host: &HostAddress) {
        forget(&self.file("failed", host));
    }

    /// Whether a host failed a moment ago.
    pub(super) fn just_failed(&self, host: &HostAddress) -> bool {
        let noted = fs::metadata(self.file("failed", host)).and_then(|file| file.modified());
        noted.is_ok_and(|at| at.elapsed().is_ok_and(|age| age < DISTRUST))
    }

    /// Notes which host serves a router.
    pub(super) fn note_location(&self, router: RouterId, location: &RouterLocation) {
        if self.location(router).as_ref() != Some(location) {
            let RouterLocation { host, epoch } = location;
            note(&self.file("place-of", router), &format!("{host} {epoch}"));
        }
    }

    /// The host that served a router last.
    pub(super) fn location(&self, router: RouterId) -> Option<RouterLocation> {
        let text = fs::read_to_string(self.file("place-of", router)).ok()?;
        let (host, epoch) = text.split_once(' ')?;
        Some(RouterLocation { host: host.parse().ok()?, epoch: epoch.parse().ok()? })
    }

    /// Notes that a network is a tier of a VPC.
    pub(super) fn note_tier(&self, network: NetworkId, vpc: VpcId) {
        if self.vpc_of(network) != Some(vpc) {
            note(&self.file("vpc-of", network), &vpc.to_string());
        }
    }

    /// The VPC of a network that is known to be a tier.
    pub(super) fn vpc_of(&self, network: NetworkId) -> Option<VpcId> {
        fs::read_to_string(self.file("vpc-of", network)).ok()?.parse().ok()
    }

    /// Forgets a tier that no longer exists.
    pub(super) fn forget_tier(&self, network: NetworkId) {
        forget(&self.file("vpc-of", network));
    }

    /// Notes the version of the replica on a standby.
    pub(super) fn note_replica(&self, router: RouterId, standby: &HostAddress, version: ReplicaVersion) {
        let ReplicaVersion { epoch, serial } = version;
        note(&self.file("copy-of", router), &format!("{standby} {epoch} {serial}"));
    }

    /// The standby of a router, and the version of its replica.
    pub(super) fn replica(&self, router: RouterId) -> Option<(HostAddress, ReplicaVersion)> {
        let text = fs::read_to_string(self.file("copy-of", router)).ok()?;
        let mut words = text.split(' ');
        let mut next = || words.next();
        let host = next()?.parse().ok()?;
        Some((host, ReplicaVersion { epoch: next()?.parse().ok()?, serial: next()?.parse().ok()? }))
    }

    /// Notes that a router was moved away from a host, which may still have its state.
    pub(super) fn note_left(&self, router: RouterId, host: &HostAddress) {
        let mut left = self.left(router);
        if !left.contains(host) {
            left.push(host.clone());
            let text: Vec<_> = left.iter().map(HostAddress::as_str).collect();
            note(&self.file("left-by", router), &text.join(" "));
        }
    }

    /// The hosts that a router was moved away from.
    pub(super) fn left(&self, router: RouterId) -> Vec<HostAddress> {
        let text = fs::read_to_string(self.file("left-by", router)).unwrap_or_default();
        text.split(' ').filter_map(|host| host.parse().ok()).collect()
    }

    /// Forgets a router that no longer exists.
    pub(super) fn forget_router(&self, router: RouterId) {
        for what in ["place-of", "copy-of", "left-by"] {
            forget(&self.file(what, router));
        }
    }

    /// Notes that a host must step down from a router.
    pub(super) fn note_owed(&self, host: &HostAddress, owed: OwedStepDown) {
        let folder = self.file("owed-to", host);
        warn_unless_done(fs::create_dir_all(&folder).map_err(failed("create the folder", &folder)));
        let word = if owed.forget { "forget" } else { "withdraw" };
        note(&folder.join(owed.router.to_string()), &format!("{} {word}", owed.epoch));
    }

    /// The routers that a host must step down from.
    pub(super) fn owed(&self, host: &HostAddress) -> Vec<OwedStepDown> {
        let entries = fs::read_dir(self.file("owed-to", host)).into_iter().flatten().flatten();
        let read = |entry: fs::DirEntry| {
            let router = entry.file_name().to_str()?.parse().ok()?;
            let text = fs::read_to_string(entry.path()).ok()?;
            let (epoch, word) = text.split_once(' ')?;
            Some(OwedStepDown { router, epoch: epoch.parse().ok()?, forget: word == "forget" })
        };
        entries.filter_map(read).collect()
    }

    /// Notes that a host stepped down.
    pub(super) fn forget_owed(&self, host: &HostAddress, router: RouterId) {
        forget(&self.file("owed-to", host).join(router.to_string()));
    }

    fn file(&self, what: &str, of: impl std::fmt::Display) -> PathBuf {
        self.folder.join(format!("{what}-{of}"))
    }
}

fn note(path: &Path, text: &str) {
    warn_unless_done(files::replace_unlocked(path, text.as_bytes(), Access::Owner));
}

fn forget(path: &Path) {
    warn_unless_done(files::remove(path));
}

fn warn_unless_done(done: Result<(), FileError>) {
    if let Err(error) = done {
        tracing::warn!(error = %error_chain(&error), "cannot change the proxy's memory");
    }
}
