//! Locks on files.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use tokio::sync::oneshot;

use crate::wait::locked_by;

/// A file that is locked until this is dropped. A lock file is never removed: two processes could hold one by the same
/// name.
#[derive(Debug)]
pub(crate) struct FileLock(#[expect(dead_code, reason = "held, not used")] File);

impl FileLock {
    /// Locks a file, which is created if it is absent. `None` if its holder did not release it before `called_off`.
    pub(crate) async fn acquire(
        path: &Path,
        called_off: impl Future<Output = ()>,
    ) -> io::Result<Option<Self>> {
        let file = open_lock(path)?;
        if try_lock(&file)? {
            return Ok(Some(Self(file)));
        }
        tokio::select! {
            file = wait(file) => file.map(|file| Some(Self(file))),
            () = called_off => Ok(None),
        }
    }

    /// Locks a file, which is created if it is absent. `None` if another process holds it.
    pub(crate) fn try_acquire(path: &Path) -> io::Result<Option<Self>> {
        let file = open_lock(path)?;
        Ok(try_lock(&file)?.then_some(Self(file)))
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    match File::open(path) {
        // A file system that became read-only has the file already.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
        }
        opened => opened,
    }
}

fn try_lock(file: &File) -> io::Result<bool> {
    locked_by(file, Instant::now())
}

/// Waits on a thread: the kernel's wait for a lock cannot be called off. If the thread gets the lock when nobody waits
/// any more, it closes the file, which releases it.
async fn wait(file: File) -> io::Result<File> {
    /// How often the lock is tried where no thread can be started. Others then come first.
    const AGAIN: Duration = Duration::from_millis(5);

    let file = Arc::new(file);
    let (done, locked) = oneshot::channel();
    let waited_for = Arc::clone(&file);
    let waiting = thread::Builder::new().name("lock".to_owned()).spawn(move || {
        let result = flock(&*waited_for, FlockOperation::LockExclusive).map_err(io::Error::from);
        drop(waited_for);
        drop(done.send(result));
    });
    if waiting.is_ok() {
        locked.await.unwrap_or_else(|_| Err(io::Error::other("the thread that waited for it ended")))?;
    } else {
        while !try_lock(&file)? {
            tokio::time::sleep(AGAIN).await;
        }
    }
    Arc::into_inner(file).ok_or_else(|| io::Error::other("another thread still has it"))
}
