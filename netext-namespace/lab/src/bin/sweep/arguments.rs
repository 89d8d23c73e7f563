//! The arguments of the sweep.

use lexopt::prelude::{Long, ValueExt};
use netext_lab::{Errno, Fault, console};

use crate::steps::Step;
use crate::trial::Way;

pub(crate) const HELP: &str = "\
Kills every command at each of its system calls, and makes each of them fail. Needs root.

Usage: sweep --exec PATH [--short | --changes] [--jobs N] [--only COMMAND] [--fault FAULT] [--ssh] [--calls] [--all]

  --exec PATH     the netext-namespace executable to test
  --short         a few faults of every command instead of all: about 80 seconds
  --changes       only the calls that change something outside of the command: about an hour
  --jobs N        commands at a time; default 2
  --only COMMAND  this command, as the report names it; may be repeated
  --fault FAULT   this fault only: kill:117+0 or ENOSPC:117+2, for the 117th system call that changes
                  something, and for the second one after it
  --ssh           call the commands on a management server, and strike them there
  --calls         list the system calls of the commands, without a fault
  --all           show every violation when it is found, not only one of each kind at the end";

/// How many faults a command gets in the short form.
const SHORT: usize = 4;

/// Which faults strike a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All.
    All,
    /// Those of calls that change something outside of the command.
    Changes,
    /// A few of these.
    Few(usize),
}

pub(crate) struct SweepArguments {
    pub(crate) executable: String,
    pub(crate) jobs: usize,
    pub(crate) way: Way,
    pub(crate) fault: Option<Fault>,
    pub(crate) shows_all: bool,
    pub(crate) lists_calls: bool,
    pub(crate) extent: Extent,
    only: Vec<String>,
}

impl SweepArguments {
    /// `None` for `--help`.
    pub(crate) fn of_this_process() -> Result<Option<Self>, lexopt::Error> {
        let (mut executable, mut jobs, mut fault, mut only) = (None, 2, None, Vec::new());
        let (mut extent, mut way) = (Extent::All, Way::Direct);
        let (mut shows_all, mut lists_calls) = (false, false);
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("exec") => executable = Some(parser.value()?.string()?),
                Long("short") => extent = Extent::Few(SHORT),
                Long("ssh") => way = Way::OverSsh,
                Long("calls") => lists_calls = true,
                Long("changes") => extent = Extent::Changes,
                Long("all") => shows_all = true,
                Long("jobs") => jobs = parser.value()?.parse()?,
                Long("only") => only.push(parser.value()?.string()?),
                Long("fault") => fault = Some(parser.value()?.parse_with(parse_fault)?),
                Long("help") => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        let executable = console::executable(executable)?;
        Ok(Some(Self { executable, jobs, way, fault, shows_all, lists_calls, extent, only }))
    }

    /// Operators reconcile on the host itself.
    pub(crate) fn wants(&self, step: &Step) -> bool {
        let is_possible = self.way == Way::Direct || !step.name.starts_with("reconcile");
        is_possible && (self.only.is_empty() || self.only.iter().any(|only| only == step.name))
    }
}

fn parse_fault(text: &str) -> Result<Fault, String> {
    let wanted = || format!("{text:?} is no fault such as kill:117+0 or ENOSPC:117+2");
    let (what, place) = text.split_once(':').ok_or_else(wanted)?;
    let place = place.parse().map_err(|_| wanted())?;
    if what == "kill" {
        return Ok(Fault::Kill(place));
    }
    let known = [Errno::ENOSPC, Errno::EIO, Errno::EPERM, Errno::EMFILE, Errno::ENOMEM, Errno::EAGAIN];
    let errno = known.into_iter().find(|errno| format!("{errno:?}") == what).ok_or_else(wanted)?;
    Ok(Fault::Fail(place, errno))
}
