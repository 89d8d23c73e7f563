//! The state of every router on disk, and its lock.
//!
//! A command that works on a router locks `<root>/lock-network-<id>`. `<root>/network-<id>/state.json` is replaced as a
//! whole or not at all: see [`LockedRouter`].

mod build;
mod generation;
mod locked;
mod state;

use std::fs::{self, DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use netext_protocol::{NetworkId, VpcId};

use crate::files::{self, Access, Durability, FileError, FileLock, VersionedFolder, failed};
use crate::metadata::Instances;
use crate::model::{Router, RouterId};

pub(crate) use build::ProgramBuild;
pub use generation::RulesetGeneration;
pub use locked::{InterruptedChange, LockedRouter, StagedState};
pub use state::RouterState;

/// The file in a network's folder that names the VPC of which the network is a tier.
const VPC_FILE: &str = "vpc";
/// The file in a router's folder that holds its state.
const STATE_FILE: &str = "state.json";

/// The folder in which this extension keeps the state of its routers.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// Why a router's state could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused an operation.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another command held the router for too long.
    #[error("{router} is busy: another command holds {} and did not let go in time; try again", path.display())]
    Busy {
        /// The router.
        router: RouterId,
        /// Its lock file.
        path: PathBuf,
    },
    /// The state was written by a later version of this program.
    #[error(
        "{} was written by a newer version (format {found}, this one knows {known}); install that version again",
        path.display()
    )]
    Newer {
        /// The state file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The latest format that this version reads.
        known: u32,
    },
    /// The state cannot be parsed.
    #[error(
        "{} is damaged; move it away and restart the network with cleanup to rebuild the router",
        path.display()
    )]
    Damaged {
        /// The state file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Store {
    /// The store in a folder, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder of a guest network: it holds the network's daemons and the metadata of its instances.
    pub fn network_folder(&self, network: NetworkId) -> PathBuf {
        self.root.join(format!("network-{network}"))
    }

    /// The metadata of a network's instances.
    pub fn instances(&self, network: NetworkId) -> Instances {
        Instances::in_folder(self.network_folder(network).join("metadata"))
    }

    /// The folder of a router: it holds the router's state.
    pub fn router_folder(&self, router: RouterId) -> PathBuf {
        self.root.join(router.to_string())
    }

    /// The folder that holds everything.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the operator's own actions.
    pub fn hooks_folder(&self) -> PathBuf {
        self.root.join("hooks")
    }

    /// Whether a router has a state, readable or not.
    pub fn has(&self, router: RouterId) -> Result<bool, StoreError> {
        let path = self.router_folder(router).join(STATE_FILE);
        Ok(path.try_exists().map_err(failed("look for", &path))?)
    }

    /// Whether a command changes a router's state at this moment, or was killed while it did.
    pub fn is_changing(&self, router: RouterId) -> Result<bool, StoreError> {
        let Some(folder) = VersionedFolder::open_existing(&self.router_folder(router))? else {
            return Ok(false);
        };
        Ok(folder.has_next(STATE_FILE)? || folder.has_old(STATE_FILE)?)
    }

    /// Creates the missing folders of a router and its networks. Returns those that it created.
    pub fn make_folders(&self, router: &Router) -> Result<NewFolders, StoreError> {
        let mut new = NewFolders::default();
        let made = self.make_router_folder(router, &mut new);
        made.and_then(|()| self.make_network_folders(router, &mut new))
            .inspect_err(|_| drop(new.remove()))?;
        Ok(new)
    }

    /// Creates the folder of a router's state, if it is missing, and adds it to those that are new.
    pub fn make_router_folder(&self, router: &Router, new: &mut NewFolders) -> Result<(), StoreError> {
        if !router.is_empty() {
            new.make(&self.router_folder(router.id))?;
        }
        Ok(())
    }

    /// Creates the missing folders of a router's networks, and adds them to those that are new.
    pub fn make_network_folders(&self, router: &Router, new: &mut NewFolders) -> Result<(), StoreError> {
        for network in router.tiers.keys() {
            new.make(&self.network_folder(*network))?;
            if let RouterId::Vpc(vpc) = router.id {
                self.note_vpc(*network, vpc)?;
            }
        }
        Ok(())
    }

    /// The VPC of which a network is a tier, if this host ever served it as one. Not every command names the VPC.
    pub fn vpc_of(&self, network: NetworkId) -> Result<Option<VpcId>, StoreError> {
        let text = files::read_text(&self.network_folder(network).join(VPC_FILE))?;
        Ok(text.and_then(|text| text.trim().parse().ok()))
    }

    /// A network is a tier of one VPC for as long as it exists.
    fn note_vpc(&self, network: NetworkId, vpc: VpcId) -> Result<(), StoreError> {
        let path = self.network_folder(network).join(VPC_FILE);
        if path.exists() {
            return Ok(());
        }
        files::replace(&path, format!("{vpc}\n").as_bytes(), Access::Owner, Durability::Whole)?;
        Ok(files::sync_folder(&self.network_folder(network))?)
    }

    /// Removes the folder of a VPC's tier that no longer exists. A folder that holds a state of its own stays.
    pub fn forget_network(&self, network: NetworkId) -> Result<(), StoreError> {
        if self.has(RouterId::Network(network))? {
            return Ok(());
        }
        Ok(files::remove_folder_for_good(&self.network_folder(network))?)
    }

    /// The routers that have a state, readable or not, or something of one that a killed command left, in order.
    pub fn routers(&self) -> Result<Vec<RouterId>, StoreError> {
        let list = || failed("list the folder", &self.root);
        let entries = files::absent_is_none(fs::read_dir(&self.root)).map_err(list())?;
        let mut routers = Vec::new();
        for entry in entries.into_iter().flatten() {
            let name = entry.map_err(list())?.file_name();
            let id = name.to_str().and_then(|name| name.parse::<RouterId>().ok());
            // The folder of a VPC's tier has the name of a router, but no state.
            match id {
                Some(id) if self.has(id)? || self.is_changing(id)? => routers.push(id),
                _ => {}
            }
        }
        routers.sort_unstable();
        Ok(routers)
    }

    /// The state of a router. Does not wait for a command that works on the router.
    pub fn read(&self, router: RouterId) -> Result<RouterState, StoreError> {
        load(&self.router_folder(router), router)
    }

    /// Locks a router, waiting for the command that works on it until `called_off`.
    pub async fn lock(
        &self,
        router: RouterId,
        called_off: impl Future<Output = ()>,
    ) -> Result<LockedRouter, StoreError> {
        make_folder(&self.root)?;
        let path = self.root.join(format!("lock-{router}"));
        let lock = FileLock::acquire(&path, called_off).await.map_err(failed("lock", &path))?;
        let lock = lock.ok_or(StoreError::Busy { router, path })?;
        Ok(LockedRouter { router, folder: self.router_folder(router), _lock: lock })
    }

    /// Locks a router; `None` if a command works on it.
    pub fn try_lock(&self, router: RouterId) -> Result<Option<LockedRouter>, StoreError> {
        make_folder(&self.root)?;
        let path = self.root.join(format!("lock-{router}"));
        let lock = FileLock::try_acquire(&path).map_err(failed("lock", &path))?;
        Ok(lock.map(|lock| LockedRouter { router, folder: self.router_folder(router), _lock: lock }))
    }
}

