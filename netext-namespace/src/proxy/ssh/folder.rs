//! The folder of what outlives one command: the sockets of connections, their locks, the keys of hosts.

use std::fs::{self, DirBuilder, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::rand::{GetRandomFlags, getrandom};
use siphasher::sip::SipHasher24;

use crate::proxy::error::HostError;
use crate::proxy::target::{Host, Login};

/// How long the path of a socket may be, its end included.
const LONGEST_SOCKET: usize = 108;
/// What ssh appends to it while the connection comes up.
const WHILE_BEGINNING: usize = ".0123456789abcdef".len();

/// A folder that nobody else can look into.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    seal: [u8; 16],
}

impl Folder {
    /// Opens the folder, which is made if it is absent.
    pub(super) fn open(path: &Path) -> Result<Self, HostError> {
        // Where the host role runs on the same machine, daemons pass through the folder above.
        let parent = path.parent().unwrap_or(path);
        DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(parent)
            .map_err(failed("create the folder", parent))?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed("create the folder", path))?;
        let file = path.join("seal");
        let seal = seal(&file).map_err(failed("read or make", &file))?;
        Ok(Self { path: path.to_owned(), seal })
    }

    /// The keys that hosts were seen with first.
    pub(super) fn known_hosts(&self) -> PathBuf {
        self.path.join("known_hosts")
    }

    /// The socket of a connection, and the lock of who begins it. Another account, or other credentials, make
    /// another connection.
    ///
    /// The name is seen in the list of processes: without the seal nobody can try passwords on it.
    pub(super) fn connection(
        &self,
        host: &Host,
        login: &Login,
        number: usize,
    ) -> Result<Connection, HostError> {
        let mut hasher = SipHasher24::new_with_key(&self.seal);
        (host, &login.user, login.port, &login.host_keys).hash(&mut hasher);
        let secrets =
            [&login.key, &login.password].map(|it| it.as_ref().map(netext_protocol::Secret::expose));
        secrets.hash(&mut hasher);
        let socket = self.path.join(format!("{:016x}-{number}", hasher.finish()));
        if socket.as_os_str().len() + WHILE_BEGINNING >= LONGEST_SOCKET {
            let source =
                io::Error::other("the path is too long for a socket; set NETEXT_STATE_ROOT to a shorter one");
            return Err(failed("use", &socket)(source));
        }
        Ok(Connection { lock: socket.with_extension("lock"), socket })
    }
}

/// Where a connection is found.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) socket: PathBuf,
    pub(super) lock: PathBuf,
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> HostError {
    let path = path.to_owned();
    move |source| HostError::Local { action, path, source }
}

/// Random bytes that are drawn once.
fn seal(path: &Path) -> io::Result<[u8; 16]> {
    let read =
        || fs::read(path).map(|bytes| bytes.try_into().map_err(|_| io::Error::other("not 16 bytes long")));
    match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        read => return read?,
    }
    let mut drawn = [0; 16];
    getrandom(&mut drawn, GetRandomFlags::empty())?;
    // Under its name it is whole, whoever reads it; of several the first one stays.
    let draft = path.with_extension(std::process::id().to_string());
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?.write_all(&drawn)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => read()?,
    }
}
