//! The programs of the system: where they are, and how they are run.
//!
//! There is one way to run a program to its end: [`Program`] starts it, ends it at the deadline, and reads a bounded
//! part of its output.

use std::borrow::Cow;
use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::wait::{any_ready_by, ended_by};

/// How many bytes of each stream are read, unless the caller says otherwise.
const USUAL_LIMIT: u64 = 64 << 10;
/// How much is read from a pipe at once.
const PIECE: usize = 16 << 10;
/// How long pipes may stay open after the program's end: a process that it left behind may hold them.
const GRACE: Duration = Duration::from_millis(200);
/// How long a program that was killed may take to end. One that waits for a disk that does not answer may take forever.
const END: Duration = Duration::from_secs(1);
/// How much of a program's output an error quotes, in characters.
const QUOTE: usize = 300;

/// A program that runs to its end, but not beyond a deadline.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    command: Command,
    input: &'a [u8],
    output: OutputMode,
    limit: u64,
}

/// Which output of a program is read, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputMode {
    /// Standard error, through a file in memory: a daemon that the program leaves behind can write to it forever
    /// without waiting or failing.
    Errors,
    /// Standard output and standard error, through files in memory.
    Both,
    /// The same through pipes that are emptied while the program runs, for one that may print without end.
    Piped,
}

