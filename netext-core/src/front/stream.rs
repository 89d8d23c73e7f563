//! What the executable writes.

use std::future::pending;
use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use tokio::net::unix::pipe::Receiver;

/// The reading end of a pipe, and what came out of it.
pub(super) struct Stream {
    /// None once it has come to its end.
    pipe: Option<Receiver>,
    kept: Vec<u8>,
    most: usize,
}

impl Stream {
    /// A stream of which so much is kept, and the end that it is written to.
    pub(super) fn open(most: usize) -> io::Result<(Self, PipeWriter)> {
        let (reader, writer) = io::pipe()?;
        let pipe = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        Ok((Self { pipe: Some(pipe), kept: Vec::new(), most }, writer))
    }

    /// Waits for something to read, and reads it. Waits for ever at its end.
    pub(super) async fn read(&mut self) {
        let Some(pipe) = &self.pipe else { return pending().await };
        let readable = pipe.readable().await;
        let mut buffer = [0; 8 << 10];
        let read = readable.and_then(|()| pipe.try_read(&mut buffer));
        self.keep(read, &buffer);
    }

    /// Reads what was written so far. The kernel is asked directly: the runtime may not have heard of it yet.
    pub(super) fn read_what_is_there(&mut self) {
        let mut buffer = [0; 8 << 10];
        while let Some(pipe) = self.pipe.as_ref().filter(|_| !self.is_cut()) {
            match rustix::io::read(pipe, &mut buffer) {
                Err(Errno::AGAIN) => return,
                read => self.keep(read.map_err(io::Error::from), &buffer),
            }
        }
    }

    /// Keeps one byte more than it may have, at most, which tells that there was more.
    fn keep(&mut self, read: io::Result<usize>, buffer: &[u8]) {
        match read {
            Ok(0) => self.pipe = None,
            Ok(length) => {
                let room = (self.most + 1).saturating_sub(self.kept.len());
                self.kept.extend_from_slice(&buffer[..length.min(room)]);
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(_) => self.pipe = None,
        }
    }

    pub(super) fn is_cut(&self) -> bool {
        self.kept.len() > self.most
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.kept)
    }
}
