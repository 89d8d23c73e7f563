//! The changes that commands have in common.

use std::net::Ipv4Addr;

use netext_core::{Context, DeviceError};
use netext_protocol::{Network, NetworkId, Nic, Resolvers, Vpc};

use super::apply::ApplyError;
use super::device::HostDevice;
use super::services;
use super::transaction::change;
use crate::compile::services::instances_folder;
use crate::metadata::{Instances, MetadataError};
use crate::model::{Router, RouterId, Tier};
use crate::store::Store;

impl HostDevice {
    /// Changes the router of a network.
    pub(super) async fn change(
        &self,
        context: &Context,
        network: &Network,
        make: impl FnOnce(&mut Router) + Send,
    ) -> Result<(), DeviceError> {
        change(&self.store, context, RouterId::of(network), make, |_, _| Ok(())).await
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
        let (id, router) = (network.network_id, RouterId::of(network));
        // What is kept for a network that stands alone lies with its router's state, and goes with it.
        let deadline = context.deadline().instant();
        let forget = |store: &Store, _: &Router| match router {
            RouterId::Vpc(_) => {
                services::stop_network(store, id, deadline).map_err(ApplyError::from)?;
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

    /// Serves the guests of a network, with what they are told about name resolution.
    pub(super) async fn serve(
        &self,
        context: &Context,
        network: &Network,
        extension_ip: Option<Ipv4Addr>,
        resolvers: Resolvers,
        make: impl FnOnce(&mut Tier) + Send,
    ) -> Result<(), DeviceError> {
        self.change(context, network, |router| {
            let tier = router.tier(network);
            tier.serve(extension_ip);
            tier.resolvers = resolvers;
            make(tier);
        })
        .await
    }

    /// Changes a network, and then what its instances are told.
    pub(super) async fn change_and_tell(
        &self,
        context: &Context,
        network: &Network,
        make: impl FnOnce(&mut Router) + Send,
        tell: impl FnOnce(Instances) -> Result<(), MetadataError> + Send,
    ) -> Result<(), DeviceError> {
        let tell = |store: &Store, _: &Router| Ok(tell(instances(store, network.network_id))?);
        change(&self.store, context, RouterId::of(network), make, tell).await
    }

    /// Changes what one instance is told.
    pub(super) async fn tell(
        &self,
        context: &Context,
        network: &Network,
        nic: &Nic,
        tell: impl FnOnce(&Instances, Ipv4Addr) -> Result<(), MetadataError> + Send,
    ) -> Result<(), DeviceError> {
        let address =
            nic.ip.ok_or_else(|| DeviceError::invalid("payload.ip: an instance is told by its address"))?;
        let serve = |router: &mut Router| router.tier(network).services.user_data = true;
        let mac = nic.require_mac()?;
        let tell = |instances: Instances| tell(&instances.for_nic(mac), address);
        self.change_and_tell(context, network, serve, tell).await
    }
}

/// What the instances of a network are told.
pub(super) fn instances(store: &Store, network: NetworkId) -> Instances {
    Instances::in_folder(instances_folder(&store.network_folder(network)))
}
