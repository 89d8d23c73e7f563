//! The executable as a process with a group of its own, and the two pipes that it writes to.

use std::ffi::OsStr;
use std::future::pending;
use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child as Process, Command};

use netext_core::{Deadline, DeviceError};

/// How much of what it prints is kept. The longest answer, the text of an action, goes into a field of the API.
const MOST_OUTPUT: usize = 16 << 20;
/// How much of what it says is kept: it is to be one line.
const MOST_WORDS: usize = 64 << 10;

pub(super) struct Child {
    process: Process,
    group: Pid,
    output: Stream,
    words: Stream,
}

impl Child {
    pub(super) fn start(executable: &Path, arguments: [&OsStr; 3]) -> io::Result<Self> {
        let (output, output_writer) = Stream::open(MOST_OUTPUT)?;
        let (words, words_writer) = Stream::open(MOST_WORDS)?;
        let mut command = Command::new(executable);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output_writer)
            .stderr(words_writer)
            .process_group(0);
        let process = command.spawn()?;
        let id = process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let group = id.ok_or_else(|| io::Error::other("it has no process id"))?;
        Ok(Self { process, group, output, words })
    }

    /// Waits until it ends. When the work is called off its whole group is asked to end, and ended after the grace.
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
        // Those of the group that it left behind, too.
        self.signal(Signal::KILL);
        match in_time {
            Ok(status) => status,
            Err(_) => self.process.wait().await,
        }
    }

    /// Reads what it writes until it ends. Its streams may stay open: a process that it left behind may hold them,
    /// but what it wrote itself is in them by now.
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
        // All of them may have ended.
        let _ = kill_process_group(self.group, signal);
    }

    /// What it printed; to be asked once it has ended.
    pub(super) fn printed(&mut self) -> Result<String, DeviceError> {
        self.output.read_what_is_there();
        if self.output.is_cut() {
            let most = MOST_OUTPUT >> 20;
            return Err(DeviceError::internal(format!("the executable answered more than {most} MiB")));
        }
        String::from_utf8(self.output.take())
            .map_err(|_| DeviceError::internal("the executable answered what is not UTF-8"))
    }

    /// What it said on standard error, without white space around it.
    pub(super) fn said(&mut self) -> String {
        self.words.read_what_is_there();
        String::from_utf8_lossy(&self.words.take()).trim().to_owned()
    }
}

/// The reading end of a pipe, and what came out of it.
struct Stream {
    /// None once it has come to its end.
    pipe: Option<Receiver>,
    kept: Vec<u8>,
    most: usize,
}

impl Stream {
    /// A stream of which so much is kept, and the end that it is written to.
    fn open(most: usize) -> io::Result<(Self, PipeWriter)> {
        let (reader, writer) = io::pipe()?;
        let pipe = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        Ok((Self { pipe: Some(pipe), kept: Vec::new(), most }, writer))
    }

    /// Waits for something to read, and reads it. Waits for ever at its end.
    async fn read(&mut self) {
        let Some(pipe) = &self.pipe else { return pending().await };
        let readable = pipe.readable().await;
        let mut buffer = [0; 8 << 10];
        let read = readable.and_then(|()| pipe.try_read(&mut buffer));
        self.keep(read, &buffer);
    }

    /// Reads what was written so far. The kernel is asked directly: the runtime may not have heard of it yet.
    fn read_what_is_there(&mut self) {
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

    fn is_cut(&self) -> bool {
        self.kept.len() > self.most
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.kept)
    }
}
