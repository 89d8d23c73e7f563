//! Changes by commands about a NIC: of its tier, of its record there, and of its instance's metadata.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use netext_core::DeviceError;
use netext_protocol::{HostName, MacAddr, Network, Nic, Resolvers};

use super::transaction::Transaction;
use crate::metadata::{InstanceChange, MetadataError};
use crate::model::{AddressUse, GuestNic, Router, Tier, TierServices};

/// The fields of a command that serves a NIC.
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

impl<'a> Transaction<'a> {
    /// Changes a tier, if it exists.
    pub(super) fn change_tier(
        self,
        network: &'a Network,
        change: impl FnOnce(&mut Tier) + Send + 'a,
    ) -> Self {
        self.change(|router| {
            if let Some(tier) = router.tiers.get_mut(&network.network_id) {
                change(tier);
            }
        })
    }

    /// Changes the record of a NIC, if there is one.
    pub(super) fn change_nic(
        self,
        network: &'a Network,
        nic: &'a Nic,
        change: impl FnOnce(&mut GuestNic) + Send + 'a,
    ) -> Self {
        self.change_tier(network, |tier| {
            if let Some(nic) = tier.known_nic(nic) {
                change(nic);
            }
        })
    }

    /// Changes a tier that serves a NIC, given the NIC's record, if the command names a NIC. Metadata that the NIC's
    /// address has of another NIC is removed: the address belongs to this NIC now, even if no command released it.
    pub(super) fn serve_nic(
        self,
        command: NicCommand<'a>,
        change: impl FnOnce(&mut TierServices, Option<&mut GuestNic>) -> Result<(), DeviceError> + Send + 'a,
    ) -> Self {
        let NicCommand { network, nic, hostname, extension_ip, resolvers } = command;
        let instances = self.store.instances(network.network_id);
        self.try_change(move |router| {
            let tier = router.tier_of_nic(network, nic, extension_ip);
            tier.serve(None);
            tier.resolve_by(resolvers);
            let mut services = tier.services;
            change(&mut services, tier.nic(nic, hostname))?;
            tier.services = services;
            Ok(())
        })
        .change_metadata(move |before, deadline| {
            let Some(address) = nic.ip else { return Ok(Vec::new()) };
            if address_use(before, network, nic, address) == AddressUse::SameNic {
                return Ok(Vec::new());
            }
            let known = known_nic(before, network, nic);
            let mut change = instances.change(deadline)?;
            change.for_nic(mac(nic, known));
            if let Some(left) = known.and_then(|known| known.ip) {
                change.leave(left)?;
            }
            change.take_over(address)?;
            Ok(vec![change])
        })
    }

    /// Removes a NIC, and the metadata of its address. The next instance may have the address already.
    pub(super) fn release_nic(self, network: &'a Network, nic: &'a Nic) -> Self {
        let instances = self.store.instances(network.network_id);
        self.change_tier(network, |tier| tier.forget_nic(nic)).change_metadata(move |before, deadline| {
            let known = known_nic(before, network, nic);
            let mut change = instances.change(deadline)?;
            change.for_nic(mac(nic, known));
            let addresses: BTreeSet<_> = nic.ip.into_iter().chain(known.and_then(|known| known.ip)).collect();
            for address in addresses {
                if address_use(before, network, nic, address) != AddressUse::OtherNic {
                    change.remove(address)?;
                }
            }
            Ok(vec![change])
        })
    }

    /// Changes the metadata of a NIC's instance.
    pub(super) fn change_instance(
        self,
        network: &'a Network,
        nic: &'a Nic,
        change: impl FnOnce(&mut InstanceChange, Ipv4Addr) -> Result<(), MetadataError> + Send + 'a,
    ) -> Self {
        let instances = self.store.instances(network.network_id);
        self.change(|router| {
            let tier = router.tier_of_nic(network, nic, None);
            tier.services.user_data = true;
            // The command may be late: it takes the address from no other NIC.
            if !tier.nics.is_late(nic) {
                tier.nic(nic, None);
            }
        })
        .change_metadata(move |before, deadline| {
            let known = known_nic(before, network, nic);
            let address = nic.require_ip().or_else(|error| known.and_then(|known| known.ip).ok_or(error))?;
            if before.tiers.get(&network.network_id).is_some_and(|tier| tier.nics.is_late(nic)) {
                tracing::warn!(%address, "not saved: the address belongs to another NIC now");
                return Ok(Vec::new());
            }
            let mut instances = instances.change(deadline)?;
            change(instances.for_nic(mac(nic, known)), address)?;
            Ok(vec![instances])
        })
    }
}

/// The NIC of a command, as a router knows it.
fn known_nic<'r>(router: &'r Router, network: &Network, nic: &Nic) -> Option<&'r GuestNic> {
    router.tiers.get(&network.network_id)?.nics.find(nic)
}

/// Which NIC has an address, as a router knows it.
fn address_use(router: &Router, network: &Network, nic: &Nic, address: Ipv4Addr) -> AddressUse {
    let tier = router.tiers.get(&network.network_id);
    tier.map_or(AddressUse::Free, |tier| tier.nics.address_use(address, nic))
}

/// The MAC of a command's NIC, which an earlier command may have named.
fn mac(nic: &Nic, known: Option<&GuestNic>) -> Option<MacAddr> {
    nic.mac.or_else(|| known?.mac)
}
