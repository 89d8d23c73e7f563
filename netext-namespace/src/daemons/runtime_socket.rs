//! Questions at the socket on which a running haproxy tells of itself.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Instant;

use rustix::io::{Errno, read};
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, send, socket_with,
};

use crate::wait::readable_by;

/// The state of tens of thousands of members.
const LONGEST_ANSWER: usize = 8 << 20;

/// Whether an error says that haproxy does not answer, and not that this process could not ask.
pub(super) fn is_silence(error: &io::Error) -> bool {
    use ErrorKind::{
        BrokenPipe, ConnectionRefused, ConnectionReset, FileTooLarge, NotFound, TimedOut, UnexpectedEof,
        WouldBlock, WriteZero,
    };
    matches!(
        error.kind(),
        NotFound
            | ConnectionRefused
            | ConnectionReset
            | BrokenPipe
            | TimedOut
            | UnexpectedEof
            | FileTooLarge
            | WriteZero
            // As many questions as it lets wait were asked before.
            | WouldBlock
    )
}

/// The whole answer to a question, if it ends before the deadline.
pub(super) fn ask(socket: &Path, question: &[u8], deadline: Instant) -> io::Result<Vec<u8>> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let stream = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    // It succeeds at once or fails.
    connect(&stream, &SocketAddrUnix::new(socket)?)?;
    if send(&stream, question, SendFlags::NOSIGNAL)? < question.len() {
        return Err(ErrorKind::WriteZero.into());
    }
    let mut answer = Vec::new();
    let mut part = [0; 16 * 1024];
    loop {
        if !readable_by(&stream, deadline)? {
            return Err(ErrorKind::TimedOut.into());
        }
        match read(&stream, &mut part) {
            Ok(0) if answer.is_empty() => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(0) => return Ok(answer),
            Ok(length) => answer.extend_from_slice(&part[..length]),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if answer.len() > LONGEST_ANSWER {
            return Err(ErrorKind::FileTooLarge.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_haproxy_that_does_not_answer_is_not_waited_for_longer_than_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("haproxy.sock");
        let ask = || ask(&socket, b"show info\n", Instant::now() + Duration::from_millis(100));
        assert_eq!(ask().unwrap_err().kind(), ErrorKind::NotFound);
        let silent = UnixListener::bind(&socket).unwrap();
        let begun = Instant::now();
        assert_eq!(ask().unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(begun.elapsed() < Duration::from_secs(5));
        drop(silent);
        assert_eq!(ask().unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
}