/// Folders that a change created.
#[derive(Debug, Default)]
#[must_use]
pub struct NewFolders(Vec<PathBuf>);

impl NewFolders {
    fn make(&mut self, path: &Path) -> Result<(), FileError> {
        if make_folder(path)? {
            self.0.push(path.to_owned());
        }
        Ok(())
    }

    /// Removes them, with all that is in them.
    pub fn remove(&self) -> Result<(), StoreError> {
        Ok(self.0.iter().rev().try_for_each(|folder| files::remove_folder_for_good(folder))?)
    }
}

/// Creates a folder and those above it; false if it exists. Only its owner can list it. Daemons, which are not root,
/// must be able to pass through to their own folder, whatever the umask of the caller and of the folder's creator.
fn make_folder(path: &Path) -> Result<bool, FileError> {
    const PASSABLE: u32 = 0o711;

    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    let create = || DirBuilder::new().mode(PASSABLE).create(path);
    let created = match create() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            above.map_or(Ok(false), make_folder)?;
            create()
        }
        created => created,
    };
    let is_new = match created {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
        Err(error) => return Err(failed("create the folder", path)(error)),
    };
    let finished = admit_daemons(path, PASSABLE).and_then(|()| match above {
        Some(above) if is_new => files::sync_folder(above),
        _ => Ok(()),
    });
    if let (Err(_), true) = (&finished, is_new) {
        // The error that is reported is the one that came first.
        let _ = fs::remove_dir(path);
    }
    finished.map(|()| is_new)
}

fn admit_daemons(path: &Path, passable: u32) -> Result<(), FileError> {
    let mode = fs::metadata(path).map_err(failed("look at the folder", path))?.permissions().mode();
    if mode & passable != passable {
        let passable = Permissions::from_mode(mode & 0o7777 | passable);
        fs::set_permissions(path, passable).map_err(failed("let daemons pass through", path))?;
    }
    Ok(())
}

fn load(folder: &Path, router: RouterId) -> Result<RouterState, StoreError> {
    let path = folder.join(STATE_FILE);
    let Some(bytes) = files::read(&path)? else { return Ok(RouterState::new(router)) };
    RouterState::from_document(&bytes, &path)
}
