//! Network namespaces by name, as iproute2 keeps them: a bind mount of the namespace on a file under
//! `/run/netns`, so that `ip netns` lists, enters and deletes them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use nix::sched::{CloneFlags, unshare};
use rustix::fs::{Mode, OFlags, fstatfs, open};
use rustix::io::Errno;
use rustix::mount::{
    MountPropagationFlags, UnmountFlags, mount_bind, mount_bind_recursive, mount_change, unmount,
};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::model::NamespaceName;
use crate::wait::locked_by;

/// Where iproute2 keeps named namespaces (`/var/run` is a link to `/run`).
const FOLDER: &str = "/run/netns";
/// File system type of namespaces, `NSFS_MAGIC` in `linux/magic.h`.
const NSFS_MAGIC: i64 = 0x6e73_6673;

/// Why a namespace cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// A step failed.
    #[error("cannot {attempted} for namespace {name}")]
    Failed {
        /// The namespace.
        name: NamespaceName,
        /// What was attempted, to be read after "cannot".
        attempted: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process holds the lock on the folder of namespaces.
    #[error(
        "cannot create namespace {name}: {holder} holds the lock on {FOLDER} and did not let go in time; end it, or try \
         again"
    )]
    Locked {
        /// The namespace.
        name: NamespaceName,
        /// The process that holds it.
        holder: String,
    },
    /// The code that ran inside the namespace panicked.
    #[error("panicked inside namespace {name}: {message}")]
    Panicked {
        /// The namespace.
        name: NamespaceName,
        /// The message of the panic.
        message: String,
    },
}

/// An open network namespace.
///
/// It stays usable for as long as this value lives, even when its name is removed.
#[derive(Debug)]
pub struct Namespace {
    name: NamespaceName,
    descriptor: OwnedFd,
    is_new: bool,
}

impl Namespace {
    /// The namespace of that name, created if there is none.
    ///
    /// A rehearsal creates none: it gets an empty one without a name, and finds in there what would be missing.
    pub fn ensure(name: &NamespaceName, deadline: Instant, pass: &mut Pass) -> Result<Self, NamespaceError> {
        if let Some(namespace) = Self::open(name)? {
            return Ok(namespace);
        }
        pass.differs(RouterPart::Namespace, DifferenceKind::Add, format!("create namespace {name}"));
        if pass.acts() { Self::create(name, deadline) } else { Self::nameless(name) }
    }

    /// An empty namespace without a name, which goes with this value. It stands for the one of that name.
    pub fn nameless(name: &NamespaceName) -> Result<Self, NamespaceError> {
        let descriptor = on_a_thread(name, || {
            unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| failed(name, "make a network stack", errno))?;
            open("/proc/thread-self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
                .map_err(|errno| failed(name, "open a network stack", errno))
        })??;
        Ok(Self { name: name.clone(), descriptor, is_new: true })
    }

