//! The registers of a process that is about to enter the kernel.

use nix::errno::Errno;
use nix::sys::ptrace;
use nix::unistd::Pid;

/// The number and the arguments of the system call that a process is about to make.
#[cfg(target_arch = "x86_64")]
pub(super) fn call(process: Pid) -> nix::Result<(u64, [u64; 6])> {
    let it = ptrace::getregs(process)?;
    Ok((it.orig_rax, [it.rdi, it.rsi, it.rdx, it.r10, it.r8, it.r9]))
}

/// Makes the kernel skip the call that a process is about to make.
#[cfg(target_arch = "x86_64")]
pub(super) fn skip_call(process: Pid) -> nix::Result<()> {
    let mut registers = ptrace::getregs(process)?;
    registers.orig_rax = u64::MAX;
    ptrace::setregs(process, registers)
}

/// Makes a call that was skipped return an error.
#[cfg(target_arch = "x86_64")]
pub(super) fn return_error(process: Pid, errno: Errno) -> nix::Result<()> {
    let mut registers = ptrace::getregs(process)?;
    registers.rax = (errno as u64).wrapping_neg();
    ptrace::setregs(process, registers)
}

#[cfg(target_arch = "aarch64")]
pub(super) fn call(process: Pid) -> nix::Result<(u64, [u64; 6])> {
    let it = ptrace::getregs(process)?.regs;
    Ok((it[8], [it[0], it[1], it[2], it[3], it[4], it[5]]))
}

/// Here the number of a call is not among the registers that can be set.
#[cfg(target_arch = "aarch64")]
pub(super) fn skip_call(_: Pid) -> nix::Result<()> {
    Err(Errno::ENOTSUP)
}

#[cfg(target_arch = "aarch64")]
pub(super) fn return_error(_: Pid, _: Errno) -> nix::Result<()> {
    Err(Errno::ENOTSUP)
}
