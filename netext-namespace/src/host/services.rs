//! Makes a router's daemons match: those that serve its guests, and those that balance connections to them.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Instant;

use netext_core::DeviceError;
use netext_protocol::NetworkId;

use crate::compile::guests;
use crate::compile::services::{
    DaemonAccounts, MetadataTier, haproxy, haproxy_daemon, instances_folder, metadata_daemon,
    metadata_server, service_daemons, services,
};
use crate::daemons::{self, DaemonError, PendingReloads, account};
use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::kernel::namespace::Namespace;
use crate::metadata::server::ServedTier;
use crate::model::{Router, RouterId, guest_interface};
use crate::plan::{Daemon, DaemonPlan};
use crate::store::{Build, Store};

/// Makes the daemons in the namespace serve the guests of `wanted`, and ends those of `before` that nobody needs.
/// Some are left to be told.
pub(super) fn apply(
    store: &Store,
    namespace: &Namespace,
    before: &Router,
    wanted: &Router,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<PendingReloads, DaemonError> {
    daemons::apply(namespace, plans(store, wanted), &known(store, before, wanted), deadline, pass)
}

/// Ends all daemons of a router.
pub(super) fn stop(
    store: &Store,
    router: &Router,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<(), DaemonError> {
    daemons::stop(&known(store, router, router), deadline, pass)
}

/// Ends all daemons of a network, whether or not its router's state still tells of them.
pub(super) fn stop_network(store: &Store, network: NetworkId, deadline: Instant) -> Result<(), DaemonError> {
    let daemons: Vec<_> = service_daemons(network, &store.network_folder(network)).into_iter().collect();
    daemons::stop(&daemons, deadline, &mut Pass::command())
}

/// The daemons that serve the guests of a router.
pub(super) fn plans(store: &Store, router: &Router) -> Vec<DaemonPlan> {
    let guests = guests(router);
    let serves = guests.iter().any(|guest| guest.dhcp || guest.dns || guest.ipv6.is_some());
    let mut plans = Vec::new();
    if serves {
        let accounts = DaemonAccounts { dnsmasq: account("dnsmasq"), radvd: account("radvd") };
        plans.extend(
            guests.iter().flat_map(|guest| services(guest, &store.network_folder(guest.network), &accounts)),
        );
    }
    let balancers = router.balancers_in_force();
    if !balancers.is_empty() {
        plans.extend(haproxy(balancer(store, router), account("haproxy"), &balancers));
    }
    let build = Build::running().map_or_else(String::new, |build| format!("{build}\n"));
    plans.extend(metadata_server(server(store, router), &executable(), &build, &told(store, router)));
    plans
}

fn told(store: &Store, router: &Router) -> Vec<MetadataTier> {
    let tiers = router.implemented_tiers().filter(|(_, tier)| tier.services.user_data);
    let told = tiers.flat_map(|(network, tier)| {
        let (_, interface) = guest_interface(router.id, &tier.segment());
        let folder = instances_folder(&store.network_folder(network));
        tier.own_addresses().into_iter().map(move |address| {
            let served = ServedTier {
                address: address.addr(),
                interface: Some(interface.to_string()),
                folder: folder.clone(),
            };
            MetadataTier { interface: interface.clone(), served }
        })
    });
    told.collect()
}

/// Every daemon that any tier of the two ever had or shall have. A network that stands alone may have had some that
/// its state, moved away by an operator, no longer tells of.
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

/// Leaves the guests' IPv6 gateway where operators look for it: the file `ip6-gateway` of the network's folder.
pub(super) fn note_ipv6_gateways(store: &Store, wanted: &Router, pass: &mut Pass) -> Result<(), DeviceError> {
    for (network, tier) in &wanted.tiers {
        let path = store.network_folder(*network).join("ip6-gateway");
        let failed =
            |error| DeviceError::device(format!("cannot change {}", path.display())).with_source(error);
        let gateway = tier.ipv6.filter(|_| tier.implemented).map(|ipv6| format!("{}\n", ipv6.gateway));
        let noted = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            noted => Some(noted.map_err(failed)?),
        };
        if noted == gateway {
            continue;
        }
        let change = if gateway.is_some() { DifferenceKind::Modify } else { DifferenceKind::Remove };
        pass.differs(
            RouterPart::File,
            change,
            format!("note the IPv6 gateway of network {network} in ip6-gateway"),
        );
        if pass.acts() {
            gateway.map_or_else(|| fs::remove_file(&path), |text| fs::write(&path, text)).map_err(failed)?;
        }
    }
    Ok(())
}
