//! Which hosts, and the way to them.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use futures_util::stream::{self, StreamExt};
use netext_protocol::{PhysicalDetails, Secret};
use nix::unistd::{Uid, User};
use serde::Deserialize;

use super::arguments::{Pace, Which};
use crate::operator::failure::Failure;
use crate::places::Places;
use crate::proxy::target::{Fleet, Host};

/// The hosts, and the folder of what the connections to them need.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) fleet: Fleet,
    pub(super) folder: PathBuf,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "physical-network-extension-details", alias = "physical_network_extension_details")]
    physical: PhysicalDetails,
}

impl Reach {
    /// What the command line and the file that it names say; the command line overrules the file.
    pub(super) fn of(which: &Which, places: &Places) -> Result<Self, Failure> {
        let details = which.from.as_deref().map(read).transpose()?;
        let details = details.unwrap_or_else(|| Vec::<(String, Secret)>::new().into_iter().collect());
        let path = env::var("NETEXT_REMOTE_PATH").ok().filter(|path| !path.is_empty());
        let is_told = path.is_some() || details.get("remote.path").is_some() || which.extension.is_some();
        if !is_told && !is_installed(places) {
            return Err(Failure::NoExtension);
        }
        let extension = which.extension.as_deref().unwrap_or(&places.extension);
        let mut fleet = Fleet::registered(&details, extension, path.as_deref())?;
        if !which.hosts.is_empty() {
            fleet.hosts.clear();
            for host in &which.hosts {
                if !fleet.hosts.contains(host) {
                    fleet.hosts.push(host.clone());
                }
            }
        }
        if let (true, Some(file)) = (fleet.hosts.is_empty(), &which.from) {
            return Err(Failure::NoHosts(file.clone()));
        }
        if let Some(user) = &which.user {
            fleet.login.user = user.clone();
        }
        if let Some(port) = which.port {
            fleet.login.port = port;
        }
        Ok(Self { fleet, folder: folder(places) })
    }

    /// Asks every host, so many at a time, and returns what came of it in their order. `seen` hears of each as it is
    /// done.
    pub(super) async fn ask_all<T>(
        &self,
        pace: Pace,
        ask: impl AsyncFn(&Host) -> T,
        seen: impl Fn(&Host),
    ) -> Vec<T> {
        let ask = async |(index, host)| {
            let answer = ask(host).await;
            seen(host);
            (index, answer)
        };
        let asked = stream::iter(self.fleet.hosts.iter().enumerate()).map(ask).buffer_unordered(pace.jobs);
        let mut answers: Vec<_> = asked.collect().await;
        answers.sort_by_key(|(index, _)| *index);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

/// Whether this executable bears the name of the folder that it lies in, as that of an extension does.
fn is_installed(places: &Places) -> bool {
    let executable = env::current_exe().unwrap_or_default();
    let name = executable.file_name().unwrap_or_default().to_string_lossy();
    [".sh", "-wrapper.sh", "-wrapper", ""]
        .iter()
        .any(|ending| name.strip_suffix(ending) == Some(&places.extension))
}

fn read(file: &Path) -> Result<PhysicalDetails, Failure> {
    let text = fs::read(file).map_err(|source| Failure::Unread { path: file.to_owned(), source })?;
    let payload: Payload = serde_json::from_slice(&text).map_err(|error| {
        // Its own words may quote what is secret.
        Failure::NoPayload { path: file.to_owned(), line: error.line(), column: error.column() }
    })?;
    Ok(payload.physical)
}

/// The proxy's own folder, if it is this account's: then connections and noted host keys are shared. It is never
/// made here: what root made, the account that the management server runs as could not use.
fn folder(places: &Places) -> PathBuf {
    let user = Uid::effective();
    let shared = places.state.join("proxy");
    if fs::metadata(&shared).is_ok_and(|folder| folder.uid() == user.as_raw()) {
        return shared;
    }
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || User::from_uid(user).ok().flatten().map_or_else(|| PathBuf::from("/root"), |it| it.dir);
    let state = absolute("XDG_STATE_HOME")
        .unwrap_or_else(|| absolute("HOME").unwrap_or_else(home).join(".local/state"));
    state.join("netext").join("fleet")
}
