//! An executable in any language, run as the server runs it: its output is read to the end of the stream.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use tempfile::TempDir;

use super::call::{CallStreams, Extension, ExtensionCall, ProcessEnd, Response};

/// How long the output of a process may stay open after the process has ended.
const GRACE: Duration = Duration::from_millis(500);

/// An executable, and a temporary folder for its payload files.
#[derive(Debug)]
pub struct Executable {
    path: PathBuf,
    variables: BTreeMap<OsString, OsString>,
    folder: TempDir,
    calls: AtomicU32,
}

impl Executable {
    /// The executable at a path. It is called by this path, because some extensions look at their own name.
    ///
    /// # Errors
    /// If there is no executable file at the path, or no temporary folder can be created.
    pub fn new(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let is_executable = rustix::fs::access(&path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file();
        if !is_executable {
            let problem = if path.exists() { "is not an executable file" } else { "does not exist" };
            return Err(io::Error::other(format!("{} {problem}", path.display())));
        }
        let folder = tempfile::Builder::new().prefix("netext-").tempdir()?;
        Ok(Self { path, variables: BTreeMap::new(), folder, calls: AtomicU32::new(0) })
    }

    /// Sets a variable in its environment, in addition to those of this process.
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// The absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn run(&self, call: &ExtensionCall) -> io::Result<Response> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let file = self.folder.path().join(format!("payload-{number}.json"));
        if let Some(payload) = &call.payload {
            let mut opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
            opened.write_all(payload)?;
        }
        let mut command = Command::new(&self.path);
        command.args(call.arguments(&file)).envs(&self.variables);
        let response = RunningExtension::run(command, call.streams, call.patience);
        // The server deletes the file afterwards as well; the extension may have done so already.
        let _ = std::fs::remove_file(&file);
        response
    }
}

impl Extension for Executable {
    /// # Panics
    /// If the executable cannot be started, because it was removed meanwhile or the machine has no resources.
    fn call(&self, call: &ExtensionCall) -> Response {
        self.run(call).unwrap_or_else(|error| panic!("cannot run {}: {error}", self.path.display()))
    }
}

struct RunningExtension {
    child: Child,
    /// Readable once the process has ended.
    ended: OwnedFd,
    /// The streams that have not come to their end: standard output, or both; standard error, if it is apart.
    open: [Option<File>; 2],
    printed: [Vec<u8>; 2],
    began: Instant,
}

enum StreamEvent {
    Read,
    Ended,
    Nothing,
}

impl RunningExtension {
    /// Runs a command to its end, and reads its output to the end of the stream.
    fn run(mut command: Command, streams: CallStreams, patience: Duration) -> io::Result<Response> {
        let (output, writer) = pipe()?;
        let (errors, error_writer) = match streams {
            CallStreams::Apart => pipe().map(|(reader, writer)| (Some(reader), writer))?,
            CallStreams::Merged | CallStreams::WithSilentInput => (None, writer.try_clone()?),
        };
        let (silence, kept_open) = pipe()?;
        let input = match streams {
            CallStreams::WithSilentInput => Stdio::from(silence),
            CallStreams::Merged | CallStreams::Apart => Stdio::null(),
        };
        // A process group of its own, so that all its children can be killed when it runs for too long.
        command.process_group(0).stdin(input).stdout(writer).stderr(error_writer);
        let began = Instant::now();
        let child = command.spawn()?;
        // The command holds the writing ends. Only the child may hold them now.
        drop(command);
        let ended = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
        let mut running =
            Self { child, ended, open: [Some(output), errors], printed: Default::default(), began };
        let response = running.read_to_end(patience);
        drop(kept_open);
        response
    }

    fn read_to_end(&mut self, patience: Duration) -> io::Result<Response> {
        let mut until = self.began + patience;
        let mut has_ended = false;
        loop {
            if self.open.iter().all(Option::is_none) && has_ended {
                return self.response(Vec::new());
            }
            match self.wait(has_ended, until)? {
                StreamEvent::Read => {}
                StreamEvent::Ended => {
                    has_ended = true;
                    until = until.min(Instant::now() + GRACE);
                }
                StreamEvent::Nothing if has_ended => {
                    let holders = self.open.iter().flatten().flat_map(holders).collect();
                    return self.response(holders);
                }
                StreamEvent::Nothing => return self.kill(),
            }
        }
    }

