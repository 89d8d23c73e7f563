//! The daemons of a router: those that serve its guests, and the one that balances connections.

use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;
use std::ptr;
use std::time::Instant;

use netext_protocol::NetworkId;

use crate::compile::services::{
    DaemonAccounts, MetadataTier, any_daemons, haproxy, haproxy_daemon, metadata_daemon, metadata_server,
    needed_daemons, needs_haproxy, service_daemons, services,
};
use crate::compile::{CompiledRouter, guests};
use crate::daemons::{self, DaemonError, DaemonSearch, PendingReloads, account};
use crate::drift::Pass;
use crate::kernel::namespace::Namespace;
use crate::metadata::server::ServedTier;
use crate::model::{Router, RouterId, guest_interface};
use crate::plan::{Daemon, DaemonPlan};
use crate::store::{ProgramBuild, Store};

/// Makes the daemons in the namespace match `wanted`, and stops those that only `before` needed. Daemons that only have
/// to read their files again are returned.
pub(super) fn apply(
    store: &Store,
    namespace: &Namespace,
    before: &CompiledRouter<'_>,
    wanted: &CompiledRouter<'_>,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<PendingReloads, DaemonError> {
    let known = known(store, before.router(), wanted.router());
    let changes = !ptr::eq(before.router(), wanted.router());
    let needed_before = if changes { needed(store, before) } else { Vec::new() };
    daemons::apply(namespace, plans(store, wanted), &known, &needed_before, deadline, pass)
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

/// Stops every daemon that a router had before a change or has after it, and whatever daemon of ours is left in its
/// namespace. Returns why some could not be stopped.
pub(super) fn stop(
    store: &Store,
    namespace: Option<&Namespace>,
    before: &Router,
    wanted: &Router,
    deadline: Instant,
    pass: &mut Pass,
) -> Vec<DaemonError> {
    let strays = any_daemons(store.root());
    let search = DaemonSearch { namespace, beyond_folders: namespace.is_some(), strays: &strays };
    daemons::stop(&known(store, before, wanted), search, deadline, pass)
}

/// Stops the daemons of a network, even if its router's state no longer has the network.
pub(super) fn stop_network(store: &Store, network: NetworkId, deadline: Instant) -> Vec<DaemonError> {
    let known = service_daemons(network, &store.network_folder(network));
    daemons::stop(&known, DaemonSearch::default(), deadline, &mut Pass::command())
}

/// The plans of a router's daemons.
pub(super) fn plans(store: &Store, compiled: &CompiledRouter<'_>) -> Vec<DaemonPlan> {
    let router = compiled.router();
    let guests = guests(router);
    let serves = guests.iter().any(|guest| guest.dhcp || guest.dns || guest.ipv6.is_some());
    let mut plans = Vec::new();
    if serves {
        let accounts = DaemonAccounts { dnsmasq: account("dnsmasq"), radvd: account("radvd") };
        plans.extend(
            guests.iter().flat_map(|guest| services(guest, &store.network_folder(guest.network), &accounts)),
        );
    }
    if !compiled.balancers().is_empty() {
        plans.extend(haproxy(balancer(store, router), account("haproxy"), compiled.balancers()));
    }
    let tiers = metadata_tiers(store, router);
    if !tiers.is_empty() {
        let build = ProgramBuild::running().map_or_else(String::new, |build| format!("{build}\n"));
        plans.push(metadata_server(server(store, router), &executable(), &build, &tiers));
    }
    plans
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

/// Every daemon that any tier of the two has or had. The daemons of a network that stands alone are known even if an
/// operator moved its state away.
fn known(store: &Store, before: &Router, wanted: &Router) -> Vec<Daemon> {
    let own = match wanted.id {
        RouterId::Network(network) => Some(network),
        RouterId::Vpc(_) => None,
    };
    let networks = before.tiers.keys().chain(wanted.tiers.keys()).copied();
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

fn executable() -> PathBuf {
    env::current_exe().unwrap_or_default()
}
