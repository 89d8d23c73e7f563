//! A system call that a process is about to make, described for people.

use std::fmt;
use std::fs;
use std::os::unix::fs::FileExt;
use std::str::FromStr;

use nix::unistd::Pid;
use syscalls::Sysno;

use super::registers;

/// The longest text that is read from a process.
const LONGEST: usize = 200;
/// `AT_FDCWD`, as far as an argument has it.
const WORKING_FOLDER: u32 = 0xffff_ff9c;
/// `O_WRONLY`, `O_RDWR`, `O_CREAT` and `O_TRUNC`.
const WRITES: u64 = 0o1103;
/// The file descriptors of standard output and standard error.
const OUTPUT: [u64; 2] = [1, 2];

/// The place of a system call among those of a process tree.
///
/// It counts the calls that change something outside of the tree, and then the others since the last of them. How often a
/// process waits or asks differs from run to run, so that plain numbers would name another call each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallPlace {
    /// How many calls changed something before it, including itself if it does.
    pub changes: usize,
    /// How many other calls there were since the last change, including itself if it changes nothing.
    pub others: usize,
}

impl CallPlace {
    /// The place of the change of this number, from 1.
    pub fn change(number: usize) -> Self {
        Self { changes: number, others: 0 }
    }

    /// The place of the next call.
    pub(super) fn next(self, call: &SystemCall) -> Self {
        if call.leaves_no_trace() {
            Self { others: self.others + 1, ..self }
        } else {
            Self::change(self.changes + 1)
        }
    }
}

/// `117+0` is the 117th change, `117+2` the second call after it.
impl fmt::Display for CallPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}+{}", self.changes, self.others)
    }
}

impl FromStr for CallPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |_| format!("{text:?} is no place of a system call such as 117+0");
        let (changes, others) = text.split_once('+').unwrap_or((text, "0"));
        Ok(Self { changes: changes.parse().map_err(wrong)?, others: others.parse().map_err(wrong)? })
    }
}

/// A system call of a traced command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemCall {
    /// Its place among the calls of the process tree.
    pub place: CallPlace,
    /// The name of the process that makes it.
    pub program: String,
    /// Its name.
    pub name: &'static str,
    /// The file that it is about, if that can be told.
    pub path: String,
    arguments: [u64; 6],
}

impl SystemCall {
    /// The call that a stopped process is about to make, without a description. `None` if the process is gone.
    pub(super) fn observe(process: Pid) -> Option<Self> {
        let (which, arguments) = registers::call(process).ok()?;
        let name = usize::try_from(which).ok().and_then(Sysno::new).map_or("unknown", |it| it.name());
        let (place, program, path) = (CallPlace::default(), String::new(), String::new());
        Some(Self { place, program, name, path, arguments })
    }

    /// The same call, described for people.
    pub(super) fn describe(self, process: Pid, place: CallPlace) -> Self {
        let program = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
        let path = path(process, self.name, &self.arguments);
        Self { place, program: program.trim_end().to_owned(), path, ..self }
    }

    /// Whether the call changes nothing that outlives a killed process tree. To kill the tree before such a call is the
    /// same as to kill it before the next one.
    pub fn leaves_no_trace(&self) -> bool {
        match self.name {
            "open" | "openat" => !self.may_create(),
            "write" | "writev" => OUTPUT.contains(&self.arguments[0]),
            name => HARMLESS.iter().any(|names| names.split(' ').any(|it| it == name)),
        }
    }

    /// Whether it opens a file that it may create or change.
    pub(super) fn may_create(&self) -> bool {
        let flags = match self.name {
            "open" => self.arguments[1],
            "openat" => self.arguments[2],
            _ => 0,
        };
        flags & WRITES != 0
    }
}

/// The names of calls that change nothing that outlives a killed process tree.
const HARMLESS: [&str; 4] = [MEMORY, QUESTIONS, DESCRIPTORS, WAITS];

const MEMORY: &str = "\
    mmap munmap mprotect mremap madvise brk membarrier";

