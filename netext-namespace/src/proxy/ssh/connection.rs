//! Connections to hosts, which outlive the command that began them: where they are found, and how a command runs over
//! one.
//!
//! Behind the socket of a connection is an ssh in the background. This talks OpenSSH's multiplexing protocol to it, so
//! that no further ssh is run.

use std::borrow::Cow;
use std::fs::{self, DirBuilder, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use netext_protocol::Secret;
use openssh_mux_client::{Connection, Error, EstablishedSession, NonZeroByteSlice, Session, SessionStatus};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::rand::{GetRandomFlags, getrandom};
use siphasher::sip::SipHasher24;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::timeout;

use crate::files::failed;
use crate::proxy::error::HostError;
use crate::proxy::fleet::SshLogin;
use crate::proxy::remote::HostAddress;
use crate::relay;

/// How long the path of a socket may be, with the zero at its end.
const LONGEST_SOCKET: usize = 108;
/// The suffix that ssh appends to it while the connection comes up.
const TEMPORARY_SUFFIX: usize = ".0123456789abcdef".len();
/// How long the ssh in the background may take to answer: it is on this machine.
const HELLO: Duration = Duration::from_secs(2);
/// How many bytes are read of what a host prints beside its reply.
const NOISE: u64 = 4096;
/// How many bytes a command other than the relay may print.
const MOST_OUTPUT: u64 = 64 << 20;
/// How many bytes of input are sent at a time.
const PIECE: usize = 64 << 10;

/// The folder of everything that outlives a command: the sockets of connections, their locks, and the keys of hosts.
/// It is private to its account.
#[derive(Clone, Debug)]
pub(super) struct SshFolder {
    path: PathBuf,
    seal: [u8; 16],
}

/// The place of a connection.
#[derive(Clone, Debug)]
pub(super) struct SshConnection {
    pub(super) socket: PathBuf,
    pub(super) lock: PathBuf,
}

impl SshFolder {
    /// Opens the folder, and makes it if it does not exist.
    pub(super) fn open(path: &Path) -> Result<Self, HostError> {
        // Where the host role runs on the same machine, daemons need access to folders inside the parent.
        for (folder, mode) in [(path.parent().unwrap_or(path), 0o711), (path, 0o700)] {
            let made = DirBuilder::new().recursive(true).mode(mode).create(folder);
            made.map_err(failed("create the folder", folder))?;
        }
        let file = path.join("seal");
        let seal = seal(&file).map_err(failed("read or make", &file))?;
        Ok(Self { path: path.to_owned(), seal })
    }

    /// The file of the host keys that were trusted on first use.
    pub(super) fn known_hosts(&self) -> PathBuf {
        self.path.join("known_hosts")
    }

    /// A connection to a host. Every account and all credentials have connections of their own.
    ///
    /// The socket's name appears in the list of processes. The seal keeps other users from guessing passwords with it.
    pub(super) fn connection(
        &self,
        host: &HostAddress,
        login: &SshLogin,
        number: usize,
    ) -> Result<SshConnection, HostError> {
        let mut hasher = SipHasher24::new_with_key(&self.seal);
        (host, &login.user, login.port, &login.host_keys).hash(&mut hasher);
        [&login.key, &login.password].map(|it| it.as_ref().map(Secret::expose)).hash(&mut hasher);
        let socket = self.path.join(format!("{:016x}-{number}", hasher.finish()));
        if socket.as_os_str().len() + TEMPORARY_SUFFIX >= LONGEST_SOCKET {
            let source =
                io::Error::other("the path is too long for a socket; set NETEXT_STATE_ROOT to a shorter one");
            return Err(failed("use", &socket)(source).into());
        }
        Ok(SshConnection { lock: socket.with_extension("lock"), socket })
    }
}

/// Random bytes that are drawn once for the folder.
fn seal(path: &Path) -> io::Result<[u8; 16]> {
    let read =
        || fs::read(path).map(|bytes| bytes.try_into().map_err(|_| io::Error::other("not 16 bytes long")));
    match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        read => return read?,
    }
    let mut drawn = [0; 16];
    getrandom(&mut drawn, GetRandomFlags::empty())?;
    // No reader sees a part of it, and of several processes that draw at once the first one wins.
    let draft = path.with_extension(std::process::id().to_string());
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?.write_all(&drawn)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => read()?,
    }
}

/// Why a command did not start.
#[derive(Debug)]
pub(super) enum SessionError {
    /// No ssh answers behind the socket.
    NoConnection,
    /// The host answers, but accepts no more sessions over this connection.
    Full,
    /// This machine is at fault.
    Local(io::Error),
}

impl From<io::Error> for SessionError {
    fn from(error: io::Error) -> Self {
        Self::Local(error)
    }
}

/// A command that runs on a host. If this is dropped, the command's standard input ends.
#[derive(Debug)]
pub(super) struct RemoteSession {
    session: EstablishedSession,
    stdin: Sender,
    stdout: Receiver,
    stderr: Receiver,
}

