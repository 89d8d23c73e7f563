//! The state document of a router.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::{env, fmt, fs};

use serde::{Deserialize, Serialize};

use super::{LockedRouter, StoreError};
use crate::files::{self, Access, Durability, failed};
use crate::model::{Router, RouterId};

/// The state of a router between commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouterState {
    /// The desired router.
    pub router: Router,
    /// The generation of the namespace's packet rules after our last change of them. Every change, by any process,
    /// increases it: as long as the kernel has the same number, the rules are those that `router` compiles to. `None`
    /// if another build of this program made them: it may compile `router` differently.
    pub ruleset_generation: Option<u32>,
    /// The epoch in which this host serves the router. 0 if no proxy ever chose the host.
    pub epoch: u64,
    /// The epoch of the host that superseded this one, which has fenced the router.
    pub superseded: Option<u64>,
}

impl RouterState {
    /// The state of a router without anything.
    pub fn new(router: RouterId) -> Self {
        Self { router: Router::new(router), ruleset_generation: None, epoch: 0, superseded: None }
    }

    /// Whether there is a router, and this host serves it.
    pub fn serves(&self) -> bool {
        !self.router.is_empty() && self.superseded.is_none()
    }
}

/// The format of the document; this version reads it and every earlier one. In format 1 a tier's NICs are an object by
/// their hardware addresses, in format 2 a list.
const FORMAT: u32 = 2;

#[derive(Serialize)]
struct StateDocument<'a> {
    format: u32,
    build: Option<ProgramBuild>,
    #[serde(flatten)]
    state: &'a RouterState,
}

#[derive(Deserialize)]
struct StoredState {
    format: u32,
    #[serde(default)]
    build: Option<ProgramBuild>,
    router: Router,
    ruleset_generation: Option<u32>,
    #[serde(default)]
    epoch: u64,
    superseded: Option<u64>,
}

#[derive(Deserialize)]
struct StateFormat {
    format: u32,
}

pub(super) const FILE: &str = "state.json";

impl LockedRouter {
    /// The router's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The state that the last command left; that of a router without anything if there is none.
    pub fn load(&self) -> Result<RouterState, StoreError> {
        load(&self.folder, self.router)
    }

    /// Replaces the document, or removes the folder of a router without anything.
    pub fn save(&self, state: &RouterState) -> Result<(), StoreError> {
        if state.router.is_empty() {
            return self.forget();
        }
        let path = self.folder.join(FILE);
        let document =
            serde_json::to_vec(&StateDocument { format: FORMAT, build: ProgramBuild::running(), state })
                .map_err(|error| failed("write", &path)(error.into()))?;
        Ok(files::replace(&path, &document, Access::Owner, Durability::Lasting)?)
    }

    /// Removes the router's state, but not its folder: that of a network serves a tier as well.
    pub fn remove_state(&self) -> Result<(), StoreError> {
        Ok(files::remove(&self.folder.join(FILE))?)
    }

    /// Removes the router's folder.
    pub fn forget(&self) -> Result<(), StoreError> {
        Ok(files::remove_folder(&self.folder)?)
    }
}

pub(super) fn load(folder: &Path, router: RouterId) -> Result<RouterState, StoreError> {
    let path = folder.join(FILE);
    let Some(bytes) = files::read(&path)? else { return Ok(RouterState::new(router)) };
    let format = || serde_json::from_slice(&bytes).map(|StateFormat { format }| format);
    // Faster than from bytes, where every single string is checked for UTF-8.
    let stored = match std::str::from_utf8(&bytes) {
        Ok(text) => serde_json::from_str::<StoredState>(text),
        Err(_) => serde_json::from_slice(&bytes),
    };
    match stored {
        Ok(stored) if stored.format <= FORMAT => {
            let StoredState { build, router, ruleset_generation, epoch, superseded, .. } = stored;
            let is_ours = build.is_some() && build == ProgramBuild::running();
            let ruleset_generation = ruleset_generation.filter(|_| is_ours);
            Ok(RouterState { router, ruleset_generation, epoch, superseded })
        }
        Ok(stored) => Err(StoreError::Newer { path, found: stored.format, known: FORMAT }),
        // A newer document may have other fields.
        Err(source) => match format() {
            Ok(found) if found > FORMAT => Err(StoreError::Newer { path, found, known: FORMAT }),
            _ => Err(StoreError::Damaged { path, source }),
        },
    }
}

/// A build of this program, identified by its file. Another build may compile the same router differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProgramBuild {
    size: u64,
    modified: i64,
    modified_nanoseconds: i64,
}

impl ProgramBuild {
    /// The running build; `None` if its file cannot be examined.
    pub(crate) fn running() -> Option<Self> {
        let file = env::current_exe().and_then(fs::metadata).ok()?;
        Some(Self { size: file.size(), modified: file.mtime(), modified_nanoseconds: file.mtime_nsec() })
    }
}

impl fmt::Display for ProgramBuild {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes of {}.{:09}", self.size, self.modified, self.modified_nanoseconds)
    }
}
