//! Runs a process, reads its output to the end, and says who keeps it open.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::call::{Answer, End, Streams};

/// How long after its end the output of a process may stay open.
const GRACE: Duration = Duration::from_millis(500);

/// Runs a command to its end, and reads its output as the server does: to the end of the stream.
pub(super) fn run(mut command: Command, streams: Streams, patience: Duration) -> io::Result<Answer> {
    let (output, writer) = pipe()?;
    let (errors, error_writer) = match streams {
        Streams::Apart => pipe().map(|(reader, writer)| (Some(reader), writer))?,
        Streams::Merged | Streams::WithSilentInput => (None, writer.try_clone()?),
    };
    let (silence, kept_open) = pipe()?;
    let input = match streams {
        Streams::WithSilentInput => Stdio::from(silence),
        Streams::Merged | Streams::Apart => Stdio::null(),
    };
    // A group of its own, so that what it leaves behind when it overruns ends with it.
    command.process_group(0).stdin(input).stdout(writer).stderr(error_writer);
    let began = Instant::now();
    let child = command.spawn()?;
    // It holds the writing ends, which must have no holder but the child.
    drop(command);
    let mut run =
        Run { ended: pidfd(&child)?, child, open: [Some(output), errors], printed: Default::default() };
    let answer = run.read(began, patience);
    drop(kept_open);
    answer
}

fn pipe() -> io::Result<(File, File)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    Ok((reader.into(), writer.into()))
}

fn pidfd(child: &Child) -> io::Result<OwnedFd> {
    Ok(pidfd_open(Pid::from_child(child), PidfdFlags::empty())?)
}

struct Run {
    child: Child,
    /// Readable once the process has ended.
    ended: OwnedFd,
    /// The streams that have not come to their end: standard output, or both; standard error, if it is apart.
    open: [Option<File>; 2],
    printed: [Vec<u8>; 2],
}

impl Run {
    fn read(&mut self, began: Instant, patience: Duration) -> io::Result<Answer> {
        let mut until = began + patience;
        let mut has_ended = false;
        loop {
            if self.open.iter().all(Option::is_none) && has_ended {
                return self.answer(began, Vec::new());
            }
            match self.wait(has_ended, until)? {
                Event::Read => {}
                Event::Ended => {
                    has_ended = true;
                    until = until.min(Instant::now() + GRACE);
                }
                Event::Nothing if has_ended => {
                    let holders = self.open.iter().flatten().flat_map(holders).collect();
                    return self.answer(began, holders);
                }
                Event::Nothing => return self.overran(began),
            }
        }
    }

    /// Waits until there is something to read, or the process has ended.
    fn wait(&mut self, has_ended: bool, until: Instant) -> io::Result<Event> {
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
                Err(rustix::io::Errno::INTR) => return Ok(Event::Read),
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
            // What is still in the pipes is read before anything is concluded from the end.
            (_, true) => Event::Read,
            (true, false) => Event::Ended,
            (false, false) => Event::Nothing,
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

    fn answer(&mut self, began: Instant, held_by: Vec<String>) -> io::Result<Answer> {
        let took = began.elapsed();
        let status = self.child.wait()?;
        let end = status.code().map(End::Exited).or(status.signal().map(End::Killed));
        Ok(self.told(end.unwrap_or(End::Overran), held_by, took))
    }

    /// Ends it, with what it began.
    fn overran(&mut self, began: Instant) -> io::Result<Answer> {
        let took = began.elapsed();
        kill_process_group(Pid::from_child(&self.child), Signal::KILL)?;
        self.child.wait()?;
        Ok(self.told(End::Overran, Vec::new(), took))
    }

    fn told(&self, end: End, held_by: Vec<String>, took: Duration) -> Answer {
        let [output, error_output] =
            self.printed.each_ref().map(|printed| String::from_utf8_lossy(printed).into_owned());
        Answer { end, output, error_output, held_by, took }
    }
}

enum Event {
    Read,
    Ended,
    Nothing,
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
    // One that came and went while they were looked through still held it.
    if holders.is_empty() { vec!["a process that could not be found".to_owned()] } else { holders }
}
