//! The state of every router on disk, and its lock.
//!
//! A command that works on a router locks `<root>/lock-network-<id>`. `<root>/network-<id>/state.json` is replaced as a
//! whole or not at all.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::{env, fmt};

use netext_protocol::{NetworkId, VpcId};
use serde::{Deserialize, Serialize};

use crate::files::{self, Access, Durability, FileError, FileLock, failed};
use crate::metadata::Instances;
use crate::model::{Router, RouterId};

/// The file in a network's folder that names the VPC of which the network is a tier.
const VPC_FILE: &str = "vpc";
/// The file in a router's folder that holds its state.
const STATE_FILE: &str = "state.json";

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
        self.router_folder(router).join(STATE_FILE).exists()
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
        let path = self.folder.join(STATE_FILE);
        let document =
            serde_json::to_vec(&StateDocument { format: FORMAT, build: ProgramBuild::running(), state })
                .map_err(|error| failed("write", &path)(error.into()))?;
        Ok(files::replace(&path, &document, Access::Owner, Durability::Lasting)?)
    }

    /// Removes the router's state, but not its folder: that of a network serves a tier as well.
    pub fn remove_state(&self) -> Result<(), StoreError> {
        Ok(files::remove(&self.folder.join(STATE_FILE))?)
    }

    /// Removes the router's folder.
    pub fn forget(&self) -> Result<(), StoreError> {
        Ok(files::remove_folder(&self.folder)?)
    }
}

fn load(folder: &Path, router: RouterId) -> Result<RouterState, StoreError> {
    let path = folder.join(STATE_FILE);
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
