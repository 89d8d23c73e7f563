//! Which processes are a daemon's.
//!
//! A process is told by what it is, not by what it left on disk: by its executable, by the files that its command line
//! names, and by the network namespace that it runs in. Its folder may have been replaced since it started.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::fstat;
use rustix::io::Errno;
use rustix::process::{Pid, getpid};

use crate::kernel::namespace::Namespace;
use crate::plan::{Daemon, DaemonProgram};

/// What the kernel appends to the path of an executable that was replaced.
const REPLACED: &[u8] = b" (deleted)";
/// All processes.
const PROCESSES: &str = "/proc";

/// Where a process of a daemon runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the namespace that was asked about.
    Here,
    /// In another namespace of this host, such as one whose name was removed.
    Elsewhere,
}

/// The device and number of a file.
pub(super) type FileIdentity = (u64, u64);

/// The identity of an open namespace.
pub(super) fn identity(namespace: &Namespace) -> io::Result<FileIdentity> {
    let found = fstat(namespace.as_fd())?;
    Ok((found.st_dev, found.st_ino))
}

/// The numbers of all processes.
pub(super) fn processes() -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(PROCESSES)? {
        found.extend(entry?.file_name().to_str().and_then(numbered));
    }
    // Without this check, an empty folder would pass for a host without daemons.
    if found.contains(&getpid()) { Ok(found) } else { Err(not_mounted()) }
}

/// Fails if `/proc` shows no processes: then the absence of one means nothing.
pub(super) fn check_proc() -> io::Result<()> {
    if Path::new("/proc/self/stat").exists() { Ok(()) } else { Err(not_mounted()) }
}

fn not_mounted() -> io::Error {
    io::Error::new(
        ErrorKind::NotFound,
        "/proc does not show this process; mount it: mount -t proc proc /proc",
    )
}

/// The process id in a text, if there is one.
pub(super) fn numbered(text: &str) -> Option<Pid> {
    text.parse().ok().filter(|number| *number > 0).and_then(Pid::from_raw)
}

/// The words of a process's command line, each with a zero byte behind it; nothing if the process has ended.
pub(super) fn command_line(pid: Pid) -> io::Result<Vec<u8>> {
    Ok(unless_ended(fs::read(file(pid, "cmdline")))?.unwrap_or_default())
}

/// Where a process runs, if it is the daemon's.
pub(super) fn place_of(
    pid: Pid,
    daemon: &Daemon,
    namespace: Option<FileIdentity>,
) -> io::Result<Option<Place>> {
    if !names(&command_line(pid)?, daemon) || !runs(pid, daemon.program)? {
        return Ok(None);
    }
    let Some(found) = identity_of(pid, "ns/net")? else { return Ok(None) };
    if Some(found) == namespace {
        return Ok(Some(Place::Here));
    }
    Ok(is_on_this_host(pid, &daemon.folder)?.then_some(Place::Elsewhere))
}

/// Whether a command line runs the daemon's program with something of the daemon's folder.
pub(super) fn names(command_line: &[u8], daemon: &Daemon) -> bool {
    let mut words = command_line.split(|byte| *byte == 0);
    let program = Path::new(OsStr::from_bytes(words.next().unwrap_or_default())).file_name();
    if program.is_none_or(|program| program != daemon.program.name()) {
        return false;
    }
    let folder = format!("{}/", daemon.folder.display());
    words.any(|word| word.windows(folder.len()).any(|part| part == folder.as_bytes()))
}

/// Whether a process runs a program: it may have another one's name on its command line.
fn runs(pid: Pid, program: DaemonProgram) -> io::Result<bool> {
    let DaemonProgram::Installed(name) = program else { return Ok(true) };
    let Some(executable) = unless_ended(fs::read_link(file(pid, "exe")))? else { return Ok(false) };
    let path = executable.as_os_str().as_bytes();
    let path = Path::new(OsStr::from_bytes(path.strip_suffix(REPLACED).unwrap_or(path)));
    let is = |found: &Path| found.file_name() == path.file_name();
    // The program's own name may be a link to a file of another name.
    Ok(is(Path::new(name))
        || crate::programs::find(name).and_then(|found| found.canonicalize().ok()).is_some_and(|it| is(&it)))
}

/// Whether a process of another network namespace means the same folder as we do. In another mount namespace the same
/// path may be the folder of another host, as in a container. For a daemon that has changed its root, the folder is the
/// root.
fn is_on_this_host(pid: Pid, folder: &Path) -> io::Result<bool> {
    let own = fs::metadata("/proc/thread-self/ns/mnt")?;
    if identity_of(pid, "ns/mnt")? == Some((own.dev(), own.ino())) {
        return Ok(true);
    }
    // Its path may lead nowhere there.
    let identity = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    let seen =
        [format!("root{}/", folder.display()), "root/".to_owned()].map(|name| identity(&file(pid, &name)));
    Ok(identity(folder).is_some_and(|own| seen.contains(&Some(own))))
}

fn identity_of(pid: Pid, name: &str) -> io::Result<Option<FileIdentity>> {
    Ok(unless_ended(fs::metadata(file(pid, name)))?.map(|found| (found.dev(), found.ino())))
}

/// The state of a process, as a letter; `None` if it has ended.
pub(super) fn state(pid: Pid) -> io::Result<Option<u8>> {
    let stat = unless_ended(fs::read(file(pid, "stat")))?.unwrap_or_default();
    // The program's name, in parentheses, may have any character.
    let after_name = stat.iter().rposition(|byte| *byte == b')').and_then(|end| stat.get(end + 2)).copied();
    Ok(after_name.filter(|state| !b"ZX".contains(state)))
}

/// The children of a process; `None` if the kernel does not tell.
pub(super) fn children(pid: Pid) -> io::Result<Option<Vec<Pid>>> {
    let path = file(pid, &format!("task/{}/children", pid.as_raw_nonzero()));
    let listed = unless_ended(fs::read_to_string(path))?;
    Ok(listed.map(|text| text.split_ascii_whitespace().filter_map(numbered).collect()))
}

/// Whether a process has received all signals that were sent to it.
pub(super) fn has_received_signals(pid: Pid) -> io::Result<bool> {
    let status = unless_ended(fs::read_to_string(file(pid, "status")))?.unwrap_or_default();
    let mut pending = status.lines().filter_map(|line| {
        line.strip_prefix("SigPnd:").or_else(|| line.strip_prefix("ShdPnd:")).map(str::trim)
    });
    Ok(pending.all(|mask| mask.bytes().all(|digit| digit == b'0')))
}

pub(super) fn file(pid: Pid, name: &str) -> PathBuf {
    PathBuf::from(format!("{PROCESSES}/{}/{name}", pid.as_raw_nonzero()))
}

/// A process that ends meanwhile has no files. Everything else is an error: what cannot be read is not absent.
pub(super) fn unless_ended<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Ok(None),
        outcome => outcome.map(Some),
    }
}
