//! The executable as a process, with a group of its own.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child as Process, Command};

use super::stream::Stream;
use crate::{Deadline, DeviceError};

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
