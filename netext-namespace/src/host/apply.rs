//! Makes the kernel match a router.

use std::time::Instant;

use netext_core::{DeviceError, ErrorKind};

use super::services;
use crate::compile::{Change, flows_to_cut, links, packets};
use crate::daemons::DaemonError;
use crate::kernel::conntrack::{self, ConntrackError};
use crate::kernel::elements;
use crate::kernel::links::{self, LinkError};
use crate::kernel::namespace::{Namespace, NamespaceError};
use crate::kernel::nftables::{self, NftError};
use crate::model::Router;
use crate::plan::NamespaceName;
use crate::store::{State, Store};

/// Why the kernel could not be made to match.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApplyError {
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    #[error(transparent)]
    Links(#[from] LinkError),
    #[error(transparent)]
    Packets(#[from] NftError),
    #[error(transparent)]
    Services(#[from] DaemonError),
    #[error(transparent)]
    Connections(#[from] ConntrackError),
    #[error("the deadline has passed")]
    TooLate,
}

impl From<ApplyError> for DeviceError {
    fn from(error: ApplyError) -> Self {
        let kind = match error {
            ApplyError::TooLate
            | ApplyError::Packets(NftError::TimedOut { .. })
            | ApplyError::Services(DaemonError::TimedOut { .. }) => ErrorKind::TimedOut,
            _ => ErrorKind::Device,
        };
        Self::new(kind, error.to_string())
    }
}

/// Makes the kernel match `wanted`, given what it was made to match before, and returns the generation that
/// the packet rules have now.
///
/// Packet rules come before links: a new address is guarded before it answers, and one that goes has lost its
/// translations before it is gone.
pub(super) fn apply(
    store: &Store,
    before: &State,
    wanted: &Router,
    deadline: Instant,
) -> Result<Option<u32>, ApplyError> {
    in_time(deadline)?;
    let plan = links(wanted);
    let Some(namespace_plan) = &plan.namespace else {
        services::stop(store, &before.router, deadline)?;
        remove(&before.router)?;
        links::apply(&plan)?;
        return Ok(None);
    };
    let namespace = apply_packets(before, wanted, &namespace_plan.name, deadline)?;
    in_time(deadline)?;
    links::apply(&plan)?;
    services::apply(store, &namespace, &before.router, wanted, deadline)?;
    let flows = flows_to_cut(&before.router, wanted);
    if !flows.is_empty() {
        conntrack::cut(&namespace, &flows)?;
    }
    in_time(deadline)?;
    Ok(Some(nftables::generation(&namespace)?))
}

/// Puts the packet rules in force. Only the difference if nobody touched them since our last change; all of
/// them if somebody did, or if the namespace is new.
fn apply_packets(
    before: &State,
    wanted: &Router,
    name: &NamespaceName,
    deadline: Instant,
) -> Result<Namespace, ApplyError> {
    let ruleset = packets(wanted);
    let Some(namespace) = Namespace::open(name)? else {
        let namespace = Namespace::create(name)?;
        nftables::run(&namespace, &ruleset.create(), deadline)?;
        return Ok(namespace);
    };
    let generation = nftables::generation(&namespace)?;
    if before.ruleset_generation == Some(generation) {
        let changed = match packets(&before.router).change_to(&ruleset) {
            Change::Nothing => Ok(()),
            Change::Elements(elements) => elements::change(&namespace, &elements, generation),
            Change::Script(script) => nftables::run(&namespace, &script, deadline),
        };
        match changed {
            // Generations are counted from the start in a namespace that somebody made anew.
            Err(error @ (NftError::Refused { .. } | NftError::Netlink(_) | NftError::Changed { .. })) => {
                tracing::warn!(namespace = %name, %error, "the rules are not what they were; replacing all of them");
            }
            done => return done.map(|()| namespace).map_err(Into::into),
        }
    }
    nftables::run(&namespace, &ruleset.replace(), deadline)?;
    Ok(namespace)
}

/// Takes down the namespace that the router had, and its links on the host.
fn remove(router: &Router) -> Result<(), LinkError> {
    let interfaces = links(router).namespace.map(|namespace| namespace.interfaces).unwrap_or_default();
    let peers: Vec<_> = interfaces.into_iter().map(|interface| interface.peer).collect();
    links::remove(&router.id.namespace(), &peers)
}

fn in_time(deadline: Instant) -> Result<(), ApplyError> {
    if Instant::now() < deadline { Ok(()) } else { Err(ApplyError::TooLate) }
}
