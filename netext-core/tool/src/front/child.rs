//! The executable as a process with a group of its own, and the two pipes that it writes to.

use std::ffi::OsStr;
use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child as Process, Command};

use netext_core::{Deadline, DeviceError};

/// The limit of standard output. The longest answer, the text of an action, becomes a field of the API.
const MOST_OUTPUT: usize = 16 << 20;
/// The limit of standard error, which should be one line.
const MOST_WORDS: usize = 64 << 10;

pub(super) struct Child {
    process: Process,
    group: Pid,
    output: BoundedPipe,
    words: BoundedPipe,
}

impl Child {
    pub(super) fn start(executable: &Path, arguments: [&OsStr; 3]) -> io::Result<Self> {
        let (output, output_writer) = BoundedPipe::open(MOST_OUTPUT)?;
        let (words, words_writer) = BoundedPipe::open(MOST_WORDS)?;
        let mut command = Command::new(executable);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output_writer)
            .stderr(words_writer)
            .process_group(0);
        let process = command.spawn()?;
        let id = process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let group = id.ok_or_else(|| io::Error::other("the process has no id"))?;
        Ok(Self { process, group, output, words })
    }

    /// Waits until it ends. When the work is called off, its group gets SIGTERM, and SIGKILL after the grace.
    pub(super) async fn end_within(
        &mut self,
        deadline: &Deadline,
        grace: Duration,
    ) -> io::Result<ExitStatus> {
        tokio::select! {
            status = self.ended() => return status,
            () = deadline.cancelled() => self.signal(Signal::TERM),
        }
        let in_time = tokio::time::timeout(grace, self.ended()).await;
        // The processes of the group that it left behind, too.
        self.signal(Signal::KILL);
        match in_time {
            Ok(status) => status,
            Err(_) => self.process.wait().await,
        }
    }

    /// Reads its output until it ends. Its streams may stay open, because a process that it left behind may hold them,
    /// but its own output is complete by then.
    async fn ended(&mut self) -> io::Result<ExitStatus> {
        loop {
            tokio::select! {
                status = self.process.wait() => return status,
                () = self.output.read() => {}
                () = self.words.read() => {}
            }
        }
    }

    fn signal(&self, signal: Signal) {
        // The group may have ended.
        let _ = kill_process_group(self.group, signal);
    }

    /// Its output. Call this after it has ended.
    pub(super) fn printed(&mut self) -> Result<String, DeviceError> {
        self.output.read_what_is_there();
        if self.output.is_cut() {
            let most = MOST_OUTPUT >> 20;
            return Err(DeviceError::internal(format!("the executable answered more than {most} MiB")));
        }
        String::from_utf8(self.output.take())
            .map_err(|_| DeviceError::internal("the executable answered a text that is not UTF-8"))
    }

    /// Its standard error, without white space around it.
    pub(super) fn said(&mut self) -> String {
        self.words.read_what_is_there();
        String::from_utf8_lossy(&self.words.take()).trim().to_owned()
    }
}

/// The reading end of a pipe, and the bytes that it has read.
struct BoundedPipe {
    /// `None` at the end of the stream.
    pipe: Option<Receiver>,
    kept: Vec<u8>,
    most: usize,
}

impl BoundedPipe {
    /// A stream that keeps up to `most` bytes, and its writing end.
    fn open(most: usize) -> io::Result<(Self, OwnedFd)> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        let pipe = Receiver::from_owned_fd(reader)?;
        Ok((Self { pipe: Some(pipe), kept: Vec::new(), most }, writer))
    }

    /// Reads the next bytes. At the end of the stream it never returns.
    async fn read(&mut self) {
        let Some(pipe) = &self.pipe else { return pending().await };
        let readable = pipe.readable().await;
        let mut buffer = [0; 8 << 10];
        let read = readable.and_then(|()| pipe.try_read(&mut buffer));
        self.keep(read, &buffer);
    }

    /// Reads all bytes written so far, directly from the kernel: the runtime may not know of them yet.
    fn read_what_is_there(&mut self) {
        let mut buffer = [0; 8 << 10];
        while let Some(pipe) = self.pipe.as_ref().filter(|_| !self.is_cut()) {
            match rustix::io::read(pipe, &mut buffer) {
                Err(Errno::AGAIN) => return,
                read => self.keep(read.map_err(io::Error::from), &buffer),
            }
        }
    }

    /// Keeps at most one byte more than the limit, which shows that there was more.
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

    fn is_cut(&self) -> bool {
        self.kept.len() > self.most
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.kept)
    }
}
