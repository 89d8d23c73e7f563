//! A locked router: its state is loaded, and changed in steps that can be undone.
//!
//! A change stages the next state beside the current one, and commits it by putting it in place. `.state.json.new` says
//! that a change is not committed, `.state.json.old` alone that it is committed and not finished. What a killed command
//! leaves can so be told apart, and be undone or completed.

use std::path::{Path, PathBuf};

use super::generation::{self, RulesetGeneration};
use super::state::RouterState;
use super::{STATE_FILE, StoreError};
use crate::files::{self, Access, Durability, FileError, FileLock, NextVersion, VersionedFolder, failed};
use crate::metadata::ChangeProgress;
use crate::model::{Router, RouterId};

/// A router that no other command works on until this is dropped.
#[derive(Debug)]
pub struct LockedRouter {
    pub(super) router: RouterId,
    pub(super) folder: PathBuf,
    pub(super) _lock: FileLock,
}

/// A change that a killed command left.
#[derive(Debug)]
pub struct InterruptedChange {
    /// How far it got.
    pub progress: ChangeProgress,
    /// The router of its other end: what the command wanted, or what was before it.
    pub router: Option<Router>,
    /// Its state, to be restored or settled.
    pub state: StagedState,
}

/// A change of a router's state that can be undone.
#[derive(Debug)]
pub struct StagedState {
    folder: VersionedFolder,
    /// Whether the state changes. Marks alone need not last: without them a change of documents is recovered as well.
    is_changed: bool,
}

impl LockedRouter {
    /// The router's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The state that the last command left; that of a router without anything if there is none.
    pub fn load(&self) -> Result<RouterState, StoreError> {
        super::load(&self.folder, self.router)
    }

    /// The generation of the packet rules that the state compiles to, if they were put in force by this build.
    pub fn ruleset_generation(&self) -> Option<RulesetGeneration> {
        generation::read(&self.folder)
    }

    /// Notes which rules the state compiles to. If that fails, the next command replaces all rules.
    pub fn note_ruleset_generation(&self, generation: Option<RulesetGeneration>) {
        if let Err(error) = generation::write(&self.folder, generation) {
            let error = netext_core::error_chain(&error);
            tracing::warn!(router = %self.router, error, "the next command will replace all packet rules");
        }
    }

    /// The change that a killed command left, if there is one.
    pub fn interrupted(&self) -> Result<Option<InterruptedChange>, StoreError> {
        let Some(folder) = self.versions()? else { return Ok(None) };
        let has_next = folder.has_next(STATE_FILE)?;
        if !has_next && !folder.has_old(STATE_FILE)? {
            return Ok(None);
        }
        let other = if has_next { folder.next(STATE_FILE)? } else { folder.old(STATE_FILE)? };
        // A state that was cut off while it was written was never applied.
        let state = other.and_then(|bytes| RouterState::from_document(&bytes, &self.folder).ok());
        let progress = match has_next {
            false => ChangeProgress::Committed,
            true if folder.is_next_same(STATE_FILE)? => ChangeProgress::Unknown,
            true => ChangeProgress::NotCommitted,
        };
        let (router, state) = (state.map(|state| state.router), StagedState { folder, is_changed: true });
        Ok(Some(InterruptedChange { progress, router, state }))
    }

    /// Stages the next state; without one, only the marks of a change of other files. `None` if there is nothing to
    /// change.
    pub fn stage(&self, next: Option<&RouterState>) -> Result<Option<StagedState>, StoreError> {
        let Some(folder) = self.versions()? else { return Ok(None) };
        let document = next
            .filter(|state| !state.router.is_empty())
            .map(|state| state.to_document().map_err(failed("write", &self.folder.join(STATE_FILE))))
            .transpose()?;
        let version = match (next, &document) {
            (None, _) => NextVersion::Same,
            (Some(_), Some(document)) => NextVersion::Content(document),
            (Some(_), None) => NextVersion::Absent,
        };
        folder.stage(STATE_FILE, version, Access::Owner, Durability::Whole)?;
        Ok(Some(StagedState { folder, is_changed: next.is_some() }))
    }

    /// Replaces the state, or leaves the old one.
    pub fn save(&self, state: &RouterState) -> Result<(), StoreError> {
        let Some(staged) = self.stage(Some(state))? else { return Ok(()) };
        if let Err(error) = staged.commit() {
            // The error that is reported is the one that came first.
            let _ = staged.restore();
            let _ = staged.settle();
            return Err(error);
        }
        staged.settle()
    }

    /// Removes the router's state, but not its folder: that of a network serves a tier as well.
    pub fn remove_state(&self) -> Result<(), StoreError> {
        files::remove(&self.folder.join(STATE_FILE))?;
        Ok(files::sync_folder(&self.folder)?)
    }

    /// Removes the router's folder.
    pub fn forget(&self) -> Result<(), StoreError> {
        Ok(files::remove_folder_for_good(&self.folder)?)
    }

    fn versions(&self) -> Result<Option<VersionedFolder>, FileError> {
        VersionedFolder::open_existing(&self.folder)
    }
}

impl StagedState {
    /// Puts the state in place. It lasts when this returns.
    pub fn commit(&self) -> Result<(), StoreError> {
        self.folder.put_in_place(STATE_FILE)?;
        self.sync()
    }

    /// Restores the state that was there before. Until [`settle`](Self::settle) the change counts as not committed.
    pub fn restore(&self) -> Result<(), StoreError> {
        if !self.folder.has_next(STATE_FILE)? {
            self.folder.mark_staged(STATE_FILE)?;
        }
        self.folder.restore(STATE_FILE)?;
        self.sync()
    }

    fn sync(&self) -> Result<(), StoreError> {
        if self.is_changed { Ok(self.folder.sync()?) } else { Ok(()) }
    }

    /// Ends the change: its other end is forgotten. The state must be restored, or be the one that was wanted.
    pub fn settle(&self) -> Result<(), StoreError> {
        Ok(self.folder.discard(STATE_FILE)?)
    }
}
