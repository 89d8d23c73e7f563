//! The errors that a system call can return on a host that is in trouble.

use super::call::SystemCall;
use nix::errno::Errno;

/// A disk that is full or broken.
const DISK: &[Errno] = &[Errno::ENOSPC, Errno::EIO];
/// A name in a folder that is full, broken or closed.
const NAME: &[Errno] = &[Errno::ENOSPC, Errno::EIO, Errno::EPERM];
/// One more descriptor.
const DESCRIPTOR: &[Errno] = &[Errno::EMFILE, Errno::ENOMEM];
/// A file that is opened to be read.
const FILE: &[Errno] = &[Errno::EMFILE, Errno::EIO, Errno::ENOMEM, Errno::EPERM];
/// A file that is opened to be written.
const NEW_FILE: &[Errno] = &[Errno::ENOSPC, Errno::EMFILE, Errno::EIO, Errno::EPERM];
/// One more process or thread.
const PROCESS: &[Errno] = &[Errno::EAGAIN, Errno::ENOMEM];
/// Something that only root may do, and that takes memory.
const RIGHT: &[Errno] = &[Errno::EPERM, Errno::ENOMEM];
/// What can be read only.
const REMOVAL: &[Errno] = &[Errno::EIO, Errno::EPERM];
const MEMORY: &[Errno] = &[Errno::ENOMEM];
const BROKEN: &[Errno] = &[Errno::EIO];

impl SystemCall {
    /// The errors that the call can return on a host in trouble, the likeliest first. None for a call that cannot fail
    /// there, such as `getpid`.
    pub fn sensible_errors(&self) -> &'static [Errno] {
        let errors = of(self.name, self.may_create());
        // What is not on a disk has no trouble with one.
        let is_on_disk =
            !["anon_inode:", "pipe:", "socket:", "/memfd:"].iter().any(|it| self.path.starts_with(it));
        let is_about_disk = |errors| [DISK, BROKEN].contains(&errors);
        if is_about_disk(errors) && !is_on_disk { &[] } else { errors }
    }
}

fn of(name: &str, creates: bool) -> &'static [Errno] {
    if creates {
        return NEW_FILE;
    }
    let tables = [FILES, PROCESSES, NETWORK];
    let row = tables.iter().copied().flatten().find(|(names, _)| names.contains(&name));
    row.map_or(&[], |(_, errors)| errors)
}

/// Calls, and the errors that each of them can return.
type Row = (&'static [&'static str], &'static [Errno]);

const FILES: &[Row] = &[
    (&["open", "openat", "execve", "execveat"], FILE),
    (&["write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "ftruncate", "fallocate"], DISK),
    (&["copy_file_range", "sendfile", "sync", "syncfs"], DISK),
    (&["creat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"], NAME),
    (&["mkdir", "mkdirat", "mknod", "mknodat", "setxattr"], NAME),
    (&["unlink", "unlinkat", "rmdir", "truncate", "utimensat"], REMOVAL),
    (&["chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat"], REMOVAL),
    (&["read", "pread64", "readv", "getdents64", "readlink", "readlinkat", "close"], BROKEN),
    (&["stat", "lstat", "fstat", "newfstatat", "statx", "statfs", "fstatfs"], BROKEN),
    (&["access", "faccessat", "faccessat2", "getcwd", "chdir"], BROKEN),
    (&["pipe", "pipe2", "dup", "dup2", "dup3", "eventfd2", "epoll_create1", "timerfd_create"], DESCRIPTOR),
    (&["signalfd4", "inotify_init1", "memfd_create", "pidfd_open"], DESCRIPTOR),
    (&["flock"], RIGHT),
    (&["epoll_ctl", "inotify_add_watch", "ioctl", "fcntl"], MEMORY),
];

const PROCESSES: &[Row] = &[
    (&["fork", "vfork", "clone", "clone3"], PROCESS),
    (&["setns", "unshare", "mount", "umount2", "chroot"], RIGHT),
    (&["kill", "tkill", "tgkill", "pidfd_send_signal"], RIGHT),
    (&["setsid", "setuid", "setgid", "setresuid", "setresgid", "setgroups", "capset", "prctl"], RIGHT),
    (&["mmap", "mremap", "mprotect", "brk"], MEMORY),
];

const NETWORK: &[Row] = &[
    (&["socket", "socketpair", "accept", "accept4"], DESCRIPTOR),
    (&["bind", "connect", "listen", "sendto", "sendmsg", "sendmmsg", "setsockopt"], RIGHT),
    (&["recvfrom", "recvmsg", "getsockopt", "poll", "ppoll"], MEMORY),
];
