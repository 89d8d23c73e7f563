//! What this management server remembers of hosts and routers. Most of it is advice: without it everything works,
//! more slowly or more carefully. What is *owed* to hosts is more: they were out of reach when they had to be told
//! that a router is no longer theirs.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use netext_protocol::{NetworkId, VpcId};

use super::target::Host;
use crate::failover::ReplicaVersion;
use crate::model::RouterId;

/// For how long a host that failed is asked after all others.
const DISTRUST: Duration = Duration::from_secs(30);

/// Where a router is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The host.
    pub(super) host: Host,
    /// The epoch in which it serves the router.
    pub(super) epoch: u64,
}

/// What a host must be told when it answers again: it serves a router no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owed {
    /// The router.
    pub(super) router: RouterId,
    /// The epoch in which another host serves it.
    pub(super) epoch: u64,
    /// There is no such router any more.
    pub(super) forget: bool,
}

/// Small files in the proxy's folder.
#[derive(Debug)]
pub(super) struct Memory {
    folder: PathBuf,
}

impl Memory {
    /// What is remembered in a folder that exists.
    pub(super) fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// A host could not be asked.
    pub(super) fn note_failure(&self, host: &Host) {
        note(&self.file("failed", host), "");
    }

    /// A host answered.
    pub(super) fn note_answer(&self, host: &Host) {
        forget(&self.file("failed", host));
    }

    /// Whether a host failed a moment ago.
    pub(super) fn just_failed(&self, host: &Host) -> bool {
        let noted = fs::metadata(self.file("failed", host)).and_then(|file| file.modified());
        noted.is_ok_and(|at| at.elapsed().is_ok_and(|age| age < DISTRUST))
    }

    /// A router is served somewhere.
    pub(super) fn note_place(&self, router: RouterId, place: &Place) {
        if self.place(router).as_ref() != Some(place) {
            note(&self.file("place-of", router), &format!("{} {}", place.host, place.epoch));
        }
    }

    /// Where a router was put last.
    pub(super) fn place(&self, router: RouterId) -> Option<Place> {
        let text = fs::read_to_string(self.file("place-of", router)).ok()?;
        let (host, epoch) = text.split_once(' ')?;
        Some(Place { host: host.parse().ok()?, epoch: epoch.parse().ok()? })
    }

    /// A network is a tier of a VPC.
    pub(super) fn note_tier(&self, network: NetworkId, vpc: VpcId) {
        if self.vpc_of(network) != Some(vpc) {
            note(&self.file("vpc-of", network), &vpc.to_string());
        }
    }

    /// The VPC that a network is a tier of, if a command ever said so.
    pub(super) fn vpc_of(&self, network: NetworkId) -> Option<VpcId> {
        fs::read_to_string(self.file("vpc-of", network)).ok()?.parse().ok()
    }

    /// A tier is gone.
    pub(super) fn forget_tier(&self, network: NetworkId) {
        forget(&self.file("vpc-of", network));
    }

    /// A standby knows a router up to a version.
    pub(super) fn note_copy(&self, router: RouterId, standby: &Host, version: ReplicaVersion) {
        let ReplicaVersion { epoch, serial } = version;
        note(&self.file("copy-of", router), &format!("{standby} {epoch} {serial}"));
    }

    /// Who is the standby of a router, and how far it knows it.
    pub(super) fn copy(&self, router: RouterId) -> Option<(Host, ReplicaVersion)> {
        let text = fs::read_to_string(self.file("copy-of", router)).ok()?;
        let mut words = text.split(' ');
        let mut next = || words.next();
        let host = next()?.parse().ok()?;
        Some((host, ReplicaVersion { epoch: next()?.parse().ok()?, serial: next()?.parse().ok()? }))
    }

    /// A router was taken from a host, which may still have it.
    pub(super) fn note_left(&self, router: RouterId, host: &Host) {
        let mut left = self.left(router);
        if !left.contains(host) {
            left.push(host.clone());
            let text: Vec<_> = left.iter().map(Host::as_str).collect();
            note(&self.file("left-by", router), &text.join(" "));
        }
    }

    /// The hosts that a router was taken from.
    pub(super) fn left(&self, router: RouterId) -> Vec<Host> {
        let text = fs::read_to_string(self.file("left-by", router)).unwrap_or_default();
        text.split(' ').filter_map(|host| host.parse().ok()).collect()
    }

    /// A router is gone.
    pub(super) fn forget_router(&self, router: RouterId) {
        for what in ["place-of", "copy-of", "left-by"] {
            forget(&self.file(what, router));
        }
    }

    /// A host must be told something once it answers.
    pub(super) fn note_owed(&self, host: &Host, owed: Owed) {
        let folder = self.file("owed-to", host);
        told(&folder, fs::create_dir_all(&folder));
        let word = if owed.forget { "forget" } else { "withdraw" };
        note(&folder.join(owed.router.to_string()), &format!("{} {word}", owed.epoch));
    }

    /// What a host must be told.
    pub(super) fn owed(&self, host: &Host) -> Vec<Owed> {
        let folder = self.file("owed-to", host);
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let read = |entry: fs::DirEntry| {
            let router = entry.file_name().to_str()?.parse().ok()?;
            let text = fs::read_to_string(entry.path()).ok()?;
            let (epoch, word) = text.split_once(' ')?;
            Some(Owed { router, epoch: epoch.parse().ok()?, forget: word == "forget" })
        };
        entries.filter_map(read).collect()
    }

    /// It was told.
    pub(super) fn forget_owed(&self, host: &Host, router: RouterId) {
        forget(&self.file("owed-to", host).join(router.to_string()));
    }

    fn file(&self, what: &str, of: impl std::fmt::Display) -> PathBuf {
        self.folder.join(format!("{what}-{of}"))
    }
}

fn note(path: &Path, text: &str) {
    // Two may write at once, each its own draft.
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    told(path, fs::write(&draft, text).and_then(|()| fs::rename(&draft, path)));
}

fn forget(path: &Path) {
    told(path, fs::remove_file(path));
}

fn told(path: &Path, done: io::Result<()>) {
    match done {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "cannot remember");
        }
        _ => {}
    }
}
