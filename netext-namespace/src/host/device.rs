//! The commands of the protocol: which router, what changes in it, and what changes in instance metadata.

use async_trait::async_trait;
use netext_core::{Context, Description, DeviceError, NetworkDevice, error_chain};
use netext_protocol::{
    AddDhcpEntry, AddDnsEntry, AddPortForward, AddStaticNat, ApplyFwRules, ApplyLbRules, ApplyNetworkAcl,
    AssignIp, ConfigDhcpSubnet, ConfigDnsSubnet, CustomAction, DeletePortForward, DeleteStaticNat,
    DestroyNetwork, DestroyVpc, DeviceDetails, EnsureNetworkDevice, ImplementNetwork, ImplementVpc,
    NetworkUpdate, PrepareNic, ReleaseIp, ReleaseNic, RemoveDhcpEntry, RemoveDhcpSubnet, RemoveDnsEntry,
    RemoveDnsSubnet, RestoreNetwork, RestoredVm, SaveHypervisorHostname, SavePassword, SaveSshkey,
    SaveUserdata, SaveVmData, Service, SetDhcpOptions, ShutdownNetwork, ShutdownVpc, UpdateVpcSourceNatIp,
};

use super::HostDevice;
use super::actions::{self, ActionOutcome};
use super::nics::NicCommand;
use super::transaction::{Transaction, early_router, router_of, router_of_subject};
use crate::model::{DnsListing, InvalidOption, OptionValue, Router, RouterId, forward_ends};
use crate::store::LockedRouter;

type CommandResult = Result<(), DeviceError>;

#[async_trait]
impl NetworkDevice for HostDevice {
    fn describe(&self) -> Description {
        Description::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
            .services([Service::Dhcp, Service::Dns, Service::UserData])
            .services([Service::StaticNat, Service::PortForwarding, Service::Firewall, Service::Gateway])
            .services([Service::SourceNat, Service::Lb, Service::NetworkAcl, Service::CustomAction])
            .vpc()
    }

    async fn ensure_network_device(
        &self,
        context: &Context,
        request: EnsureNetworkDevice,
    ) -> Result<Option<DeviceDetails>, DeviceError> {
        let router = router_of_subject(&self.store, context, &request.subject)?;
        let current = Some(request.current_details).filter(|details| !details.is_empty());
        let known = current.unwrap_or_else(|| context.device_details().clone());
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
        let early = early_router(&self.store, context, &request.network).await?;
        let known = early.as_ref().map(LockedRouter::load).transpose()?;
        self.network(context, &request.network)?
            .change(|router| {
                if let Some(known) = known {
                    router.adopt(request.network.network_id, known.router);
                }
                router.tier(&request.network).implement(&request.network, request.extension_ip);
            })
            .commit()
            .await?;
        if let Some(Err(error)) = early.as_ref().map(LockedRouter::remove_state) {
            // The tier has it already.
            let (network, error) = (request.network.network_id, error_chain(&error));
            tracing::warn!(%network, error, "the early state stays until the network is implemented again");
        }
        // On VLANs the server chooses the segment.
        Ok(None)
    }

    async fn shutdown_network(&self, context: &Context, request: ShutdownNetwork) -> CommandResult {
        let network = request.network.network_id;
        self.network(context, &request.network)?
            .change(|router| router.shut_down(network))
            .change_metadata(move |_, deadline| Ok(vec![self.cleared(network, deadline)?]))
            .commit()
            .await
    }

    async fn destroy_network(&self, context: &Context, request: DestroyNetwork) -> CommandResult {
        let network = request.network.network_id;
        let router = router_of(&self.store, context, &request.network)?;
        Transaction::new(&self.store, context, router)
            .change(|router| router.destroy(network))
            .forget(network)
            .commit()
            .await
    }

    async fn implement_vpc(&self, context: &Context, request: ImplementVpc) -> CommandResult {
        self.vpc(context, &request.vpc)
            .change(|router| router.implement_vpc(&request.vpc, request.public.as_ref()))
            .commit()
            .await
    }

    async fn shutdown_vpc(&self, context: &Context, request: ShutdownVpc) -> CommandResult {
        self.vpc(context, &request.vpc)
            .change(Router::shut_down_vpc)
            .change_metadata(|before, deadline| {
                before.tiers.keys().map(|network| Ok(self.cleared(*network, deadline)?)).collect()
            })
            .commit()
            .await
    }

    async fn destroy_vpc(&self, context: &Context, request: DestroyVpc) -> CommandResult {
        self.vpc(context, &request.vpc).change(Router::destroy_vpc).commit().await
    }

