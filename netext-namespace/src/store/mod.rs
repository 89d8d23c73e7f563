//! The state of every router on disk, and its lock.
//!
//! A command that works on a router locks `<root>/lock-network-<id>`. `<root>/network-<id>/state.json` is replaced as a
//! whole or not at all.

mod document;

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use netext_protocol::{NetworkId, VpcId};

use crate::files::{self, Access, Durability, FileError, FileLock, failed};
use crate::metadata::Instances;
use crate::model::{Router, RouterId};

pub(crate) use document::ProgramBuild;
pub use document::RouterState;

/// The file in a network's folder that names the VPC of which the network is a tier.
const VPC_FILE: &str = "vpc";

/// The folder in which this extension keeps the state of its routers.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// A router that no other command works on until this is dropped.
#[derive(Debug)]
pub struct LockedRouter {
    router: RouterId,
    folder: PathBuf,
    _lock: FileLock,
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

    /// Whether a router has a state.
    pub fn has(&self, router: RouterId) -> bool {
        self.router_folder(router).join(document::FILE).exists()
    }

    /// Creates the missing folders of a router and its networks.
    pub fn make_folders(&self, router: &Router) -> Result<(), StoreError> {
        if !router.is_empty() {
            make_folder(&self.router_folder(router.id))?;
        }
        for network in router.tiers.keys() {
            make_folder(&self.network_folder(*network))?;
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
        Ok(files::replace(&path, format!("{vpc}\n").as_bytes(), Access::Owner, Durability::Whole)?)
    }

    /// Removes the folder of a network that no longer exists.
    pub fn forget_network(&self, network: NetworkId) -> Result<(), StoreError> {
        Ok(files::remove_folder(&self.network_folder(network))?)
    }

    /// The routers that have a state, readable or not, in order.
    pub fn routers(&self) -> Result<Vec<RouterId>, StoreError> {
        let list = || failed("list the folder", &self.root);
        let entries = files::absent_is_none(fs::read_dir(&self.root)).map_err(list())?;
        let mut routers = Vec::new();
        for entry in entries.into_iter().flatten() {
            let name = entry.map_err(list())?.file_name();
            let id = name.to_str().and_then(|name| name.parse::<RouterId>().ok());
            // The folder of a VPC's tier has the name of a router, but no state.
            routers.extend(id.filter(|id| self.has(*id)));
        }
        routers.sort_unstable();
        Ok(routers)
    }

    /// The state of a router. Does not wait for a command that works on the router.
    pub fn read(&self, router: RouterId) -> Result<RouterState, StoreError> {
        document::load(&self.router_folder(router), router)
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
}

/// Creates a folder and those above it. Only its owner can list it. Daemons, which are not root, must be able to pass
/// through to their own folder, whatever the umask of the caller and of the folder's creator.
fn make_folder(path: &Path) -> Result<(), FileError> {
    const PASSABLE: u32 = 0o711;

    let absent = |above: &&Path| !above.as_os_str().is_empty() && !above.exists();
    path.parent().filter(absent).map_or(Ok(()), make_folder)?;
    DirBuilder::new()
        .recursive(true)
        .mode(PASSABLE)
        .create(path)
        .map_err(failed("create the folder", path))?;
    let mode = fs::metadata(path).map_err(failed("look at the folder", path))?.permissions().mode();
    if mode & PASSABLE != PASSABLE {
        let passable = Permissions::from_mode(mode & 0o7777 | PASSABLE);
        fs::set_permissions(path, passable).map_err(failed("let daemons pass through", path))?;
    }
    Ok(())
}