    /// The namespace of that name, or `None` if there is none.
    ///
    /// A file without a namespace mounted on it, as an interrupted process leaves it, does not count.
    pub fn open(name: &NamespaceName) -> Result<Option<Self>, NamespaceError> {
        let descriptor = match open(path(name), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(failed(name, "open the file", errno)),
        };
        let status = fstatfs(&descriptor).map_err(|errno| failed(name, "look at the file system", errno))?;
        #[allow(
            clippy::unnecessary_cast,
            reason = "the field's type differs from one architecture to another"
        )]
        let is_namespace = status.f_type as i64 == NSFS_MAGIC;
        Ok(is_namespace.then(|| Self { name: name.clone(), descriptor, is_new: false }))
    }

    /// Creates a namespace and gives it its name; fails if the name is taken.
    ///
    /// A leftover file without a namespace is used. Another process may hold the folder of all namespaces until the
    /// deadline.
    pub fn create(name: &NamespaceName, deadline: Instant) -> Result<Self, NamespaceError> {
        if Self::open(name)?.is_some() {
            return Err(failed(name, "take the name", Errno::EXIST));
        }
        prepare_folder(name, deadline)?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o444).open(path(name));
        file.map_err(|source| failed(name, "create the file", source))?;

        on_a_thread(name, || {
            unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| failed(name, "make a network stack", errno))?;
            mount_bind("/proc/thread-self/ns/net", path(name))
                .map_err(|errno| failed(name, "mount it", errno))
        })??;
        // Opened again by its name, as other processes will find it.
        let found = Self::open(name)?.ok_or_else(|| failed(name, "find it after creation", Errno::NOENT))?;
        Ok(Self { is_new: true, ..found })
    }

    /// Removes the name, if there is one.
    ///
    /// The namespace itself goes when the last process leaves it and the last descriptor is closed. Its links go later
    /// still: before links of the same names are created, they must be deleted.
    pub fn delete(name: &NamespaceName) -> Result<(), NamespaceError> {
        let path = path(name);
        loop {
            match unmount(&path, UnmountFlags::DETACH) {
                // There may be several mounts on top of each other.
                Ok(()) => {}
                Err(Errno::INVAL | Errno::NOENT) => break,
                Err(errno) => return Err(failed(name, "unmount it", errno)),
            }
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed(name, "remove the file", error))
            }
            _ => Ok(()),
        }
    }

    /// Whether it was created just now, and is still empty.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The name under which it was opened.
    pub fn name(&self) -> &NamespaceName {
        &self.name
    }

    /// Runs `inside` in the namespace and returns its value.
    ///
    /// It runs on a thread of its own that ends with it, so that no early return or panic can leave the
    /// caller's thread in the wrong namespace. Sockets opened and processes spawned by it stay inside.
    pub fn enter<T: Send>(&self, inside: impl FnOnce() -> T + Send) -> Result<T, NamespaceError> {
        on_a_thread(&self.name, || {
            // The kernel checks the type, and refuses a file of another kind of namespace.
            move_into_link_name_space(self.as_fd(), Some(LinkNameSpaceType::Network))
                .map_err(|errno| failed(&self.name, "enter it", errno))?;
            Ok(inside())
        })?
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

fn path(name: &NamespaceName) -> PathBuf {
    Path::new(FOLDER).join(name.as_ref())
}

fn failed(name: &NamespaceName, attempted: &'static str, source: impl Into<io::Error>) -> NamespaceError {
    NamespaceError::Failed { name: name.clone(), attempted, source: source.into() }
}

fn on_a_thread<T: Send>(name: &NamespaceName, run: impl FnOnce() -> T + Send) -> Result<T, NamespaceError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name(format!("in {name}"))
            .spawn_scoped(scope, run)
            .map_err(|source| failed(name, "start a thread", source))?;
        thread.join().map_err(|panic| {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let message = text.or_else(|| panic.downcast_ref::<String>().cloned());
            NamespaceError::Panicked {
                name: name.clone(),
                message: message.unwrap_or_else(|| "no message".into()),
            }
        })
    })
}

/// Makes `/run/netns` a shared mount, as `ip netns add` does: a namespace deleted here must also disappear from the
/// mount namespaces of daemons, or they would keep it alive.
fn prepare_folder(name: &NamespaceName, deadline: Instant) -> Result<(), NamespaceError> {
    let failed = |source: io::Error| failed(name, "prepare /run/netns", source);
    fs::create_dir_all(FOLDER).map_err(failed)?;
    // iproute2 takes the same lock. A second mount would hide the content of the first.
    let folder = File::open(FOLDER).map_err(failed)?;
    if !locked_by(&folder, deadline).map_err(failed)? {
        return Err(NamespaceError::Locked { name: name.clone(), holder: holder(&folder) });
    }
    let shared = MountPropagationFlags::SHARED | MountPropagationFlags::REC;
    match mount_change(FOLDER, shared) {
        Err(Errno::INVAL) => {
            // Not a mount point yet.
            mount_bind_recursive(FOLDER, FOLDER).map_err(|errno| failed(errno.into()))?;
            mount_change(FOLDER, shared).map_err(|errno| failed(errno.into()))
        }
        outcome => outcome.map_err(|errno| failed(errno.into())),
    }
}

/// The process that holds the lock on a file, in words.
fn holder(file: &File) -> String {
    let named = || -> Option<String> {
        let number = file.metadata().ok()?.ino().to_string();
        let locks = fs::read_to_string("/proc/locks").ok()?;
        let pid = locks.lines().find_map(|line| {
            // Such as "1: FLOCK  ADVISORY  WRITE 1234 00:1a:77 0 EOF".
            let words: Vec<_> = line.split_ascii_whitespace().collect();
            let is_it = words.get(1) == Some(&"FLOCK") && words.get(5)?.rsplit(':').next() == Some(&number);
            is_it.then(|| words.get(4).map(|pid| (*pid).to_owned())).flatten()
        })?;
        let program = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        Some(format!("process {pid} ({})", program.trim()))
    };
    named().unwrap_or_else(|| "another process".to_owned())
}
