//! State documents on disk.

use std::fs;

use netext_core::DeviceError;

use super::folder::Folder;
use crate::compile::CompiledRouter;
use crate::model::{Router, RouterId};
use crate::store::Store;
use crate::wait::block_on;

/// A state document is refused, or means the same when it is saved again, and compiles.
pub fn state_document(document: &[u8]) {
    thread_local! {
        static STORE: (Folder, Store) = {
            let folder = Folder::new("state");
            let store = Store::new(folder.path());
            (folder, store)
        };
    }
    STORE.with(|(_, store)| check(store, document));
}

fn check(store: &Store, document: &[u8]) {
    let id = RouterId::Network(209.into());
    let folder = store.router_folder(id);
    fs::create_dir_all(&folder).expect("a folder in memory");
    fs::write(folder.join("state.json"), document).expect("a file in memory");
    let Ok(state) = store.read(id) else { return };
    compiles(&state.router);
    let again = block_on(async {
        let locked = store.lock(id, std::future::pending()).await?;
        locked.save(&state)?;
        Ok::<_, DeviceError>(locked.load()?)
    });
    let again = again.expect("a state that was read can be saved and read again");
    if state.router.is_empty() {
        assert!(again.router.is_empty());
    } else {
        assert_eq!(
            (again.router, again.epoch, again.superseded),
            (state.router, state.epoch, state.superseded)
        );
    }
}

/// Everything that a router compiles to is written, and changing to it from nothing as well.
pub(super) fn compiles(router: &Router) {
    let nothing = Router::new(router.id);
    let (from, to) = (CompiledRouter::new(&nothing), CompiledRouter::new(router));
    let _ = (to.links(), to.routing(), to.packets().create(), to.packets().replace());
    let _ = (from.packets().change_to(to.packets()), to.packets().change_to(from.packets()));
    let _ = (from.flows_to_cut(&to), to.flows_to_cut(&from));
}