    async fn update_vpc_source_nat_ip(
        &self,
        context: &Context,
        request: UpdateVpcSourceNatIp,
    ) -> CommandResult {
        self.vpc(context, &request.vpc).change(|router| router.leave_by(&request.public)).commit().await
    }

    async fn assign_ip(&self, context: &Context, request: AssignIp) -> CommandResult {
        self.network(context, &request.network)?
            .change(|router| {
                router.tier(&request.network);
                router.take_up(&request.network, &request.public);
            })
            .commit()
            .await
    }

    async fn release_ip(&self, context: &Context, request: ReleaseIp) -> CommandResult {
        self.network(context, &request.network)?
            .change(|router| {
                router.release(&request.network, request.public.public_ip);
            })
            .commit()
            .await
    }

    async fn add_static_nat(&self, context: &Context, request: AddStaticNat) -> CommandResult {
        self.network(context, &request.network)?
            .change(|router| {
                router.tier(&request.network);
                router.take_up(&request.network, &request.public).static_nat = Some(request.private_ip);
            })
            .commit()
            .await
    }

    async fn delete_static_nat(&self, context: &Context, request: DeleteStaticNat) -> CommandResult {
        self.network(context, &request.network)?
            .change(|router| {
                if let Some(address) = router.addresses.get_mut(&request.public.public_ip) {
                    address.stop_static_nat(request.private_ip);
                }
            })
            .commit()
            .await
    }

    async fn add_port_forward(&self, context: &Context, request: AddPortForward) -> CommandResult {
        let (key, to) = forward_ends(&request.forward)?;
        self.network(context, &request.network)?
            .change(|router| {
                router.tier(&request.network);
                router.take_up(&request.network, &request.public).forward(key, to);
            })
            .commit()
            .await
    }

    async fn delete_port_forward(&self, context: &Context, request: DeletePortForward) -> CommandResult {
        let (key, to) = forward_ends(&request.forward)?;
        self.network(context, &request.network)?
            .change(|router| {
                if let Some(address) = router.addresses.get_mut(&request.public.public_ip) {
                    address.stop_forward(key, to);
                }
            })
            .commit()
            .await
    }

    async fn apply_fw_rules(&self, context: &Context, request: ApplyFwRules) -> CommandResult {
        self.network(context, &request.network)?
            .change(|router| {
                router.apply_firewall(&request.network, request.fw_rules);
            })
            .commit()
            .await
    }

    async fn apply_network_acl(&self, context: &Context, request: ApplyNetworkAcl) -> CommandResult {
        self.network(context, &request.network)?
            .change(|router| {
                router.tier(&request.network).access_list = Some(request.acl_rules);
            })
            .commit()
            .await
    }

    async fn apply_lb_rules(&self, context: &Context, request: ApplyLbRules) -> CommandResult {
        self.network(context, &request.network)?
            .try_change(|router| Ok(router.apply_balancers(&request.network, &request.lb_rules)?))
            .commit()
            .await
    }

    async fn prepare_nic(&self, context: &Context, request: PrepareNic) -> CommandResult {
        let nic = NicCommand::new(&request.network, &request.nic, request.extension_ip)
            .of_instance(request.hostname.as_ref());
        self.network(context, &request.network)?.serve_nic(nic, |_, _| Ok(())).commit().await
    }

    async fn release_nic(&self, context: &Context, request: ReleaseNic) -> CommandResult {
        self.network(context, &request.network)?.release_nic(&request.network, &request.nic).commit().await
    }

    async fn restore_network(&self, context: &Context, request: RestoreNetwork) -> CommandResult {
        let network = &request.network;
        self.network(context, network)?
            .change(|router| {
                let tier = router.tier(network);
                tier.serve(request.extension_ip);
                tier.resolve_by(request.resolvers.clone());
                tier.restore(&request.restore_data);
            })
            .change_metadata(|before, deadline| {
                let tier = before.tiers.get(&network.network_id);
                let is_anothers = |vm: &RestoredVm| tier.is_some_and(|tier| tier.nics.is_anothers(vm));
                let mut instances = self.store.instances(network.network_id).change(deadline)?;
                instances.restore(&request.restore_data.vms, is_anothers)?;
                Ok(vec![instances])
            })
            .commit()
            .await
    }

    async fn config_dhcp_subnet(&self, context: &Context, request: ConfigDhcpSubnet) -> CommandResult {
        let nic = NicCommand::new(&request.network, &request.nic, request.extension_ip)
            .resolving_by(&request.resolvers);
        self.network(context, &request.network)?
            .serve_nic(nic, |services, _| {
                services.dhcp = true;
                Ok(())
            })
            .commit()
            .await
    }

