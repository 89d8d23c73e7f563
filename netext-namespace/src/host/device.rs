//! The commands of the protocol, each as a change of a router.

use async_trait::async_trait;
use netext_core::{Context, Description, DeviceError, NetworkDevice};
use netext_protocol::{
    AddPortForward, AddStaticNat, ApplyFwRules, AssignIp, DeletePortForward, DeleteStaticNat, DestroyNetwork,
    DeviceDetails, EnsureNetworkDevice, ImplementNetwork, Network, NetworkUpdate, PrepareNic, ReleaseIp,
    ReleaseNic, Service, ShutdownNetwork, Subject,
};

use super::transaction::change;
use crate::model::{Router, RouterId, forward_ends};
use crate::store::Store;

/// The network device that this machine is: routers in network namespaces.
#[derive(Debug)]
pub struct HostDevice {
    store: Store,
}

impl HostDevice {
    /// The device that keeps its routers' state in a store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    async fn change(
        &self,
        context: &Context,
        network: &Network,
        make: impl FnOnce(&mut Router) + Send,
    ) -> Result<(), DeviceError> {
        change(&self.store, context, RouterId::of(network), make).await
    }
}

#[async_trait]
impl NetworkDevice for HostDevice {
    fn describe(&self) -> Description {
        Description::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
            .services([Service::StaticNat, Service::PortForwarding, Service::Firewall, Service::Gateway])
            .capability(Service::SourceNat, "SupportedSourceNatTypes", "peraccount")
            .capability(Service::SourceNat, "RedundantRouter", "false")
    }

    async fn ensure_network_device(
        &self,
        context: &Context,
        request: EnsureNetworkDevice,
    ) -> Result<Option<DeviceDetails>, DeviceError> {
        let router = match &request.subject {
            Subject::Network(network) => RouterId::of(network),
            Subject::Vpc(vpc) => RouterId::Vpc(vpc.vpc_id),
            _ => return Err(DeviceError::invalid("neither a network nor a VPC")),
        };
        let known = if request.current_details.is_empty() {
            context.device_details().clone()
        } else {
            request.current_details
        };
        let host = known.get_str("host").map_or_else(host_name, str::to_owned);
        let mut details = known.with("host", host).with("namespace", router.namespace().to_string());
        if let RouterId::Vpc(vpc) = router {
            details.insert("vpc_id", vpc.to_string());
        }
        Ok(Some(details))
    }

    async fn implement_network(
        &self,
        context: &Context,
        request: ImplementNetwork,
    ) -> Result<Option<NetworkUpdate>, DeviceError> {
        self.change(context, &request.network, |router| {
            router.tier(&request.network).implement(&request.network, request.extension_ip);
        })
        .await?;
        // A device on VLANs has nothing to say about the segment.
        Ok(None)
    }

    async fn shutdown_network(&self, context: &Context, request: ShutdownNetwork) -> Result<(), DeviceError> {
        self.change(context, &request.network, |router| {
            router.shut_down(request.network.network_id);
        })
        .await
    }

    async fn destroy_network(&self, context: &Context, request: DestroyNetwork) -> Result<(), DeviceError> {
        self.change(context, &request.network, |router| {
            router.destroy(request.network.network_id);
        })
        .await
    }

    async fn assign_ip(&self, context: &Context, request: AssignIp) -> Result<(), DeviceError> {
        self.change(context, &request.network, |router| {
            router.tier(&request.network);
            router.take_up(&request.network, &request.public);
        })
        .await
    }

    async fn release_ip(&self, context: &Context, request: ReleaseIp) -> Result<(), DeviceError> {
        self.change(context, &request.network, |router| {
            router.give_up(request.public.public_ip);
        })
        .await
    }

    async fn add_static_nat(&self, context: &Context, request: AddStaticNat) -> Result<(), DeviceError> {
        self.change(context, &request.network, |router| {
            router.tier(&request.network);
            router.take_up(&request.network, &request.public).static_nat = Some(request.private_ip);
        })
        .await
    }

    async fn delete_static_nat(
        &self,
        context: &Context,
        request: DeleteStaticNat,
    ) -> Result<(), DeviceError> {
        self.change(context, &request.network, |router| {
            if let Some(address) = router.addresses.get_mut(&request.public.public_ip) {
                address.stop_static_nat(request.private_ip);
            }
        })
        .await
    }

    async fn add_port_forward(&self, context: &Context, request: AddPortForward) -> Result<(), DeviceError> {
        let (key, to) = forward_ends(&request.forward)?;
        self.change(context, &request.network, |router| {
            router.tier(&request.network);
            router.take_up(&request.network, &request.public).forward(key, to);
        })
        .await
    }

    async fn delete_port_forward(
        &self,
        context: &Context,
        request: DeletePortForward,
    ) -> Result<(), DeviceError> {
        let (key, to) = forward_ends(&request.forward)?;
        self.change(context, &request.network, |router| {
            if let Some(address) = router.addresses.get_mut(&request.public.public_ip) {
                address.stop_forward(key, to);
            }
        })
        .await
    }

    async fn apply_fw_rules(&self, context: &Context, request: ApplyFwRules) -> Result<(), DeviceError> {
        self.change(context, &request.network, |router| {
            router.tier(&request.network).firewall = Some(request.fw_rules);
        })
        .await
    }

    async fn prepare_nic(&self, context: &Context, request: PrepareNic) -> Result<(), DeviceError> {
        self.change(context, &request.network, |router| {
            let tier = router.tier(&request.network);
            tier.serve(request.extension_ip);
            tier.nic(&request.nic, request.hostname.as_ref());
        })
        .await
    }

    async fn release_nic(&self, context: &Context, request: ReleaseNic) -> Result<(), DeviceError> {
        self.change(context, &request.network, |router| {
            if let Some(tier) = router.tiers.get_mut(&request.network.network_id) {
                tier.nics.remove(&request.nic.mac);
            }
        })
        .await
    }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
