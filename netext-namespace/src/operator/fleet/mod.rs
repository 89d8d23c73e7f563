//! `fleet`: the commands for people, for many hosts at once.
//!
//! Hosts are reached as the proxy reaches them. They are asked in parallel, each within its time, and one that cannot
//! be asked is a row that says why: it keeps nobody from hearing of the others.

pub(super) mod arguments;
mod deploy;
mod doctor;
mod host;
mod reach;
mod status;

use netext_core::DeviceError;

use super::Verdict;
use super::failure::Failure;
use super::screen::{Screen, progress};
use crate::places::Places;
use crate::proxy::ssh::Ssh;
use crate::proxy::target::{Host, RemotePath};
use arguments::{Command, Question};
use host::Asked;
use reach::Reach;

pub(super) fn run(places: &Places, command: &Command, screen: &mut Screen) -> Result<Verdict, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| DeviceError::internal("cannot wait").with_source(error))?;
    runtime.block_on(async {
        match command {
            Command::Status(arguments) => status::run(places, arguments, screen).await,
            Command::Doctor(arguments) => doctor::run(places, arguments, screen).await,
            Command::Deploy(arguments) => deploy::run(places, arguments, screen).await,
        }
    })
}

/// Asks every host something about the executable that lies there, and shows how many have been asked.
async fn ask_all<T>(
    places: &Places,
    question: &Question,
    ask: impl AsyncFn(&Host, Asked<'_>, &RemotePath) -> T,
) -> Result<Vec<T>, Failure> {
    let reach = Reach::of(&question.which, places)?;
    let ssh = Ssh::new(&reach.fleet, &reach.folder)?;
    let pace = question.pace();
    let ask = async |host: &Host| ask(host, Asked::new(&ssh, host, pace.patience), &reach.fleet.path).await;
    let bar = progress(reach.fleet.hosts.len(), "hosts");
    let answers = reach.ask_all(pace, ask, |_| bar.inc(1)).await;
    bar.finish_and_clear();
    Ok(answers)
}

/// How a host does, as far as the exit code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Well,
    Unwell,
    OutOfReach,
}

fn verdict(standings: impl IntoIterator<Item = Standing>) -> Verdict {
    let standings: Vec<_> = standings.into_iter().collect();
    if standings.iter().all(|standing| *standing == Standing::OutOfReach) {
        Verdict::OutOfReach
    } else {
        Verdict::of(standings.iter().all(|standing| *standing == Standing::Well))
    }
}
