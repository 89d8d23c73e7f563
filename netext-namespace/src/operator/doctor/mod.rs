//! `doctor`: checks a host's requirements and suggests fixes.
//!
//! A check tries what routers need, if that is possible, in namespaces without a name that vanish with the process: the
//! version of a kernel says little about what it was built with.

mod finding;
mod host;
mod limits;
mod programs;
mod trial;

use super::arguments::DoctorArguments;
use super::error::{OperatorError, OperatorExit};
use super::screen::Screen;
use crate::store::Store;
pub(super) use finding::{DoctorFinding, DoctorReport, FindingLevel};

pub(super) fn run(
    store: &Store,
    arguments: &DoctorArguments,
    screen: &mut Screen,
) -> Result<OperatorExit, OperatorError> {
    let mut findings = trial::findings();
    findings.extend(programs::findings());
    findings.extend(host::findings(store)?);
    let report = DoctorReport { findings };
    if arguments.json {
        screen.json(&report);
    } else {
        report.print(screen);
    }
    Ok(OperatorExit::of(report.number(FindingLevel::Problem) == 0))
}