    async fn remove_dhcp_subnet(&self, context: &Context, request: RemoveDhcpSubnet) -> CommandResult {
        self.network(context, &request.network)?
            .change_tier(&request.network, |tier| tier.services.dhcp = false)
            .commit()
            .await
    }

    async fn add_dhcp_entry(&self, context: &Context, request: AddDhcpEntry) -> CommandResult {
        let nic = NicCommand::new(&request.network, &request.nic, request.extension_ip)
            .of_instance(request.hostname.as_ref())
            .resolving_by(&request.resolvers);
        self.network(context, &request.network)?
            .serve_nic(nic, |services, nic| {
                // An earlier command may have named the MAC of this address or uuid.
                match nic {
                    Some(nic) if nic.mac.is_some() => nic.reserved = true,
                    _ => drop(request.nic.require_mac()?),
                }
                services.dhcp = true;
                Ok(())
            })
            .commit()
            .await
    }

    async fn remove_dhcp_entry(&self, context: &Context, request: RemoveDhcpEntry) -> CommandResult {
        self.network(context, &request.network)?
            .change_nic(&request.network, &request.nic, |nic| nic.reserved = false)
            .commit()
            .await
    }

    async fn set_dhcp_options(&self, context: &Context, request: SetDhcpOptions) -> CommandResult {
        let Some(given) = &request.options else { return Ok(()) };
        let options = given.iter().map(|(number, value)| Ok((number, OptionValue::parse(number, value)?)));
        let options = options.collect::<Result<_, InvalidOption>>()?;
        self.network(context, &request.network)?
            .change(|router| {
                router.tier(&request.network).options.insert(request.nic_id, options);
            })
            .commit()
            .await
    }

    async fn config_dns_subnet(&self, context: &Context, request: ConfigDnsSubnet) -> CommandResult {
        let nic = NicCommand::new(&request.network, &request.nic, request.extension_ip)
            .resolving_by(&request.resolvers);
        self.network(context, &request.network)?
            .serve_nic(nic, |services, _| {
                services.dns = true;
                Ok(())
            })
            .commit()
            .await
    }

    async fn remove_dns_subnet(&self, context: &Context, request: RemoveDnsSubnet) -> CommandResult {
        self.network(context, &request.network)?
            .change_tier(&request.network, |tier| tier.services.dns = false)
            .commit()
            .await
    }

    async fn add_dns_entry(&self, context: &Context, request: AddDnsEntry) -> CommandResult {
        let nic = NicCommand::new(&request.network, &request.nic, request.extension_ip)
            .of_instance(request.hostname.as_ref())
            .resolving_by(&request.resolvers);
        self.network(context, &request.network)?
            .serve_nic(nic, |services, nic| {
                if let Some(nic) = nic {
                    nic.naming = DnsListing::Listed;
                }
                services.dns = true;
                Ok(())
            })
            .commit()
            .await
    }

    async fn remove_dns_entry(&self, context: &Context, request: RemoveDnsEntry) -> CommandResult {
        self.network(context, &request.network)?
            .change_nic(&request.network, &request.nic, |nic| nic.naming = DnsListing::Removed)
            .commit()
            .await
    }

    async fn save_vm_data(&self, context: &Context, request: SaveVmData) -> CommandResult {
        self.network(context, &request.network)?
            .change_instance(&request.network, &request.nic, |instances, address| {
                instances.save(address, &request.vm_data)
            })
            .commit()
            .await
    }

    async fn save_password(&self, context: &Context, request: SavePassword) -> CommandResult {
        self.network(context, &request.network)?
            .change_instance(&request.network, &request.nic, |instances, address| {
                instances.set_password(address, request.password)
            })
            .commit()
            .await
    }

    async fn save_userdata(&self, context: &Context, request: SaveUserdata) -> CommandResult {
        self.network(context, &request.network)?
            .change_instance(&request.network, &request.nic, |instances, address| {
                instances.set_user_data(address, request.userdata)
            })
            .commit()
            .await
    }

    async fn save_sshkey(&self, context: &Context, request: SaveSshkey) -> CommandResult {
        self.network(context, &request.network)?
            .change_instance(&request.network, &request.nic, |instances, address| {
                instances.set_public_keys(address, request.sshkey)
            })
            .commit()
            .await
    }

    async fn save_hypervisor_hostname(
        &self,
        context: &Context,
        request: SaveHypervisorHostname,
    ) -> CommandResult {
        self.network(context, &request.network)?
            .change_instance(&request.network, &request.nic, |instances, address| {
                instances.set_hypervisor_host_name(address, &request.hypervisor_hostname)
            })
            .commit()
            .await
    }

    async fn custom_action(&self, context: &Context, request: CustomAction) -> ActionOutcome {
        actions::perform(&self.store, context, &request).await
    }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
