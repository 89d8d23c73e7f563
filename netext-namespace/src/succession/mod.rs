//! Who serves a router, and who can follow when that host is lost.
//!
//! A router is served by one host at a time, during an *epoch*: a number that grows whenever another host takes the
//! router over. What the host knows of the router is copied to a standby, at every change; a [`Copy`](struct@Copy) says of which
//! epoch it is and how far it goes. A host that learns of a later epoch than its own is superseded: it takes its
//! router down, keeps silent, and says so.
//!
//! - [`copy`] tells what is new about a router since the last copy.
//! - [`keep`] puts such a copy on the shelf of a standby.
//! - [`take_over`] makes a router of it.
//! - [`withdraw`] is told to whoever served the router before.

mod journal;
mod shelf;
mod takeover;

use std::net::Ipv4Addr;

use netext_protocol::NetworkId;
use serde::{Deserialize, Serialize};

use crate::metadata::Instance;
use crate::model::Router;

pub use journal::copy;
pub use shelf::{Kept, keep};
pub(crate) use takeover::contested;
pub use takeover::{standing, take_over, withdraw};

/// How far a copy goes: later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// The epoch of the host that it was made on.
    pub epoch: u64,
    /// Counts what changed there.
    pub serial: u64,
}

/// What changed of a router.
#[derive(Debug, Serialize, Deserialize)]
pub struct Copy {
    /// How far whoever has this knows the router.
    pub version: Version,
    /// The serial that it builds on; 0 if it is whole.
    pub since: u64,
    /// What the router shall be.
    pub router: Router,
    /// What its instances are told, as far as it changed.
    pub instances: Vec<Told>,
}

/// What an instance is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    /// The network that it lives in.
    pub network: NetworkId,
    /// Its address there.
    pub address: Ipv4Addr,
    /// What it is told; `None` if it is told nothing any more.
    pub instance: Option<Instance>,
}

/// What there is to copy.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum News {
    /// The router changed.
    Changed(Box<Copy>),
    /// There is no router any more.
    Gone,
}

/// What a host is to a router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The epoch in which it serves the router.
    pub serves: Option<u64>,
    /// The epoch of another host by which it was superseded.
    pub superseded: Option<u64>,
    /// How far the copy on its shelf goes.
    pub copy: Option<Version>,
    /// The last epoch in which it served the router, if it has kept what it knew then.
    #[serde(default)]
    pub knows: Option<u64>,
}

impl Standing {
    /// How far it knows the router, by itself or by a copy. Who served it in an epoch knows more of that than any copy.
    pub fn latest(&self) -> Option<Version> {
        let own = self.knows.map(|epoch| Version { epoch, serial: u64::MAX });
        own.max(self.copy)
    }
}
