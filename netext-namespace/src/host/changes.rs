//! The changes that commands have in common.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use netext_core::{Context, DeviceError};
use netext_protocol::{HostName, MacAddr, Network, NetworkId, Nic, Resolvers, Subject, Vpc};

use super::device::HostDevice;
use super::errors::ApplyError;
use super::services;
use super::transaction::{change, try_change};
use crate::metadata::{Instances, MetadataError};
use crate::model::{AddressUse, GuestNic, Router, RouterId, Tier, TierServices};
use crate::store::{LockedRouter, Store};

impl HostDevice {
    /// Changes the router of a network.
    pub(super) async fn change(
        &self,
        context: &Context,
        network: &Network,
        make: impl FnOnce(&mut Router) + Send,
    ) -> Result<(), DeviceError> {
        self.change_with(context, network, make, |_, _| Ok(())).await
    }

    /// Changes the router of a network, and then what is kept beside it, given what the router was.
    pub(super) async fn change_with(
        &self,
        context: &Context,
        network: &Network,
        make: impl FnOnce(&mut Router) + Send,
        then: impl FnOnce(&Store, &Router) -> Result<(), DeviceError> + Send,
    ) -> Result<(), DeviceError> {
        change(&self.store, context, router_of(&self.store, context, network)?, make, then).await
    }

    /// Changes the router of a network in a way that may not be possible, which is then not begun.
    pub(super) async fn try_change(
        &self,
        context: &Context,
        network: &Network,
        make: impl FnOnce(&mut Router) -> Result<(), DeviceError> + Send,
    ) -> Result<(), DeviceError> {
        let router = router_of(&self.store, context, network)?;
        try_change(&self.store, context, router, make, |_, _| Ok(())).await
    }

    /// What commands left of a tier that did not name its VPC and came before any that did: the state of a router of
    /// its own, which was never in force.
    pub(super) async fn waiting(
        &self,
        context: &Context,
        network: &Network,
    ) -> Result<Option<LockedRouter>, DeviceError> {
        let own = RouterId::Network(network.network_id);
        if router_of(&self.store, context, network)? == own || !self.store.has(own) {
            return Ok(None);
        }
        let locked = self.store.lock(own, context.deadline().cancelled()).await?;
        let is_in_force = locked.load()?.router.implemented_tiers().next().is_some();
        Ok((!is_in_force).then_some(locked))
    }

    /// Changes the router of a VPC.
    pub(super) async fn change_vpc(
        &self,
        context: &Context,
        vpc: &Vpc,
        make: impl FnOnce(&mut Router) + Send,
    ) -> Result<(), DeviceError> {
        change(&self.store, context, RouterId::Vpc(vpc.vpc_id), make, |_, _| Ok(())).await
    }

    /// Changes the router of a VPC, and then what is kept for each of the networks that were its tiers.
    pub(super) async fn change_vpc_with_tiers(
        &self,
        context: &Context,
        vpc: &Vpc,
        make: impl FnOnce(&mut Router) + Send,
        each: impl Fn(&Store, NetworkId) -> Result<(), DeviceError> + Send,
    ) -> Result<(), DeviceError> {
        let all = |store: &Store, before: &Router| {
            before.tiers.keys().try_for_each(|network| each(store, *network))
        };
        change(&self.store, context, RouterId::Vpc(vpc.vpc_id), make, all).await
    }

    /// Forgets a network with all that was kept for it.
    pub(super) async fn forget(&self, context: &Context, network: &Network) -> Result<(), DeviceError> {
        let (id, router) = (network.network_id, router_of(&self.store, context, network)?);
        // What is kept for a network that stands alone is beside its router's state, and goes with it.
        let deadline = context.deadline().instant();
        let forget = |store: &Store, _: &Router| match router {
            RouterId::Vpc(_) => {
                let stuck = services::stop_network(store, id, deadline);
                stuck.into_iter().next().map_or(Ok(()), |error| Err(ApplyError::from(error)))?;
                Ok(store.forget_network(id)?)
            }
            RouterId::Network(_) => Ok(()),
        };
        change(&self.store, context, router, |router| router.destroy(id), forget).await
    }

    /// Changes a network that is there; one that is not has nothing to lose.
    pub(super) async fn change_known(
        &self,
        context: &Context,
        network: &Network,
        make: impl FnOnce(&mut Tier) + Send,
    ) -> Result<(), DeviceError> {
        self.change(context, network, |router| {
            if let Some(tier) = router.tiers.get_mut(&network.network_id) {
                make(tier);
            }
        })
        .await
    }

    /// Changes a network by a command about a NIC that it serves, given the NIC's record; none if the command names no
    /// NIC. What the NIC's address holds of another NIC is forgotten: it has changed hands, whether or not its release
    /// was heard.
    pub(super) async fn serve(
        &self,
        context: &Context,
        command: NicCommand<'_>,
        make: impl FnOnce(&mut TierServices, Option<&mut GuestNic>) -> Result<(), DeviceError> + Send,
    ) -> Result<(), DeviceError> {
        let NicCommand { network, nic, hostname, extension_ip, resolvers } = command;
        let serve = |router: &mut Router| {
            let tier = router.tier_of_nic(network, nic, extension_ip);
            tier.serve(None);
            tier.resolve_by(resolvers);
            let mut services = tier.services;
            make(&mut services, tier.nic(nic, hostname))?;
            tier.services = services;
            Ok(())
        };
        let take_over = |store: &Store, before: &Router| {
            let Some(address) = nic.ip else { return Ok(()) };
            if address_use(before, network, nic, address) == AddressUse::SameNic {
                return Ok(());
            }
            let known = known_nic(before, network, nic);
            let instances = instances(store, network.network_id).for_nic(mac(nic, known));
            if let Some(left) = known.and_then(|known| known.ip) {
                instances.leave(left)?;
            }
            Ok(instances.take_over(address)?)
        };
        try_change(&self.store, context, router_of(&self.store, context, network)?, serve, take_over).await
    }

