//! The state document of one router.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::build::Build;
use super::{LockedRouter, StoreError, forget, io_error, replace_private};
use crate::model::{Router, RouterId};

/// What is known of a router between commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouterState {
    /// What the router shall be.
    pub router: Router,
    /// The generation of the namespace's packet rules after our last change to them. While the kernel shows
    /// the same number they are what `router` compiles to, because any change by anyone counts it up. It is not
    /// told when another build of this program made them: that one may compile a router to something else.
    pub ruleset_generation: Option<u32>,
    /// The epoch since which this host serves the router. 0 where nobody ever chose among hosts.
    pub epoch: u64,
    /// The epoch of the host that superseded this one, which has fenced the router.
    pub superseded: Option<u64>,
}

impl RouterState {
    /// The state of a router without anything.
    pub fn new(router: RouterId) -> Self {
        Self { router: Router::new(router), ruleset_generation: None, epoch: 0, superseded: None }
    }

    /// Whether there is a router, and it is this host's to serve.
    pub fn serves(&self) -> bool {
        !self.router.is_empty() && self.superseded.is_none()
    }
}

/// The format of the document; a reader takes its own and every earlier one. Format 1 has a tier's NICs as an object by
/// their hardware addresses, format 2 as a list.
const FORMAT: u32 = 2;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    build: Option<Build>,
    #[serde(flatten)]
    state: &'a RouterState,
}

#[derive(Deserialize)]
struct Stored {
    format: u32,
    #[serde(default)]
    build: Option<Build>,
    router: Router,
    ruleset_generation: Option<u32>,
    #[serde(default)]
    epoch: u64,
    superseded: Option<u64>,
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

pub(super) const FILE: &str = "state.json";

impl LockedRouter {
    /// What the last command left; a router without anything if there was none.
    pub fn load(&self) -> Result<RouterState, StoreError> {
        load(&self.folder, self.router)
    }

    /// Replaces the document: after a crash at any moment it is the old one or the new one.
    pub fn save(&self, state: &RouterState) -> Result<(), StoreError> {
        let path = self.folder.join(FILE);
        let document = serde_json::to_vec(&Document { format: FORMAT, build: Build::running(), state })
            .map_err(|source| StoreError::Damaged { path: path.clone(), source })?;
        replace_private(&path, &document)?;
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(io_error("sync the folder", &self.folder))
    }

    /// Removes the router's state, and leaves what else is in its folder: that of a network serves a tier as well.
    pub fn remove_state(&self) -> Result<(), StoreError> {
        let path = self.folder.join(FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    /// Forgets the router; one that is not there is forgotten already.
    pub fn forget(&self) -> Result<(), StoreError> {
        forget(&self.folder)
    }
}

/// Reads the document as a whole: the old one or the new one, if somebody replaces it meanwhile.
pub(super) fn load(folder: &Path, router: RouterId) -> Result<RouterState, StoreError> {
    let path = folder.join(FILE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(RouterState::new(router));
        }
        Err(error) => return Err(io_error("read", &path)(error)),
    };
    let damaged = |source| StoreError::Damaged { path: path.clone(), source };
    let format = || serde_json::from_slice(&bytes).map(|Format { format }| format);
    // A text is known to be one; of bytes every single string would be looked at again.
    let stored = match std::str::from_utf8(&bytes) {
        Ok(text) => serde_json::from_str::<Stored>(text),
        Err(_) => serde_json::from_slice(&bytes),
    };
    match stored {
        Ok(stored) if stored.format <= FORMAT => {
            let Stored { build, router, ruleset_generation, epoch, superseded, .. } = stored;
            let is_ours = build.is_some() && build == Build::running();
            let ruleset_generation = ruleset_generation.filter(|_| is_ours);
            Ok(RouterState { router, ruleset_generation, epoch, superseded })
        }
        Ok(stored) => Err(StoreError::Newer { path, found: stored.format, known: FORMAT }),
        // A newer document need not look like ours.
        Err(error) => match format() {
            Ok(found) if found > FORMAT => Err(StoreError::Newer { path, found, known: FORMAT }),
            _ => Err(damaged(error)),
        },
    }
}
