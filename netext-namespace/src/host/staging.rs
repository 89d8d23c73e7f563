//! The new files of a change, beside the old ones: the router's state, its instances' metadata, and new folders.

use netext_core::{DeviceError, error_chain};
use netext_protocol::NetworkId;

use super::errors;
use crate::files::persistently;
use crate::metadata::InstanceChange;
use crate::model::RouterId;
use crate::store::{LockedRouter, NewFolders, RouterState, StagedState, Store};

/// The new files of a change. Their space on the disk is claimed.
pub(super) struct StagedFiles<'a> {
    store: &'a Store,
    locked: &'a LockedRouter,
    wanted: &'a RouterState,
    folders: NewFolders,
    state: Option<StagedState>,
    instances: Vec<InstanceChange>,
    /// The tiers that no longer exist.
    forgotten: &'a [NetworkId],
}

impl<'a> StagedFiles<'a> {
    /// Stages what differs between two states, and the metadata that `change_metadata` changes. The state comes first,
    /// even before the folders of new networks: it marks the change, so that what a killed command leaves is found.
    pub(super) fn stage(
        store: &'a Store,
        locked: &'a LockedRouter,
        [before, wanted]: [&'a RouterState; 2],
        forgotten: &'a [NetworkId],
        change_metadata: Option<impl FnOnce() -> Result<Vec<InstanceChange>, DeviceError>>,
    ) -> Result<Self, DeviceError> {
        let (folders, instances) = (NewFolders::default(), Vec::new());
        let mut files = Self { store, locked, wanted, folders, state: None, instances, forgotten };
        match files.stage_all(before, change_metadata) {
            Ok(()) => Ok(files),
            Err(error) => Err(files.undo_after(error)),
        }
    }

    fn stage_all(
        &mut self,
        before: &RouterState,
        change_metadata: Option<impl FnOnce() -> Result<Vec<InstanceChange>, DeviceError>>,
    ) -> Result<(), DeviceError> {
        let router = &self.wanted.router;
        self.store.make_router_folder(router, &mut self.folders)?;
        let differs = self.wanted != before;
        if differs || change_metadata.is_some() {
            self.state = self.locked.stage(differs.then_some(self.wanted))?;
        }
        self.store.make_network_folders(router, &mut self.folders)?;
        self.instances = change_metadata.map_or(Ok(Vec::new()), |change| change())?;
        Ok(())
    }

    /// Puts the new files in place. The state is first: this is the point from which on the change is what a killed
    /// command leaves.
    pub(super) fn commit(&mut self) -> Result<(), DeviceError> {
        self.state.as_ref().map_or(Ok(()), StagedState::commit)?;
        Ok(self.instances.iter_mut().try_for_each(InstanceChange::put_in_place)?)
    }

    /// Restores the old files, wherever the change stopped, and returns the error that stopped it.
    pub(super) fn undo_after(self, error: DeviceError) -> DeviceError {
        match self.undo() {
            Ok(()) => error,
            Err(failure) => {
                let remedy = "the next command tries again";
                errors::and_then(&error, "the files could not be restored", &failure, remedy)
            }
        }
    }

    fn undo(self) -> Result<(), DeviceError> {
        self.state.as_ref().map_or(Ok(()), StagedState::restore)?;
        self.instances.into_iter().try_for_each(InstanceChange::undo)?;
        // Last goes what marks the change.
        self.folders.remove()?;
        Ok(self.state.as_ref().map_or(Ok(()), StagedState::settle)?)
    }

    /// Forgets the old files, after everything else is done. A file that cannot be removed is no reason to fail: the
    /// next command or `reconcile` removes it.
    pub(super) fn finish(self) {
        let router = self.wanted.router.id;
        if let Err(error) = persistently(|| self.forget_old()) {
            let error = error_chain(&error);
            tracing::warn!(%router, error, "old files stay until the next command or reconcile");
        }
    }

    fn forget_old(&self) -> Result<(), DeviceError> {
        self.instances.iter().try_for_each(InstanceChange::finish)?;
        forget_networks(self.store, self.wanted.router.id, self.forgotten)?;
        if self.wanted.router.is_empty() {
            return Ok(self.locked.forget()?);
        }
        Ok(self.state.as_ref().map_or(Ok(()), StagedState::settle)?)
    }
}

/// Removes the folders of a VPC's tiers that no longer exist. That of a network that stands alone is the folder of its
/// router's state.
pub(super) fn forget_networks(
    store: &Store,
    router: RouterId,
    networks: &[NetworkId],
) -> Result<(), DeviceError> {
    match router {
        RouterId::Vpc(_) => Ok(networks.iter().try_for_each(|network| store.forget_network(*network))?),
        RouterId::Network(_) => Ok(()),
    }
}
