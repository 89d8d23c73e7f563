//! The hosts of the command line, and visits to all of them.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use futures_util::stream::{self, StreamExt};
use netext_protocol::{PhysicalDetails, Secret};
use nix::unistd::{Uid, User};
use serde::Deserialize;

use super::host::FleetHost;
use crate::operator::arguments::{FleetCheckArguments, HostPace, HostSelection};
use crate::operator::error::OperatorError;
use crate::operator::screen::progress;
use crate::places::ExtensionPlaces;
use crate::proxy::fleet::Fleet;
use crate::proxy::remote::{HostAddress, RemotePath};
use crate::proxy::ssh::Ssh;

/// The hosts of the command line, and the folder for the connections to them.
#[derive(Debug)]
pub(super) struct SelectedFleet {
    pub(super) fleet: Fleet,
    pub(super) folder: PathBuf,
}

/// The part of a payload that says where the hosts are.
#[derive(Deserialize)]
struct RegisteredDetails {
    #[serde(rename = "physical-network-extension-details", alias = "physical_network_extension_details")]
    physical: PhysicalDetails,
}

impl SelectedFleet {
    /// The fleet of the command line and of the file that it names. The command line overrules the file.
    pub(super) fn of(selection: &HostSelection, places: &ExtensionPlaces) -> Result<Self, OperatorError> {
        let details = selection.from.as_deref().map(read).transpose()?;
        let details = details.unwrap_or_else(|| Vec::<(String, Secret)>::new().into_iter().collect());
        let path = env::var("NETEXT_REMOTE_PATH").ok().filter(|path| !path.is_empty());
        let names_path =
            path.is_some() || details.get("remote.path").is_some() || selection.extension.is_some();
        if !names_path && !is_installed(places) {
            return Err(OperatorError::NoExtension);
        }
        let extension = selection.extension.as_deref().unwrap_or(&places.extension);
        let mut fleet = Fleet::registered(&details, extension, path.as_deref())?;
        if !selection.addresses.is_empty() {
            fleet.hosts.clear();
            for host in &selection.addresses {
                if !fleet.hosts.contains(host) {
                    fleet.hosts.push(host.clone());
                }
            }
        }
        if let (true, Some(file)) = (fleet.hosts.is_empty(), &selection.from) {
            return Err(OperatorError::NoHosts(file.clone()));
        }
        if let Some(user) = &selection.user {
            fleet.login.user = user.clone();
        }
        if let Some(port) = selection.port {
            fleet.login.port = port;
        }
        Ok(Self { fleet, folder: folder(places) })
    }

    /// Visits every host, several at a time, and returns the outcomes in the hosts' order. `seen` is called after each
    /// visit.
    pub(super) async fn visit_all<T>(
        &self,
        pace: HostPace,
        visit: impl AsyncFn(&HostAddress) -> T,
        seen: impl Fn(&HostAddress),
    ) -> Vec<T> {
        let visit = async |(index, host)| {
            let outcome = visit(host).await;
            seen(host);
            (index, outcome)
        };
        let visits = stream::iter(self.fleet.hosts.iter().enumerate()).map(visit).buffer_unordered(pace.jobs);
        let mut outcomes: Vec<_> = visits.collect().await;
        outcomes.sort_by_key(|(index, _)| *index);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }
}

/// Whether this executable has the name of its folder, as the executable of an extension has.
fn is_installed(places: &ExtensionPlaces) -> bool {
    let executable = env::current_exe().unwrap_or_default();
    let name = executable.file_name().unwrap_or_default().to_string_lossy();
    [".sh", "-wrapper.sh", "-wrapper", ""]
        .iter()
        .any(|ending| name.strip_suffix(ending) == Some(&places.extension))
}

fn read(file: &Path) -> Result<PhysicalDetails, OperatorError> {
    let text =
        fs::read(file).map_err(|source| OperatorError::UnreadableFile { path: file.to_owned(), source })?;
    let details: RegisteredDetails = serde_json::from_slice(&text).map_err(|error| {
        // The error itself may quote a secret.
        OperatorError::NoPayload { path: file.to_owned(), line: error.line(), column: error.column() }
    })?;
    Ok(details.physical)
}

/// The proxy's own folder if it belongs to this account, so that connections and trusted host keys are shared, else a
/// folder of the account. The proxy's folder is never made here: if root made it, the management server's account could
/// not use it.
fn folder(places: &ExtensionPlaces) -> PathBuf {
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

/// Checks the executable of every host, and shows the progress.
pub(super) async fn check_all<T>(
    places: &ExtensionPlaces,
    arguments: &FleetCheckArguments,
    check: impl AsyncFn(FleetHost<'_>, &RemotePath) -> T,
) -> Result<Vec<T>, OperatorError> {
    let selected = SelectedFleet::of(&arguments.hosts, places)?;
    let ssh = Ssh::new(&selected.fleet, &selected.folder)?;
    let pace = arguments.pace();
    let check = async |address: &HostAddress| {
        check(FleetHost::new(&ssh, address, pace.patience), &selected.fleet.path).await
    };
    let bar = progress(selected.fleet.hosts.len(), "hosts");
    let outcomes = selected.visit_all(pace, check, |_| bar.inc(1)).await;
    bar.finish_and_clear();
    Ok(outcomes)
}
