//! One command on a host, over a connection that is up. What is said to the ssh in the background is OpenSSH's
//! multiplexing protocol: no further ssh is run.

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use openssh_mux_client::{Connection, Error, EstablishedSession, NonZeroByteSlice, Session};
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::timeout;

use crate::relay;

/// How long the ssh in the background may take to say hello: it is on this machine.
const HELLO: Duration = Duration::from_secs(2);
/// How much of what a host says beside its answer is read.
const NOISE: u64 = 4096;
/// How much may be printed by a command that is not a call.
const MOST_OUTPUT: u64 = 64 << 20;
/// How much is handed over at a time.
const PIECE: usize = 64 << 10;

/// Why there is no session.
#[derive(Debug)]
pub(super) enum NoSession {
    /// Nothing, or nothing alive, is behind the socket.
    NoConnection,
    /// The host answers, but carries no more sessions over this connection.
    Full,
    /// This machine is at fault.
    Local(io::Error),
}

/// A command that runs on a host. Dropped, it ends the command's standard input.
#[derive(Debug)]
pub(super) struct Running {
    session: EstablishedSession,
    stdin: Sender,
    stdout: Receiver,
    stderr: Receiver,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Heard {
    /// The line of an answer.
    Answer(Vec<u8>),
    /// The command ended without one.
    Nothing {
        /// Its exit code, unless the connection ended.
        exit: Option<u32>,
        /// What it said instead.
        words: String,
    },
}

/// What came of a command that was run to its end.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit code, unless the connection ended.
    pub(super) exit: Option<u32>,
    /// What it printed.
    pub(super) output: Vec<u8>,
    /// What it said beside that.
    pub(super) words: String,
}

/// Whether an ssh in the background says hello.
pub(super) async fn is_served(socket: &Path) -> bool {
    matches!(timeout(HELLO, Connection::connect(socket)).await, Ok(Ok(_)))
}

/// Starts a command on the host.
pub(super) async fn start(socket: &Path, command: &str) -> Result<Running, NoSession> {
    let Ok(Ok(connection)) = timeout(HELLO, Connection::connect(socket)).await else {
        return Err(NoSession::NoConnection);
    };
    let (read, write, errors) = (pipe()?, pipe()?, pipe()?);
    let no_bytes = || NoSession::Local(io::Error::from(ErrorKind::InvalidInput));
    let command = NonZeroByteSlice::new(command.as_bytes()).ok_or_else(no_bytes)?;
    let terminal = NonZeroByteSlice::new(b"").ok_or_else(no_bytes)?;
    let session = Session::builder().cmd(Cow::Borrowed(command)).term(Cow::Borrowed(terminal)).build();
    let streams = [read.0.as_raw_fd(), write.1.as_raw_fd(), errors.1.as_raw_fd()];
    let session = connection.open_new_session(&session, &streams).await.map_err(|error| match error {
        Error::RequestFailure(_) | Error::PermissionDenied(_) => NoSession::Full,
        _ => NoSession::NoConnection,
    })?;
    // The other ends are with ssh now, and only there.
    Ok(Running {
        session,
        stdin: Sender::from_owned_fd(read.1)?,
        stdout: Receiver::from_owned_fd(write.0)?,
        stderr: Receiver::from_owned_fd(errors.0)?,
    })
}

impl From<io::Error> for NoSession {
    fn from(error: io::Error) -> Self {
        Self::Local(error)
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(pipe_with(PipeFlags::CLOEXEC)?)
}

impl Running {
    /// Says something to the command and hears its answer. Its standard input stays open until then: the end of it
    /// would call the command off.
    pub(super) async fn ask(self, line: &str, payload: &[u8]) -> io::Result<Heard> {
        let Self { session, mut stdin, stdout, stderr } = self;
        let say = async {
            // What does not hear us to the end tells why by what it says itself.
            let _ = async {
                stdin.write_all(line.as_bytes()).await?;
                stdin.write_all(payload).await
            }
            .await;
            stdin
        };
        let mut words = Vec::new();
        let mut errors = stderr.take(NOISE);
        let listen = async {
            let mut stdout = BufReader::new(stdout);
            let mut noise = Vec::new();
            loop {
                let mut line = Vec::new();
                if stdout.read_until(b'\n', &mut line).await? == 0 {
                    return io::Result::Ok(Err(noise));
                }
                if relay::is_answer(&line) {
                    return Ok(Ok(line));
                }
                if (noise.len() as u64) < NOISE {
                    noise.append(&mut line);
                }
            }
        };
        let heard = {
            // The input is held until something was heard, however long it took to say all of it.
            let both = async {
                let (_stdin, heard) = tokio::join!(say, listen);
                heard
            };
            tokio::pin!(both);
            tokio::select! {
                heard = &mut both => heard,
                _ = errors.read_to_end(&mut words) => both.await,
            }?
        };
        match heard {
            Ok(line) => Ok(Heard::Answer(line)),
            Err(noise) => {
                let _ = timeout(HELLO, errors.read_to_end(&mut words)).await;
                words.extend(noise);
                let exit = exit_of(session).await;
                Ok(Heard::Nothing { exit, words: String::from_utf8_lossy(&words).into_owned() })
            }
        }
    }

    /// Hands the command its input, to the end of that, and hears it to its own end. `written` is told how many more
    /// bytes were handed over.
    pub(super) async fn finish(self, input: &[u8], mut written: impl FnMut(usize)) -> io::Result<Ended> {
        let Self { session, mut stdin, stdout, mut stderr } = self;
        let say = async move {
            for piece in input.chunks(PIECE) {
                // What does not read to the end tells why by what it says itself.
                if stdin.write_all(piece).await.is_err() {
                    break;
                }
                written(piece.len());
            }
            Ok(())
        };
        let mut output = Vec::new();
        let listen = async {
            let read = stdout.take(MOST_OUTPUT).read_to_end(&mut output).await?;
            if read as u64 == MOST_OUTPUT { Err(io::Error::from(ErrorKind::FileTooLarge)) } else { Ok(()) }
        };
        let mut words = Vec::new();
        let overhear = async {
            (&mut stderr).take(NOISE).read_to_end(&mut words).await?;
            tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await
        };
        tokio::try_join!(say, listen, overhear)?;
        let exit = exit_of(session).await;
        Ok(Ended { exit, output, words: String::from_utf8_lossy(&words).into_owned() })
    }
}

/// `None` if the connection ended before the command.
async fn exit_of(session: EstablishedSession) -> Option<u32> {
    match session.wait().await {
        Ok(openssh_mux_client::SessionStatus::Exited { exit_value }) => exit_value,
        _ => None,
    }
}
