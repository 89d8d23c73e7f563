//! The device, and its answers to each command.

use netext_core::protocol::{
    ActionResult, BroadcastDomainType, CustomAction, DestroyNetwork, DeviceDetails, EnsureNetworkDevice,
    GuestType, ImplementNetwork, Network, NetworkUpdate, RestoreNetwork, SaveHypervisorHostname,
    SavePassword, SaveSshkey, SaveUserdata, SaveVmData, Service, ShutdownNetwork, Subject,
};
use netext_core::{Context, Description, DeviceError, ErrorKind, NetworkDevice, async_trait};

use crate::naming::Naming;

/// Names segments, and does nothing else: hosts create a segment when an instance is plugged in, and remove it with the
/// last one. So there is no step here that could fail or be forgotten.
pub(crate) struct Segments;

#[async_trait]
impl NetworkDevice for Segments {
    /// An offering for layer-2 networks may name no service but `UserData`, so a device of such networks declares it.
    /// `CustomAction` is declared so that actions come here and are refused: otherwise they would succeed without doing
    /// anything, and mislead the operator.
    fn describe(&self) -> Description {
        Description::new("l2-naming", env!("CARGO_PKG_VERSION"))
            .services([Service::UserData, Service::CustomAction])
            .owns_segments()
    }

    async fn ensure_network_device(
        &self,
        context: &Context,
        request: EnsureNetworkDevice,
    ) -> Result<Option<DeviceDetails>, DeviceError> {
        if let Subject::Network(network) = &request.subject {
            only_layer2(network)?;
        }
        let context = context.clone().with_device_details(request.current_details);
        let Naming { mode, prefix } = Naming::of(&context)?;
        let details = context.device_details().clone();
        Ok(Some(details.with(Naming::MODE, mode.to_string()).with(Naming::PREFIX, prefix.to_string())))
    }

    async fn implement_network(
        &self,
        context: &Context,
        request: ImplementNetwork,
    ) -> Result<Option<NetworkUpdate>, DeviceError> {
        only_layer2(&request.network)?;
        let segment = Naming::of(context)?.segment(request.network.network_id);
        Ok(Some(NetworkUpdate::new(BroadcastDomainType::Vswitch, format!("l2://{segment}"))))
    }

    async fn shutdown_network(&self, _: &Context, _: ShutdownNetwork) -> Result<(), DeviceError> {
        Ok(())
    }

    async fn destroy_network(&self, _: &Context, _: DestroyNetwork) -> Result<(), DeviceError> {
        Ok(())
    }

    // Instances of a segment without addresses get their data from the hypervisor, as a disk (CloudStack's ConfigDrive).
    // A failure here would fail their deployment.

    async fn restore_network(&self, _: &Context, _: RestoreNetwork) -> Result<(), DeviceError> {
        Ok(())
    }

    async fn save_vm_data(&self, _: &Context, _: SaveVmData) -> Result<(), DeviceError> {
        Ok(())
    }

    async fn save_password(&self, _: &Context, _: SavePassword) -> Result<(), DeviceError> {
        Ok(())
    }

    async fn save_userdata(&self, _: &Context, _: SaveUserdata) -> Result<(), DeviceError> {
        Ok(())
    }

    async fn save_sshkey(&self, _: &Context, _: SaveSshkey) -> Result<(), DeviceError> {
        Ok(())
    }

    async fn save_hypervisor_hostname(
        &self,
        _: &Context,
        _: SaveHypervisorHostname,
    ) -> Result<(), DeviceError> {
        Ok(())
    }

    async fn custom_action(&self, _: &Context, request: CustomAction) -> Result<ActionResult, DeviceError> {
        let message = format!("l2-naming has no actions; {:?} is unknown", request.action);
        Err(DeviceError::new(ErrorKind::NotImplemented, message))
    }
}

/// Refuses a network with addresses, because no device would route and filter it. Senders that follow the README send no
/// guest type; their network is a layer-2 network if it has no addresses.
fn only_layer2(network: &Network) -> Result<(), DeviceError> {
    let has_addresses = network.gateway.is_some() || network.cidr.is_some();
    let found = match network.guest_type {
        Some(GuestType::L2) => return Ok(()),
        None if !has_addresses => return Ok(()),
        Some(other) => other.to_string(),
        None => "one with addresses".to_owned(),
    };
    Err(DeviceError::invalid(format!(
        "l2-naming carries layer-2 networks (guest_type l2) only, and network {} is {found}; use another \
         extension in its offering",
        network.network_id
    )))
}
