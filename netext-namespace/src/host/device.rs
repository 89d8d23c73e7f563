//! The commands of the protocol, each as a change of a router.

use async_trait::async_trait;
use netext_core::{Context, Description, DeviceError, NetworkDevice};
use netext_protocol::{
    ActionResult, AddDhcpEntry, AddDnsEntry, AddPortForward, AddStaticNat, ApplyFwRules, ApplyLbRules,
    ApplyNetworkAcl, AssignIp, ConfigDhcpSubnet, ConfigDnsSubnet, CustomAction, DeletePortForward,
    DeleteStaticNat, DestroyNetwork, DestroyVpc, DeviceDetails, EnsureNetworkDevice, ImplementNetwork,
    ImplementVpc, NetworkUpdate, PrepareNic, ReleaseIp, ReleaseNic, RemoveDhcpEntry, RemoveDhcpSubnet,
    RemoveDnsEntry, RemoveDnsSubnet, RestoreNetwork, RestoredVm, SaveHypervisorHostname, SavePassword,
    SaveSshkey, SaveUserdata, SaveVmData, Service, SetDhcpOptions, ShutdownNetwork, ShutdownVpc,
    UpdateVpcSourceNatIp,
};

use super::actions;
use super::changes::{NicCommand, instances, router_of_subject};
use crate::metadata::Instances;
use crate::model::{DnsListing, InvalidOption, OptionValue, Router, RouterId, forward_ends};
use crate::store::{LockedRouter, Store};

/// The network device that this machine is: routers in network namespaces.
#[derive(Debug)]
pub struct HostDevice {
    pub(super) store: Store,
}

