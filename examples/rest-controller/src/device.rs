//! The calls to the controller for each command.

use netext_core::protocol::{
    AddStaticNat, ApplyFwRules, AssignIp, DeleteStaticNat, DestroyNetwork, ImplementNetwork, NetworkUpdate,
    ReleaseIp, Service, ShutdownNetwork,
};
use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};
use serde_json::json;

use crate::controller::Controller;

/// Networks behind a controller. Every command is one call that names objects by the server's ids and sends their desired
/// state, so it can be repeated, and a lost answer does no harm.
pub(crate) struct Sdn;

#[async_trait]
impl NetworkDevice for Sdn {
    fn describe(&self) -> Description {
        Description::new("rest-controller", env!("CARGO_PKG_VERSION")).services([
            Service::SourceNat,
            Service::StaticNat,
            Service::Firewall,
        ])
    }

    /// Absent fields are left out, and the controller keeps their values: the server does not always send the segment a
    /// second time.
    async fn implement_network(
        &self,
        context: &Context,
        request: ImplementNetwork,
    ) -> Result<Option<NetworkUpdate>, DeviceError> {
        let network = request.network;
        Controller::of(context)?.put(&format!("networks/{}", network.network_id), &network).await?;
        Ok(None)
    }

    async fn shutdown_network(&self, context: &Context, request: ShutdownNetwork) -> Result<(), DeviceError> {
        Controller::of(context)?.delete(&format!("networks/{}", request.network.network_id)).await
    }

    async fn destroy_network(&self, context: &Context, request: DestroyNetwork) -> Result<(), DeviceError> {
        Controller::of(context)?.delete(&format!("networks/{}", request.network.network_id)).await
    }

    async fn assign_ip(&self, context: &Context, request: AssignIp) -> Result<(), DeviceError> {
        let AssignIp { network, public, .. } = request;
        let path = format!("networks/{}/addresses/{}", network.network_id, public.public_ip);
        Controller::of(context)?.put(&path, &public).await
    }

    async fn release_ip(&self, context: &Context, request: ReleaseIp) -> Result<(), DeviceError> {
        let ReleaseIp { network, public, .. } = request;
        let path = format!("networks/{}/addresses/{}", network.network_id, public.public_ip);
        Controller::of(context)?.delete(&path).await
    }

    async fn add_static_nat(&self, context: &Context, request: AddStaticNat) -> Result<(), DeviceError> {
        let AddStaticNat { network, public, private_ip, .. } = request;
        let path = format!("networks/{}/static-nats/{}", network.network_id, public.public_ip);
        Controller::of(context)?.put(&path, &json!({ "private_ip": private_ip })).await
    }

    async fn delete_static_nat(
        &self,
        context: &Context,
        request: DeleteStaticNat,
    ) -> Result<(), DeviceError> {
        let DeleteStaticNat { network, public, private_ip, .. } = request;
        let path = format!("networks/{}/static-nats/{}", network.network_id, public.public_ip);
        Controller::of(context)?.delete_if(&path, "private_ip", private_ip).await
    }

    /// Sends the whole list every time: the controller replaces it in one step, or keeps the old one.
    async fn apply_fw_rules(&self, context: &Context, request: ApplyFwRules) -> Result<(), DeviceError> {
        let path = format!("networks/{}/firewall", request.network.network_id);
        Controller::of(context)?.put(&path, &request.fw_rules).await
    }
}