    /// Forgets a NIC, with what its address holds. The next instance may have the address already.
    pub(super) async fn release(
        &self,
        context: &Context,
        network: &Network,
        nic: &Nic,
    ) -> Result<(), DeviceError> {
        let make = |router: &mut Router| {
            if let Some(tier) = router.tiers.get_mut(&network.network_id) {
                tier.forget_nic(nic);
            }
        };
        let forget = |store: &Store, before: &Router| {
            let known = known_nic(before, network, nic);
            let instances = instances(store, network.network_id).for_nic(mac(nic, known));
            let addresses: BTreeSet<_> = nic.ip.into_iter().chain(known.and_then(|known| known.ip)).collect();
            for address in addresses {
                if address_use(before, network, nic, address) != AddressUse::OtherNic {
                    instances.remove(address)?;
                }
            }
            Ok(())
        };
        self.change_with(context, network, make, forget).await
    }

    /// Changes what one instance is told.
    pub(super) async fn tell(
        &self,
        context: &Context,
        network: &Network,
        nic: &Nic,
        tell: impl FnOnce(&Instances, Ipv4Addr) -> Result<(), MetadataError> + Send,
    ) -> Result<(), DeviceError> {
        let serve = |router: &mut Router| {
            let tier = router.tier_of_nic(network, nic, None);
            tier.services.user_data = true;
            // It tells who holds an address, but takes it from nobody.
            if !tier.nics.is_late(nic) {
                tier.nic(nic, None);
            }
        };
        let tell = |store: &Store, before: &Router| {
            let known = known_nic(before, network, nic);
            let address = nic.require_ip().or_else(|error| known.and_then(|known| known.ip).ok_or(error))?;
            if before.tiers.get(&network.network_id).is_some_and(|tier| tier.nics.is_late(nic)) {
                tracing::warn!(%address, "not saved: the address is another NIC's by now");
                return Ok(());
            }
            Ok(tell(&instances(store, network.network_id).for_nic(mac(nic, known)), address)?)
        };
        self.change_with(context, network, serve, tell).await
    }
}

/// What commands about a NIC that is served have in common.
pub(super) struct NicCommand<'a> {
    network: &'a Network,
    nic: &'a Nic,
    extension_ip: Option<Ipv4Addr>,
    hostname: Option<&'a HostName>,
    resolvers: Resolvers,
}

impl<'a> NicCommand<'a> {
    pub(super) fn new(network: &'a Network, nic: &'a Nic, extension_ip: Option<Ipv4Addr>) -> Self {
        Self { network, nic, extension_ip, hostname: None, resolvers: Resolvers::default() }
    }

    pub(super) fn of_instance(self, hostname: Option<&'a HostName>) -> Self {
        Self { hostname, ..self }
    }

    pub(super) fn resolving_by(self, resolvers: &Resolvers) -> Self {
        Self { resolvers: resolvers.clone(), ..self }
    }
}

/// The router that a command is about.
pub(super) fn router_of_subject(
    store: &Store,
    context: &Context,
    subject: &Subject,
) -> Result<RouterId, DeviceError> {
    match subject {
        Subject::Network(network) => router_of(store, context, network),
        Subject::Vpc(vpc) => Ok(RouterId::Vpc(vpc.vpc_id)),
        _ => Err(DeviceError::invalid("neither a network nor a VPC")),
    }
}

/// The router that serves a network. A command that does not name the network's VPC is about the one that the device
/// details name, or that this host knows.
fn router_of(store: &Store, context: &Context, network: &Network) -> Result<RouterId, DeviceError> {
    let said = network.vpc_id.or_else(|| context.device_details().get_str("vpc_id")?.parse().ok());
    let vpc = said.map_or_else(|| store.vpc_of(network.network_id), |vpc| Ok(Some(vpc)))?;
    Ok(vpc.map_or(RouterId::Network(network.network_id), RouterId::Vpc))
}

/// The NIC that a command is about, as a router knows it.
fn known_nic<'a>(router: &'a Router, network: &Network, nic: &Nic) -> Option<&'a GuestNic> {
    router.tiers.get(&network.network_id)?.nics.find(nic)
}

/// Who has an address, as a router knows it.
fn address_use(router: &Router, network: &Network, nic: &Nic, address: Ipv4Addr) -> AddressUse {
    let tier = router.tiers.get(&network.network_id);
    tier.map_or(AddressUse::Free, |tier| tier.nics.address_use(address, nic))
}

/// The MAC of the NIC that a command is about: it may be known of an earlier one.
fn mac(nic: &Nic, known: Option<&GuestNic>) -> Option<MacAddr> {
    nic.mac.or_else(|| known?.mac)
}

/// What the instances of a network are told.
pub(super) fn instances(store: &Store, network: NetworkId) -> Instances {
    store.instances(network)
}