impl HostDevice {
    /// The device that keeps its routers' state in a store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

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
        let waiting = self.waiting(context, &request.network).await?;
        let known = waiting.as_ref().map(LockedRouter::load).transpose()?;
        self.change(context, &request.network, |router| {
            if let Some(known) = known {
                router.adopt(request.network.network_id, known.router);
            }
            router.tier(&request.network).implement(&request.network, request.extension_ip);
        })
        .await?;
        if let Some(waiting) = waiting {
            waiting.remove_state()?;
        }
        // A device on VLANs has nothing to say about the segment.
        Ok(None)
    }

    async fn shutdown_network(&self, context: &Context, request: ShutdownNetwork) -> Result<(), DeviceError> {
        let id = request.network.network_id;
        let clear = |store: &Store, _: &Router| Ok(instances(store, id).clear()?);
        self.change_with(context, &request.network, |router| router.shut_down(id), clear).await
    }

    async fn destroy_network(&self, context: &Context, request: DestroyNetwork) -> Result<(), DeviceError> {
        self.forget(context, &request.network).await
    }

    async fn implement_vpc(&self, context: &Context, request: ImplementVpc) -> Result<(), DeviceError> {
        self.change_vpc(context, &request.vpc, |router| {
            router.implement_vpc(&request.vpc, request.public.as_ref());
        })
        .await
    }

    async fn shutdown_vpc(&self, context: &Context, request: ShutdownVpc) -> Result<(), DeviceError> {
        let clear = |store: &Store, network| Ok(instances(store, network).clear()?);
        self.change_vpc_with_tiers(context, &request.vpc, Router::shut_down_vpc, clear).await
    }

    async fn destroy_vpc(&self, context: &Context, request: DestroyVpc) -> Result<(), DeviceError> {
        let forget = |store: &Store, network| Ok(store.forget_network(network)?);
        self.change_vpc_with_tiers(context, &request.vpc, Router::destroy_vpc, forget).await
    }

    async fn update_vpc_source_nat_ip(
        &self,
        context: &Context,
        request: UpdateVpcSourceNatIp,
    ) -> Result<(), DeviceError> {
        self.change_vpc(context, &request.vpc, |router| router.leave_by(&request.public)).await
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
            router.release(&request.network, request.public.public_ip);
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
            router.apply_firewall(&request.network, request.fw_rules);
        })
        .await
    }

    async fn apply_network_acl(
        &self,
        context: &Context,
        request: ApplyNetworkAcl,
    ) -> Result<(), DeviceError> {
        self.change(context, &request.network, |router| {
            router.tier(&request.network).access_list = Some(request.acl_rules);
        })
        .await
    }

    async fn apply_lb_rules(&self, context: &Context, request: ApplyLbRules) -> Result<(), DeviceError> {
        self.try_change(context, &request.network, |router| {
            Ok(router.apply_balancers(&request.network, &request.lb_rules)?)
        })
        .await
    }

    async fn prepare_nic(&self, context: &Context, request: PrepareNic) -> Result<(), DeviceError> {
        let command = NicCommand::new(&request.network, &request.nic, request.extension_ip);
        self.serve(context, command.of_instance(request.hostname.as_ref()), |_, _| Ok(())).await
    }

    async fn release_nic(&self, context: &Context, request: ReleaseNic) -> Result<(), DeviceError> {
        self.release(context, &request.network, &request.nic).await
    }

    async fn restore_network(&self, context: &Context, request: RestoreNetwork) -> Result<(), DeviceError> {
        let make = |router: &mut Router| {
            let tier = router.tier(&request.network);
            tier.serve(request.extension_ip);
            tier.resolve_by(request.resolvers.clone());
            tier.restore(&request.restore_data);
        };
        let network = &request.network;
        let restore = |store: &Store, before: &Router| {
            let tier = before.tiers.get(&network.network_id);
            let is_anothers = |vm: &RestoredVm| tier.is_some_and(|tier| tier.nics.is_anothers(vm));
            Ok(instances(store, network.network_id).restore(&request.restore_data.vms, is_anothers)?)
        };
        self.change_with(context, network, make, restore).await
    }

    async fn config_dhcp_subnet(
        &self,
        context: &Context,
        request: ConfigDhcpSubnet,
    ) -> Result<(), DeviceError> {
        let command = NicCommand::new(&request.network, &request.nic, request.extension_ip);
        self.serve(context, command.resolving_by(&request.resolvers), |services, _| {
            services.dhcp = true;
            Ok(())
        })
        .await
    }

    async fn remove_dhcp_subnet(
        &self,
        context: &Context,
        request: RemoveDhcpSubnet,
    ) -> Result<(), DeviceError> {
        self.change_known(context, &request.network, |tier| tier.services.dhcp = false).await
    }

    async fn add_dhcp_entry(&self, context: &Context, request: AddDhcpEntry) -> Result<(), DeviceError> {
        let command = NicCommand::new(&request.network, &request.nic, request.extension_ip)
            .of_instance(request.hostname.as_ref())
            .resolving_by(&request.resolvers);
        self.serve(context, command, |services, nic| {
            // The NIC may be known by its address or uuid, and its MAC of an earlier command.
            match nic {
                Some(nic) if nic.mac.is_some() => nic.reserved = true,
                _ => drop(request.nic.require_mac()?),
            }
            services.dhcp = true;
            Ok(())
        })
        .await
    }

    async fn remove_dhcp_entry(
        &self,
        context: &Context,
        request: RemoveDhcpEntry,
    ) -> Result<(), DeviceError> {
        self.change_known(context, &request.network, |tier| {
            if let Some(nic) = tier.known_nic(&request.nic) {
                nic.reserved = false;
            }
        })
        .await
    }

    async fn set_dhcp_options(&self, context: &Context, request: SetDhcpOptions) -> Result<(), DeviceError> {
        let Some(given) = &request.options else { return Ok(()) };
        let options = given.iter().map(|(number, value)| Ok((number, OptionValue::parse(number, value)?)));
        let options = options.collect::<Result<_, InvalidOption>>()?;
        self.change(context, &request.network, |router| {
            router.tier(&request.network).options.insert(request.nic_id, options);
        })
        .await
    }

    async fn config_dns_subnet(
        &self,
        context: &Context,
        request: ConfigDnsSubnet,
    ) -> Result<(), DeviceError> {
        let command = NicCommand::new(&request.network, &request.nic, request.extension_ip);
        self.serve(context, command.resolving_by(&request.resolvers), |services, _| {
            services.dns = true;
            Ok(())
        })
        .await
    }

    async fn remove_dns_subnet(
        &self,
        context: &Context,
        request: RemoveDnsSubnet,
    ) -> Result<(), DeviceError> {
        self.change_known(context, &request.network, |tier| tier.services.dns = false).await
    }

    async fn add_dns_entry(&self, context: &Context, request: AddDnsEntry) -> Result<(), DeviceError> {
        let command = NicCommand::new(&request.network, &request.nic, request.extension_ip)
            .of_instance(request.hostname.as_ref())
            .resolving_by(&request.resolvers);
        self.serve(context, command, |services, nic| {
            if let Some(nic) = nic {
                nic.naming = DnsListing::Listed;
            }
            services.dns = true;
            Ok(())
        })
        .await
    }

    async fn remove_dns_entry(&self, context: &Context, request: RemoveDnsEntry) -> Result<(), DeviceError> {
        self.change_known(context, &request.network, |tier| {
            if let Some(nic) = tier.known_nic(&request.nic) {
                nic.naming = DnsListing::Removed;
            }
        })
        .await
    }

    async fn save_vm_data(&self, context: &Context, request: SaveVmData) -> Result<(), DeviceError> {
        let save = |instances: &Instances, address| instances.save(address, &request.vm_data);
        self.tell(context, &request.network, &request.nic, save).await
    }

    async fn save_password(&self, context: &Context, request: SavePassword) -> Result<(), DeviceError> {
        let save = |instances: &Instances, address| instances.set_password(address, request.password);
        self.tell(context, &request.network, &request.nic, save).await
    }

    async fn save_userdata(&self, context: &Context, request: SaveUserdata) -> Result<(), DeviceError> {
        let save = |instances: &Instances, address| instances.set_user_data(address, request.userdata);
        self.tell(context, &request.network, &request.nic, save).await
    }

    async fn save_sshkey(&self, context: &Context, request: SaveSshkey) -> Result<(), DeviceError> {
        let save = |instances: &Instances, address| instances.set_public_keys(address, request.sshkey);
        self.tell(context, &request.network, &request.nic, save).await
    }

    async fn save_hypervisor_hostname(
        &self,
        context: &Context,
        request: SaveHypervisorHostname,
    ) -> Result<(), DeviceError> {
        let save = |instances: &Instances, address| {
            instances.set_hypervisor_host_name(address, &request.hypervisor_hostname)
        };
        self.tell(context, &request.network, &request.nic, save).await
    }

    async fn custom_action(
        &self,
        context: &Context,
        request: CustomAction,
    ) -> Result<ActionResult, DeviceError> {
        actions::perform(&self.store, context, &request).await
    }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