/// Why a program did not run to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    /// It is not installed.
    #[error("cannot start it")]
    Missing(#[source] io::Error),
    /// The deadline passed.
    #[error("it did not end in the time given, and was killed")]
    TimedOut,
    /// The operating system refused something.
    #[error("cannot {attempted} it")]
    Failed {
        /// What was attempted, to be read between "cannot" and the program's name.
        attempted: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl From<ProgramError> for io::Error {
    fn from(error: ProgramError) -> Self {
        match error {
            ProgramError::Missing(source) | ProgramError::Failed { source, .. } => source,
            ProgramError::TimedOut => ErrorKind::TimedOut.into(),
        }
    }
}

/// How a program ended, and what it printed.
#[derive(Debug)]
pub(crate) struct ProgramOutput {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl<'a> Program<'a> {
    /// The program that a command starts. Its streams are set here, not in the command.
    pub(crate) fn new(command: Command, output: OutputMode) -> Self {
        Self { command, input: &[], output, limit: USUAL_LIMIT }
    }

    /// What it reads on its standard input.
    pub(crate) fn input(self, input: &'a [u8]) -> Self {
        Self { input, ..self }
    }

    /// How many bytes are read of each stream. Further output is lost.
    pub(crate) fn limit(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    /// Runs the program.
    pub(crate) fn run(self, deadline: Instant) -> Result<ProgramOutput, ProgramError> {
        self.start()?.wait(deadline)
    }

    /// Starts the program, in the namespaces of this thread and in a process group of its own.
    pub(crate) fn start(mut self) -> Result<RunningProgram, ProgramError> {
        let streams = self.connect().map_err(failed("prepare the streams of"))?;
        let mut child = self.command.process_group(0).spawn().map_err(not_started)?;
        let process = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).map_err(|errno| {
            // Without a way to wait for it, it must not run.
            let _ = child.kill().and_then(|()| child.wait());
            failed("watch")(errno.into())
        })?;
        Ok(RunningProgram { child, process, streams, limit: self.limit, has_ended: false })
    }

    /// Runs the program while other tasks go on; if this is dropped, it is killed. It stays in our process group, where
    /// it may ask at our terminal. Its output must not be [piped](OutputMode::Piped).
    pub(crate) async fn run_aside(mut self) -> Result<ProgramOutput, ProgramError> {
        let streams = self.connect().map_err(failed("prepare the streams of"))?;
        let mut command = tokio::process::Command::from(self.command);
        let mut child = command.kill_on_drop(true).spawn().map_err(not_started)?;
        let status = child.wait().await.map_err(failed("wait for"))?;
        ProgramOutput::of(status, streams, self.limit).map_err(failed("read the output of"))
    }

    /// Sets the streams of the command, and returns our ends of its output.
    fn connect(&mut self) -> io::Result<[ProgramStream; 2]> {
        let stdin = match self.input {
            [] => Stdio::null(),
            input => in_memory(input)?.into(),
        };
        let (stdout, given_stdout) = match self.output {
            OutputMode::Errors => (ProgramStream::Ignored, Stdio::null()),
            output => output.stream()?,
        };
        let (stderr, given_stderr) = self.output.stream()?;
        self.command.stdin(stdin).stdout(given_stdout).stderr(given_stderr);
        Ok([stdout, stderr])
    }
}

impl OutputMode {
    /// A stream that is read: our end and the program's.
    fn stream(self) -> io::Result<(ProgramStream, Stdio)> {
        if self == Self::Piped {
            let (pipe, given) = pipe_with(PipeFlags::CLOEXEC)?;
            return Ok((ProgramStream::Pipe { pipe: Some(pipe.into()), read: Vec::new() }, given.into()));
        }
        let file = in_memory(&[])?;
        let given = file.try_clone()?;
        Ok((ProgramStream::File(file), given.into()))
    }
}

/// A program that has been started. It is killed, with its process group, if this is dropped before its end.
#[derive(Debug)]
pub(crate) struct RunningProgram {
    child: Child,
    process: OwnedFd,
    streams: [ProgramStream; 2],
    limit: u64,
    has_ended: bool,
}

impl RunningProgram {
    /// Blocks until the program has ended. At the deadline it is killed.
    pub(crate) fn wait(mut self, deadline: Instant) -> Result<ProgramOutput, ProgramError> {
        let in_time = self.attend(deadline).map_err(failed("watch"))?;
        if !in_time && !self.kill() {
            return Err(ProgramError::TimedOut);
        }
        let ended = self.end()?;
        // What it finished before it was killed counts.
        if in_time || ended.status.success() { Ok(ended) } else { Err(ProgramError::TimedOut) }
    }

    /// Reads pipes until the program has ended (if it has, until they are closed), or until the deadline.
    fn attend(&mut self, deadline: Instant) -> io::Result<bool> {
        loop {
            let pipes = self.streams.iter().filter_map(ProgramStream::pipe);
            let mut watched: Vec<_> = pipes.map(|pipe| PollFd::new(pipe, PollFlags::IN)).collect();
            if !self.has_ended {
                watched.push(PollFd::new(&self.process, PollFlags::IN));
            } else if watched.is_empty() {
                return Ok(true);
            }
            if !any_ready_by(&mut watched, deadline)? {
                return Ok(false);
            }
            let mut ready: Vec<_> = watched.iter().map(|it| !it.revents().is_empty()).collect();
            if !self.has_ended && ready.pop() == Some(true) {
                return Ok(true);
            }
            let pipes = self.streams.iter_mut().filter(|stream| stream.pipe().is_some());
            pipes.zip(ready).filter(|(_, is_ready)| *is_ready).for_each(|(pipe, _)| pipe.read(self.limit));
        }
    }

    fn end(&mut self) -> Result<ProgramOutput, ProgramError> {
        let status = self.child.wait().map_err(failed("wait for"))?;
        self.has_ended = true;
        let output = self
            .attend(Instant::now() + GRACE)
            .and_then(|_| ProgramOutput::of(status, std::mem::take(&mut self.streams), self.limit));
        output.map_err(failed("read the output of"))
    }

    /// Kills the program; false if it does not end. It is not waited for again then.
    fn kill(&mut self) -> bool {
        // It may have ended already.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let ended = ended_by(&self.process, Instant::now() + END).unwrap_or_default();
        self.has_ended |= !ended;
        ended
    }
}

impl Drop for RunningProgram {
    fn drop(&mut self) {
        if !self.has_ended && self.kill() {
            let _ = self.child.wait();
        }
    }
}

/// Our end of what a program writes.
#[derive(Debug, Default)]
enum ProgramStream {
    #[default]
    Ignored,
    File(File),
    /// `None` once it is closed.
    Pipe {
        pipe: Option<File>,
        read: Vec<u8>,
    },
}

impl ProgramStream {
    /// The pipe, as long as it is open.
    fn pipe(&self) -> Option<&File> {
        match self {
            Self::Pipe { pipe, .. } => pipe.as_ref(),
            Self::Ignored | Self::File(_) => None,
        }
    }

    /// Reads what a pipe holds, and drops what is beyond the limit.
    fn read(&mut self, limit: u64) {
        let Self::Pipe { pipe, read } = self else { return };
        let mut piece = [0; PIECE];
        match pipe.as_mut().map(|pipe| pipe.read(&mut piece)) {
            Some(Ok(length @ 1..)) => {
                let room = limit.saturating_sub(read.len() as u64);
                read.extend(&piece[..length.min(usize::try_from(room).unwrap_or(usize::MAX))]);
            }
            Some(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
            _ => *pipe = None,
        }
    }

    fn text(self, limit: u64) -> io::Result<Vec<u8>> {
        match self {
            Self::Ignored => Ok(Vec::new()),
            Self::Pipe { read, .. } => Ok(read),
            Self::File(mut file) => {
                let mut text = Vec::new();
                file.rewind()?;
                file.take(limit).read_to_end(&mut text)?;
                Ok(text)
            }
        }
    }
}

impl ProgramOutput {
    fn of(status: ExitStatus, streams: [ProgramStream; 2], limit: u64) -> io::Result<Self> {
        let [stdout, stderr] = streams.map(|stream| stream.text(limit));
        Ok(Self { status, stdout: stdout?, stderr: stderr? })
    }

    /// Standard error as text.
    pub(crate) fn complaint(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stderr)
    }
}

fn not_started(error: io::Error) -> ProgramError {
    match error.kind() {
        ErrorKind::NotFound => ProgramError::Missing(error),
        _ => failed("start")(error),
    }
}

fn failed(attempted: &'static str) -> impl FnOnce(io::Error) -> ProgramError {
    move |source| ProgramError::Failed { attempted, source }
}

/// A file without a name, in memory, that ends with its last user.
pub(crate) fn in_memory(content: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("netext", MemfdFlags::CLOEXEC)?);
    if !content.is_empty() {
        file.write_all(content)?;
        file.rewind()?;
    }
    Ok(file)
}

/// The search path for programs. Daemons and `nft` are in `sbin`, which not every caller's path includes.
pub(crate) fn search_path() -> OsString {
    let mut path =
        env::var_os("PATH").filter(|path| !path.is_empty()).unwrap_or_else(|| "/usr/bin:/bin".into());
    path.push(":/usr/sbin:/sbin");
    path
}

/// The path of a program, if it is installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&search_path()).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// The first lines of a program's output, as one, without their full stops. haproxy begins with its version, and with notices that do not keep
/// it from starting.
pub(crate) fn first_lines(output: &str) -> String {
    let is_chatter = |line: &&str| line.starts_with("[NOTICE]") || line.starts_with("[WARNING]");
    let lines = output.lines().map(bare).filter(|line| !line.is_empty() && !is_chatter(line));
    quoted(&lines.take(3).collect::<Vec<_>>().join("; "))
}

/// The last line of a program's output, without its full stop.
pub(crate) fn last_line(output: &str) -> String {
    quoted(output.lines().map(bare).rfind(|line| !line.is_empty()).unwrap_or("it said nothing"))
}

/// A line as a part of an error, which may go on after it.
fn bare(line: &str) -> &str {
    line.trim().trim_end_matches('.')
}

/// A text that is short enough for an error, without characters that would move a terminal's cursor.
fn quoted(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(QUOTE).collect()
}

#[cfg(test)]
mod tests;
