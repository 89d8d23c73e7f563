//! The changes that commands have in common.

use std::net::Ipv4Addr;

use netext_core::{Context, DeviceError};
use netext_protocol::{Network, Nic, Resolvers};

use super::device::HostDevice;
use super::transaction::change;
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
        change(&self.store, context, RouterId::of(network), make, |_| Ok(())).await
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
        tell: impl FnOnce(&Instances) -> Result<(), MetadataError> + Send,
    ) -> Result<(), DeviceError> {
        let tell = |store: &Store| {
            tell(&Instances::in_folder(store.network_folder(network.network_id).join("metadata")))
        };
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
        self.change_and_tell(context, network, serve, |instances| tell(instances, address)).await
    }
}
