//! Files that are locked while somebody works on what they stand for. They are never removed: a lock file that is
//! lets two holders in.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tokio::sync::oneshot;

/// A file that is locked until this is dropped.
#[derive(Debug)]
pub(crate) struct FileLock(#[expect(dead_code, reason = "held, not used")] File);

impl FileLock {
    /// Locks a file, which is made if it is absent. `None` if whoever has it did not let go before `called_off`
    /// was over.
    pub(crate) async fn acquire(
        path: &Path,
        called_off: impl Future<Output = ()>,
    ) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self(file))),
            Err(Errno::WOULDBLOCK) => tokio::select! {
                file = wait(file) => file.map(|file| Some(Self(file))),
                () = called_off => Ok(None),
            },
            Err(error) => Err(error.into()),
        }
    }
}

/// The kernel has no lock that one could stop waiting for, so a thread waits, and we for the thread. What it
/// gets when nobody waits any more, it lets go of with the file.
async fn wait(file: File) -> io::Result<File> {
    let (done, locked) = oneshot::channel();
    std::thread::spawn(move || {
        let result = flock(&file, FlockOperation::LockExclusive).map(|()| file).map_err(io::Error::from);
        drop(done.send(result));
    });
    locked.await.unwrap_or_else(|_| Err(io::Error::other("the thread that waited for it ended")))
}
