//! The state of every router on disk, and its lock.
//!
//! `<root>/lock-network-<id>` is locked by whoever works on the router and never unlinked: a lock file that
//! is removed lets two holders in. `<root>/network-<id>/state.json` is replaced as a whole or not at all.

mod build;
mod document;
mod lock;

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use netext_protocol::{NetworkId, VpcId};

use crate::model::{Router, RouterId};

pub(crate) use build::Build;
pub use document::RouterState;
pub use lock::LockedRouter;

/// Says in a network's folder which VPC the network is a tier of.
const VPC_FILE: &str = "vpc";

/// Where the routers of this extension keep their state.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// Why a router's state could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
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
    /// The state cannot be understood.
    #[error(
        "{} is damaged: {source}; move it away and restart the network with cleanup to build the router anew",
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
    /// The store below a folder, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder of a guest network: what its daemons and its instances are told lies there.
    pub fn network_folder(&self, network: NetworkId) -> PathBuf {
        self.root.join(format!("network-{network}"))
    }

    /// The folder of a router: its state lies there.
    pub fn router_folder(&self, router: RouterId) -> PathBuf {
        self.root.join(router.to_string())
    }

    /// The folder that everything lies in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the operator's own actions.
    pub fn hooks_folder(&self) -> PathBuf {
        self.root.join("hooks")
    }

    /// Whether there is a state of a router.
    pub fn has(&self, router: RouterId) -> bool {
        self.router_folder(router).join(document::FILE).exists()
    }

    /// Makes the folders of a router and its networks, where they are missing.
    pub fn make_folders(&self, router: &Router) -> Result<(), StoreError> {
        if !router.is_empty() {
            folder(&self.router_folder(router.id))?;
        }
        for network in router.tiers.keys() {
            folder(&self.network_folder(*network))?;
            if let RouterId::Vpc(vpc) = router.id {
                self.note_vpc(*network, vpc)?;
            }
        }
        Ok(())
    }

    /// The VPC that a network is a tier of, if it is one that was ever served here. Not every command names the VPC.
    pub fn vpc_of(&self, network: NetworkId) -> Result<Option<VpcId>, StoreError> {
        let path = self.network_folder(network).join(VPC_FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("read", &path)(error)),
        }
    }

    /// A network is a tier of one VPC for as long as it exists.
    fn note_vpc(&self, network: NetworkId, vpc: VpcId) -> Result<(), StoreError> {
        let path = self.network_folder(network).join(VPC_FILE);
        if path.exists() {
            return Ok(());
        }
        replace_private(&path, format!("{vpc}\n").as_bytes())
    }

    /// Forgets what was kept for a network that is gone; one that is not there is forgotten already.
    pub fn forget_network(&self, network: NetworkId) -> Result<(), StoreError> {
        forget(&self.network_folder(network))
    }

    /// The routers that have a state, in order; whether it can be read is another question.
    pub fn routers(&self) -> Result<Vec<RouterId>, StoreError> {
        let entries = match std::fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(io_error("list the folder", &self.root))?,
        };
        let mut routers = Vec::new();
        for entry in entries {
            let name = entry.map_err(io_error("list the folder", &self.root))?.file_name();
            let id = name.to_str().and_then(|name| name.parse::<RouterId>().ok());
            // The folder of a tier of a VPC looks like that of a router, but for its state.
            routers.extend(id.filter(|id| self.has(*id)));
        }
        routers.sort_unstable();
        Ok(routers)
    }

    /// What the last command left of a router, without waiting for one that is at work on it.
    pub fn read(&self, router: RouterId) -> Result<RouterState, StoreError> {
        document::load(&self.router_folder(router), router)
    }

    /// Locks a router, waiting for whoever works on it until `called_off` is over.
    pub async fn lock(
        &self,
        router: RouterId,
        called_off: impl Future<Output = ()>,
    ) -> Result<LockedRouter, StoreError> {
        folder(&self.root)?;
        LockedRouter::acquire(&self.root, router, called_off).await
    }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { action, path, source }
}

/// Replaces a file by one that nobody but its owner can read: after a crash at any moment it is the old one or the new
/// one.
fn replace_private(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let mut open = OpenOptions::new();
    open.create(true).truncate(true).write(true).mode(0o600);
    open.open(&new)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_data()))
        .map_err(io_error("write", &new))?;
    fs::rename(&new, path).map_err(io_error("replace", path))
}

fn forget(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error("remove", folder)(error)),
        _ => Ok(()),
    }
}

/// Makes a folder with those above it. Nobody but its owner can see what is in it; daemons of guests, which are
/// not root, pass through to a folder of their own, whatever the umask of the caller and whoever made it.
fn folder(path: &Path) -> Result<(), StoreError> {
    const PASSABLE: u32 = 0o711;

    let absent = |above: &&Path| !above.as_os_str().is_empty() && !above.exists();
    path.parent().filter(absent).map_or(Ok(()), folder)?;
    DirBuilder::new()
        .recursive(true)
        .mode(PASSABLE)
        .create(path)
        .map_err(io_error("create the folder", path))?;
    let mode = fs::metadata(path).map_err(io_error("look at the folder", path))?.permissions().mode();
    if mode & PASSABLE != PASSABLE {
        let passable = Permissions::from_mode(mode & 0o7777 | PASSABLE);
        fs::set_permissions(path, passable).map_err(io_error("let daemons pass through", path))?;
    }
    Ok(())
}
