//! The tracer: follows a process tree from system call to system call.

use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::mpsc::{self, RecvTimeoutError};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::call::{CallPlace, SystemCall};
use super::{Fault, Recording, Trace, registers};

/// What the tracer saw.
#[derive(Default)]
pub(super) struct Traced {
    /// How the command ended. `None` if the tracer let go of it before.
    pub(super) status: Option<ExitStatus>,
    pub(super) struck: Option<SystemCall>,
    pub(super) errno: Option<Errno>,
    pub(super) calls: Vec<SystemCall>,
    pub(super) hung: bool,
}

/// Traces a process that stopped itself and then becomes the program, on this thread. It is over when the process has
/// ended, or when nothing is left to do to it.
pub(super) fn trace(root: i32, trace: Trace) -> Traced {
    let Trace { fault, recording, patience } = trace;
    let root = Pid::from_raw(root);
    let stopped = waitpid(root, Some(WaitPidFlag::WUNTRACED));
    assert!(matches!(stopped, Ok(WaitStatus::Stopped(..))), "a process that stopped itself: {stopped:?}");
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC;
    ptrace::seize(root, options).expect("a process that can be traced");
    kill(root, Signal::SIGCONT).expect("a process that can go on");
    std::thread::scope(|scope| {
        let (is_over, over) = mpsc::channel::<()>();
        let watchdog = scope.spawn(move || {
            let hung = over.recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
            if hung {
                let _ = kill(root, Signal::SIGKILL);
            }
            hung
        });
        let mut tracer = Tracer { root, fault, recording, ..Tracer::default() };
        while !tracer.is_over() && tracer.step() {}
        drop(is_over);
        let hung = watchdog.join().expect("the watchdog does not panic");
        Traced {
            status: tracer.status,
            struck: tracer.struck,
            errno: tracer.errno,
            calls: tracer.calls,
            hung,
        }
    })
}

/// A process tree, and what is to happen to it.
struct Tracer {
    root: Pid,
    fault: Fault,
    recording: Recording,
    /// Whether the shell has become the program. Its calls before that do not count.
    has_begun: bool,
    place: CallPlace,
    threads: HashMap<Pid, TracedThread>,
    is_killed: bool,
    status: Option<ExitStatus>,
    struck: Option<SystemCall>,
    errno: Option<Errno>,
    calls: Vec<SystemCall>,
}

/// A thread of the tree.
#[derive(Default)]
struct TracedThread {
    is_in_call: bool,
    /// The error that its skipped call returns.
    error: Option<Errno>,
}

impl Tracer {
    /// Handles one stop of one process. Returns whether there is more to do.
    fn step(&mut self) -> bool {
        // Other threads of this process have children and traced processes of their own.
        let own = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let status = match waitpid(None, Some(own)) {
            Ok(status) => status,
            // A signal that has no name here. The process stays stopped until the tracer ends.
            Err(Errno::EINVAL | Errno::EINTR) => return true,
            Err(_) => return false,
        };
        match status {
            WaitStatus::Exited(process, code) => self.ends(process, ExitStatus::from_raw(code << 8)),
            WaitStatus::Signaled(process, signal, _) => {
                self.ends(process, ExitStatus::from_raw(signal as i32));
            }
            _ if self.is_killed => {
                // A child that the tree had made, and that was not known yet.
                let _ = status.pid().map(|process| kill(process, Signal::SIGKILL));
            }
            WaitStatus::PtraceSyscall(process) => return self.enters_or_leaves(process),
            WaitStatus::Stopped(process, signal) => {
                let is_start = !self.has_begun && signal == Signal::SIGCONT;
                self.resume(process, (!is_start).then_some(signal));
            }
            WaitStatus::PtraceEvent(process, _, event) => {
                self.has_begun |= event == ptrace::Event::PTRACE_EVENT_EXEC as i32;
                self.resume(process, None);
            }
            _ => {}
        }
        true
    }

    /// A killed tree is over when nothing of it is left, any other when the command has ended.
    fn is_over(&self) -> bool {
        self.status.is_some() && !self.is_killed
    }

    fn ends(&mut self, process: Pid, status: ExitStatus) {
        self.threads.remove(&process);
        if process == self.root {
            self.status = Some(status);
        }
    }

    fn resume(&mut self, process: Pid, signal: Option<Signal>) {
        self.threads.entry(process).or_default();
        // It may be killed at any moment; its end is reported then.
        let _ = ptrace::syscall(process, signal);
    }

    /// A thread enters a call or leaves it. Returns whether there is more to do.
    fn enters_or_leaves(&mut self, process: Pid) -> bool {
        let thread = self.threads.entry(process).or_default();
        thread.is_in_call = !thread.is_in_call;
        if !thread.is_in_call {
            if let Some(errno) = thread.error.take() {
                // From here on the command runs untraced.
                return registers::return_error(process, errno).is_err();
            }
        } else if self.has_begun {
            if let Some(call) = SystemCall::observe(process) {
                self.begins(process, call);
            }
            if self.is_killed {
                return true;
            }
        }
        self.resume(process, None);
        true
    }

    /// Counts a call, and lets the fault strike it if it is the one.
    fn begins(&mut self, process: Pid, call: SystemCall) {
        self.place = self.place.next(&call);
        let strikes = match self.fault {
            Fault::None => false,
            Fault::Kill(place) | Fault::Fail(place, _) | Fault::FailSensibly(place, _) => {
                self.struck.is_none() && place <= self.place
            }
        };
        if !strikes && self.recording == Recording::Off {
            return;
        }
        let call = call.describe(process, self.place);
        if self.recording == Recording::On {
            self.calls.push(call.clone());
        }
        let errors = call.sensible_errors();
        match self.fault {
            Fault::Kill(_) if strikes => {
                self.struck = Some(call);
                self.kill_all();
            }
            Fault::Fail(_, errno) if strikes => {
                self.struck = Some(call);
                self.fails(process, errno);
            }
            Fault::FailSensibly(_, choice) if strikes && !errors.is_empty() => {
                self.struck = Some(call);
                self.fails(process, errors[choice % errors.len()]);
            }
            _ => {}
        }
    }

    fn fails(&mut self, process: Pid, errno: Errno) {
        let skipped = registers::skip_call(process);
        skipped.unwrap_or_else(|error| panic!("a system call cannot be skipped: {error}"));
        self.threads.entry(process).or_default().error = Some(errno);
        self.errno = Some(errno);
    }

    fn kill_all(&mut self) {
        self.is_killed = true;
        for process in self.threads.keys() {
            let _ = kill(*process, Signal::SIGKILL);
        }
    }
}

impl Default for Tracer {
    fn default() -> Self {
        Self {
            root: Pid::from_raw(0),
            fault: Fault::None,
            recording: Recording::Off,
            has_begun: false,
            place: CallPlace::default(),
            threads: HashMap::new(),
            is_killed: false,
            status: None,
            struck: None,
            errno: None,
            calls: Vec::new(),
        }
    }
}