/// Asks for something, or arranges something within the process.
const QUESTIONS: &str = "\
    access faccessat faccessat2 stat lstat fstat newfstatat statx statfs fstatfs readlink readlinkat getcwd \
    getdents64 read pread64 readv lseek getpid getppid gettid getuid geteuid getgid getegid getgroups getpgid \
    getpgrp getsid getrandom uname sysinfo getrlimit prlimit64 getrusage times clock_gettime gettimeofday \
    sched_getaffinity sched_yield rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack arch_prctl \
    set_tid_address set_robust_list rseq umask chdir fchdir getsockname getpeername getsockopt capget prctl";

/// Concerns descriptors that end with the process.
const DESCRIPTORS: &str = "\
    close close_range dup dup2 dup3 pipe pipe2 eventfd2 epoll_create1 epoll_ctl timerfd_create \
    timerfd_settime signalfd4 inotify_init1 inotify_add_watch fcntl memfd_create pidfd_open socket socketpair";

const WAITS: &str = "\
    poll ppoll select pselect6 epoll_wait epoll_pwait epoll_pwait2 futex nanosleep clock_nanosleep wait4 \
    waitid pause rt_sigtimedwait";

/// As people read it: `netext.sh: rename /run/lab/state.json.new (call 117+0)`.
impl fmt::Display for SystemCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, program, name, path, .. } = self;
        let space = if path.is_empty() { "" } else { " " };
        write!(formatter, "{program}: {name}{space}{path} (call {place})")
    }
}

/// The path that a call names, or that of the file behind its descriptor.
fn path(process: Pid, name: &str, arguments: &[u64; 6]) -> String {
    let text = |index: usize| read_text(process, arguments[index]);
    let file = |index: usize| descriptor(process, arguments[index]);
    match name {
        "execve" | "open" | "stat" | "lstat" | "access" | "unlink" | "rmdir" | "mkdir" | "readlink"
        | "chmod" | "chown" | "chdir" | "statfs" | "mount" | "umount2" | "truncate" | "creat" => text(0),
        "rename" | "link" | "symlink" => format!("{} {}", text(0), text(1)),
        "openat" | "newfstatat" | "statx" | "unlinkat" | "mkdirat" | "readlinkat" | "fchmodat"
        | "fchownat" | "faccessat" | "faccessat2" | "utimensat" => at(process, arguments[0], text(1)),
        "renameat" | "renameat2" | "linkat" => {
            format!("{} {}", at(process, arguments[0], text(1)), at(process, arguments[2], text(3)))
        }
        "symlinkat" => format!("{} {}", text(0), at(process, arguments[1], text(2))),
        "read" | "write" | "pread64" | "pwrite64" | "readv" | "writev" | "close" | "fsync" | "fdatasync"
        | "fstat" | "fchmod" | "fchown" | "ftruncate" | "fallocate" | "flock" | "getdents64" | "lseek"
        | "setns" | "sendto" | "sendmsg" | "recvfrom" | "recvmsg" | "bind" | "connect" | "listen"
        | "ioctl" | "fcntl" | "fstatfs" | "setsockopt" => file(0),
        _ => String::new(),
    }
}

/// A path relative to an open folder.
fn at(process: Pid, folder: u64, path: String) -> String {
    let is_working_folder = folder & u64::from(u32::MAX) == u64::from(WORKING_FOLDER);
    if is_working_folder || path.starts_with('/') {
        return path;
    }
    format!("{}/{path}", descriptor(process, folder))
}

fn descriptor(process: Pid, number: u64) -> String {
    let link = fs::read_link(format!("/proc/{process}/fd/{number}"));
    link.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
}

fn read_text(process: Pid, address: u64) -> String {
    let mut bytes = [0; LONGEST];
    let memory = fs::File::open(format!("/proc/{process}/mem"));
    let length = memory.and_then(|memory| memory.read_at(&mut bytes, address)).unwrap_or_default();
    let text = bytes[..length].split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}