    /// Waits until there is something to read, or the process has ended.
    fn wait(&mut self, has_ended: bool, until: Instant) -> io::Result<StreamEvent> {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        let mut readable = [false; 2];
        let mut ended = false;
        {
            let watched = |index: usize| self.open[index].as_ref().map(|pipe| (index, pipe.as_fd()));
            let streams: Vec<_> = [0, 1].into_iter().filter_map(watched).collect();
            let mut polled: Vec<_> =
                streams.iter().map(|(_, pipe)| PollFd::from_borrowed_fd(*pipe, PollFlags::IN)).collect();
            if !has_ended {
                polled.push(PollFd::new(&self.ended, PollFlags::IN));
            }
            match poll(&mut polled, Some(&left)) {
                Err(rustix::io::Errno::INTR) => return Ok(StreamEvent::Read),
                other => other?,
            };
            for (place, polled) in polled.iter().enumerate() {
                let ready = !polled.revents().is_empty();
                match streams.get(place) {
                    Some((index, _)) => readable[*index] = ready,
                    None => ended = ready,
                }
            }
        }
        for (index, _) in readable.iter().enumerate().filter(|(_, ready)| **ready) {
            self.read_some(index)?;
        }
        Ok(match (ended, readable.contains(&true)) {
            // Data that is still in the pipes comes before the end of the process.
            (_, true) => StreamEvent::Read,
            (true, false) => StreamEvent::Ended,
            (false, false) => StreamEvent::Nothing,
        })
    }

    fn read_some(&mut self, index: usize) -> io::Result<()> {
        let mut buffer = [0; 8 * 1024];
        if let Some(pipe) = &mut self.open[index] {
            match pipe.read(&mut buffer)? {
                0 => self.open[index] = None,
                length => self.printed[index].extend_from_slice(&buffer[..length]),
            }
        }
        Ok(())
    }

    fn response(&mut self, held_by: Vec<String>) -> io::Result<Response> {
        let took = self.began.elapsed();
        let status = self.child.wait()?;
        let end = status.code().map(ProcessEnd::Exited).or(status.signal().map(ProcessEnd::Killed));
        Ok(self.ended_with(end.unwrap_or(ProcessEnd::TimedOut), held_by, took))
    }

    /// Kills the process and its children.
    fn kill(&mut self) -> io::Result<Response> {
        let took = self.began.elapsed();
        kill_process_group(Pid::from_child(&self.child), Signal::KILL)?;
        self.child.wait()?;
        Ok(self.ended_with(ProcessEnd::TimedOut, Vec::new(), took))
    }

    fn ended_with(&self, end: ProcessEnd, held_by: Vec<String>, took: Duration) -> Response {
        let [output, error_output] =
            self.printed.each_ref().map(|printed| String::from_utf8_lossy(printed).into_owned());
        Response { end, output, error_output, held_by, took }
    }
}

fn pipe() -> io::Result<(File, File)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    Ok((reader.into(), writer.into()))
}

/// The processes that hold the writing end of a pipe.
fn holders(pipe: &File) -> Vec<String> {
    let own = std::fs::read_link(format!("/proc/self/fd/{}", pipe.as_raw_fd()));
    let (Ok(pipe), Ok(processes)) = (own, std::fs::read_dir("/proc")) else { return Vec::new() };
    let mut holders = Vec::new();
    for process in processes.flatten() {
        let number = process.file_name().to_string_lossy().into_owned();
        if !number.bytes().all(|byte| byte.is_ascii_digit()) || number == std::process::id().to_string() {
            continue;
        }
        let files = std::fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        let holds = |file: std::fs::DirEntry| std::fs::read_link(file.path()).is_ok_and(|it| it == pipe);
        if files.into_iter().any(holds) {
            let mut name = String::new();
            if let Ok(mut file) = File::open(process.path().join("comm")) {
                let _ = file.read_to_string(&mut name);
            }
            holders.push(format!("{} ({number})", name.trim()));
        }
    }
    // A process that ended during the search still held it.
    if holders.is_empty() { vec!["a process that could not be found".to_owned()] } else { holders }
}
