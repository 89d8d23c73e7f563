//! The daemons of a router: those that serve its guests, and the one that balances connections.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::ptr;
use std::time::Instant;

use netext_core::DeviceError;
use netext_protocol::NetworkId;

use crate::compile::services::{
    DaemonAccounts, MetadataTier, any_daemons, haproxy, haproxy_daemon, metadata_daemon, metadata_server,
    needed_daemons, needs_haproxy, service_daemons, services,
};
use crate::compile::{CompiledRouter, guests};
use crate::daemons::{self, DaemonError, DaemonSearch, StagedDaemons, account};
use crate::drift::Pass;
use crate::kernel::namespace::Namespace;
use crate::metadata::server::ServedTier;
use crate::model::{Router, RouterId, guest_interface};
use crate::plan::{Daemon, DaemonPlan};
use crate::store::{ProgramBuild, Store};

/// Stages the files of the daemons that `wanted` needs, if it is up. All others that may be found are to be stopped.
pub(super) fn stage(
    store: &Store,
    before: &CompiledRouter<'_>,
    wanted: &CompiledRouter<'_>,
    others: &[NetworkId],
    pass: &Pass,
) -> Result<StagedDaemons, DeviceError> {
    let plans = if wanted.links().namespace.is_some() { plans(store, wanted)? } else { Vec::new() };
    let changes = !ptr::eq(before.router(), wanted.router());
    let needed_before = if changes { needed(store, before) } else { Vec::new() };
    let known = known(store, [before.router(), wanted.router()], others);
    Ok(daemons::stage(plans, known, &needed_before, pass)?)
}

/// The daemons that a router needs, without their configuration.
fn needed(store: &Store, compiled: &CompiledRouter<'_>) -> Vec<Daemon> {
    let router = compiled.router();
    let tiers = router.implemented_tiers();
    let of_tiers =
        tiers.flat_map(|(network, tier)| needed_daemons(network, tier, &store.network_folder(network)));
    let balancer = needs_haproxy(compiled.balancers()).then(|| balancer(store, router));
    let server = (!metadata_tiers(store, router).is_empty()).then(|| server(store, router));
    of_tiers.chain(balancer).chain(server).collect()
}

/// Stops daemons of a router, and any daemon of ours that is left in its namespace. Returns why some could not be
/// stopped.
pub(super) fn stop(
    store: &Store,
    namespace: Option<&Namespace>,
    known: &[Daemon],
    deadline: Instant,
    pass: &mut Pass,
) -> Vec<DaemonError> {
    let strays = any_daemons(store.root());
    let search = DaemonSearch { namespace, beyond_folders: namespace.is_some(), strays: &strays };
    daemons::stop(known, search, deadline, pass)
}

/// Ends the same daemons, to start them again. Their files stay.
pub(super) fn end(
    store: &Store,
    namespace: Option<&Namespace>,
    known: &[Daemon],
    deadline: Instant,
) -> Vec<DaemonError> {
    let strays = any_daemons(store.root());
    let search = DaemonSearch { namespace, beyond_folders: true, strays: &strays };
    daemons::end(known, search, deadline)
}

/// The plans of a router's daemons.
pub(super) fn plans(store: &Store, compiled: &CompiledRouter<'_>) -> Result<Vec<DaemonPlan>, DeviceError> {
    let router = compiled.router();
    let guests = guests(router);
    let serves = guests.iter().any(|guest| guest.dhcp || guest.dns || guest.ipv6.is_some());
    let mut plans = Vec::new();
    if serves {
        let accounts = DaemonAccounts { dnsmasq: account("dnsmasq")?, radvd: account("radvd")? };
        plans.extend(
            guests.iter().flat_map(|guest| services(guest, &store.network_folder(guest.network), &accounts)),
        );
    }
    if !compiled.balancers().is_empty() {
        plans.extend(haproxy(balancer(store, router), account("haproxy")?, compiled.balancers()));
    }
    let tiers = metadata_tiers(store, router);
    if !tiers.is_empty() {
        let build = format!("{}\n", ProgramBuild::running()?);
        plans.push(metadata_server(server(store, router), &executable()?, &build, &tiers));
    }
    Ok(plans)
}

fn metadata_tiers(store: &Store, router: &Router) -> Vec<MetadataTier> {
    let tiers = router.implemented_tiers().filter(|(_, tier)| tier.services.user_data);
    let served = tiers.flat_map(|(network, tier)| {
        let (_, interface) = guest_interface(router.id, &tier.segment());
        let folder = store.instances(network).folder().to_owned();
        tier.own_addresses().into_iter().map(move |address| {
            let served = ServedTier {
                address: address.addr(),
                interface: Some(interface.to_string()),
                folder: folder.clone(),
            };
            MetadataTier { interface: interface.clone(), served }
        })
    });
    served.collect()
}

/// Every daemon that any tier of two versions of a router has, and any daemon of other networks. The daemons of a network
/// that stands alone are known even if an operator moved its state away.
pub(super) fn known(store: &Store, [before, wanted]: [&Router; 2], others: &[NetworkId]) -> Vec<Daemon> {
    let own = match wanted.id {
        RouterId::Network(network) => Some(network),
        RouterId::Vpc(_) => None,
    };
    let networks = before.tiers.keys().chain(wanted.tiers.keys()).chain(others).copied();
    let networks: BTreeSet<NetworkId> = networks.chain(own).collect();
    let of_networks =
        networks.iter().flat_map(|network| service_daemons(*network, &store.network_folder(*network)));
    of_networks.chain([balancer(store, wanted), server(store, wanted)]).collect()
}

fn balancer(store: &Store, router: &Router) -> Daemon {
    haproxy_daemon(&router.id.to_string(), &store.router_folder(router.id))
}

fn server(store: &Store, router: &Router) -> Daemon {
    metadata_daemon(&router.id.to_string(), &store.router_folder(router.id))
}

/// The path of this program, which the metadata server is started by. The kernel marks a file that was replaced since.
fn executable() -> Result<PathBuf, DeviceError> {
    let path = env::current_exe()
        .map_err(|error| DeviceError::device("cannot tell the path of this program").with_source(error))?;
    let path = path.into_os_string().into_vec();
    let path = path.strip_suffix(b" (deleted)").unwrap_or(&path).to_vec();
    Ok(OsString::from_vec(path).into())
}