/// How a command ended that ran to its end.
#[derive(Debug)]
pub(super) struct SessionEnd {
    /// Its exit code, unless the connection ended.
    pub(super) exit: Option<u32>,
    /// Its standard output.
    pub(super) output: Vec<u8>,
    /// What it printed besides.
    pub(super) words: String,
}

impl SshConnection {
    /// Whether an ssh in the background answers.
    pub(super) async fn is_up(&self) -> bool {
        matches!(timeout(HELLO, Connection::connect(&self.socket)).await, Ok(Ok(_)))
    }

    /// Starts a command on the host.
    pub(super) async fn start(&self, command: &str) -> Result<RemoteSession, SessionError> {
        let Ok(Ok(connection)) = timeout(HELLO, Connection::connect(&self.socket)).await else {
            return Err(SessionError::NoConnection);
        };
        let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from);
        let (read, write, errors) = (pipe()?, pipe()?, pipe()?);
        let no_bytes = || io::Error::from(ErrorKind::InvalidInput);
        let command = NonZeroByteSlice::new(command.as_bytes()).ok_or_else(no_bytes)?;
        let terminal = NonZeroByteSlice::new(b"").ok_or_else(no_bytes)?;
        let session = Session::builder().cmd(Cow::Borrowed(command)).term(Cow::Borrowed(terminal)).build();
        let streams = [read.0.as_raw_fd(), write.1.as_raw_fd(), errors.1.as_raw_fd()];
        let session = connection.open_new_session(&session, &streams).await.map_err(|error| match error {
            Error::RequestFailure(_) | Error::PermissionDenied(_) => SessionError::Full,
            _ => SessionError::NoConnection,
        })?;
        // ssh alone holds the other ends now.
        Ok(RemoteSession {
            session,
            stdin: Sender::from_owned_fd(read.1)?,
            stdout: Receiver::from_owned_fd(write.0)?,
            stderr: Receiver::from_owned_fd(errors.0)?,
        })
    }
}

impl RemoteSession {
    /// Sends a request to the relay and returns the line of its reply, or how the command ended without one. Its
    /// standard input stays open until then, because the end of it would call the command off.
    pub(super) async fn ask(self, line: &str, payload: &[u8]) -> io::Result<Result<Vec<u8>, SessionEnd>> {
        let Self { session, mut stdin, stdout, stderr } = self;
        let write = async {
            // A command that does not read to the end prints the reason.
            let _ = async {
                stdin.write_all(line.as_bytes()).await?;
                stdin.write_all(payload).await
            }
            .await;
            stdin
        };
        let mut words = Vec::new();
        let mut errors = stderr.take(NOISE);
        let read = async {
            let mut stdout = BufReader::new(stdout);
            let mut noise = Vec::new();
            loop {
                let mut line = Vec::new();
                if stdout.read_until(b'\n', &mut line).await? == 0 {
                    return io::Result::Ok(Err(noise));
                }
                if relay::is_reply(&line) {
                    return Ok(Ok(line));
                }
                if (noise.len() as u64) < NOISE {
                    noise.append(&mut line);
                }
            }
        };
        let received = {
            // The input stays open until there is a reply, even if all of it was sent long before.
            let both = async {
                let (_stdin, received) = tokio::join!(write, read);
                received
            };
            tokio::pin!(both);
            tokio::select! {
                received = &mut both => received,
                _ = errors.read_to_end(&mut words) => both.await,
            }?
        };
        match received {
            Ok(line) => Ok(Ok(line)),
            Err(noise) => {
                let _ = timeout(HELLO, errors.read_to_end(&mut words)).await;
                words.extend(noise);
                Ok(Err(SessionEnd::of(session, Vec::new(), &words).await))
            }
        }
    }

    /// Sends all of the input to the command and runs it to its end. `sent` is called with the number of further bytes
    /// that were sent.
    pub(super) async fn finish(self, input: &[u8], mut sent: impl FnMut(usize)) -> io::Result<SessionEnd> {
        let Self { session, mut stdin, stdout, mut stderr } = self;
        let write = async move {
            for piece in input.chunks(PIECE) {
                // A command that does not read to the end prints the reason.
                if stdin.write_all(piece).await.is_err() {
                    break;
                }
                sent(piece.len());
            }
            Ok(())
        };
        let mut output = Vec::new();
        let read = async {
            let length = stdout.take(MOST_OUTPUT).read_to_end(&mut output).await?;
            if length as u64 == MOST_OUTPUT { Err(io::Error::from(ErrorKind::FileTooLarge)) } else { Ok(()) }
        };
        let mut words = Vec::new();
        let overhear = async {
            (&mut stderr).take(NOISE).read_to_end(&mut words).await?;
            tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await
        };
        tokio::try_join!(write, read, overhear)?;
        Ok(SessionEnd::of(session, output, &words).await)
    }
}

impl SessionEnd {
    async fn of(session: EstablishedSession, output: Vec<u8>, words: &[u8]) -> Self {
        let exit = match session.wait().await {
            Ok(SessionStatus::Exited { exit_value }) => exit_value,
            _ => None,
        };
        Self { exit, output, words: String::from_utf8_lossy(words).into_owned() }
    }
}
