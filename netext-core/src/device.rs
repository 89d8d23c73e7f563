//! What a vendor implements.

use async_trait::async_trait;
use netext_protocol::{
    ActionResult, AddDhcpEntry, AddDnsEntry, AddPortForward, AddStaticNat, ApplyFwRules, ApplyLbRules,
    ApplyNetworkAcl, AssignIp, Command, ConfigDhcpSubnet, ConfigDnsSubnet, CustomAction, DeletePortForward,
    DeleteStaticNat, DestroyNetwork, DestroyVpc, DeviceDetails, EnsureNetworkDevice, ImplementNetwork,
    ImplementVpc, NetworkUpdate, PrepareNic, ReleaseIp, ReleaseNic, RemoveDhcpEntry, RemoveDhcpSubnet,
    RemoveDnsEntry, RemoveDnsSubnet, RestoreNetwork, SaveHypervisorHostname, SavePassword, SaveSshkey,
    SaveUserdata, SaveVmData, SetDhcpOptions, ShutdownNetwork, ShutdownVpc, UpdateVpcSourceNatIp,
};

use crate::{Context, Description, DeviceError};

/// A device that carries CloudStack's networks: one method per command of the protocol.
///
/// The runner calls at most one method per process, with the payload read, checked and typed. A method
/// succeeds silently, or says why it failed; a failure must leave what was in force before, so that the server
/// can send the command again. Two rules hold for every method:
///
/// - **Twice is as good as once.** The server repeats commands, replays all of them when a network restarts,
///   and sends deletes of what never was.
/// - **Others are at work.** Each command is a process of its own, and several run at once, for one network
///   too: state that is shared between them needs a lock.
///
/// A method need not be asynchronous inside: it may block, and the runner enforces the deadline all the same.
/// One that does await can use tokio; what the vendor's own features of tokio add (`net`, `process`) is
/// enabled.
///
/// Commands of services that [`describe`](Self::describe) does not declare never reach a method: they succeed
/// without doing anything, as the protocol demands. A method of a declared service that is not written fails,
/// and says so; name it with [`Description::without`], so that `--describe` tells the truth. The methods about a
/// VPC as a whole belong to no service: [`Description::vpc`] declares them.
///
/// ```
/// use netext_core::protocol::{AssignIp, DestroyNetwork, ImplementNetwork, NetworkUpdate, Service, ShutdownNetwork};
/// use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};
///
/// struct Acme;
///
/// #[async_trait]
/// impl NetworkDevice for Acme {
///     fn describe(&self) -> Description {
///         Description::new("acme", env!("CARGO_PKG_VERSION")).service(Service::SourceNat)
///     }
///
///     async fn implement_network(
///         &self,
///         context: &Context,
///         request: ImplementNetwork,
///     ) -> Result<Option<NetworkUpdate>, DeviceError> {
///         let controller = context.physical_details().hosts();
///         let Some(_controller) = controller.first() else {
///             return Err(DeviceError::invalid("no `hosts` are registered on the physical network"));
///         };
///         context.deadline().check()?;
///         // Tell the controller about request.network here.
///         Ok(None)
///     }
///
///     async fn shutdown_network(&self, _: &Context, _: ShutdownNetwork) -> Result<(), DeviceError> {
///         Ok(())
///     }
///
///     async fn destroy_network(&self, _: &Context, _: DestroyNetwork) -> Result<(), DeviceError> {
///         Ok(())
///     }
///
///     async fn assign_ip(&self, _: &Context, request: AssignIp) -> Result<(), DeviceError> {
///         let address = request.public.public_ip;
///         Err(DeviceError::device(format!("cannot take up {address}: no free slot")).retryable(true))
///     }
/// }
/// ```
///
/// The examples of the methods are of a device behind a controller that has things by their paths: `put` makes
/// or replaces one, `patch` changes some of its fields, and `delete` is content if it is not there. Each is run
/// with what the server sends, twice. `examples/rest-controller` shows the client that such a device needs.
///
/// # What the server does with a failure
///
#[doc = include_str!("device/failures.md")]
#[async_trait]
#[allow(unused_variables, reason = "the documentation shows the names that an implementation uses")]
pub trait NetworkDevice: Send + Sync {
    /// What the device says about itself: it decides which commands reach it. The same at every call.
    #[doc = include_str!("device/examples/describe.md")]
    fn describe(&self) -> Description;

    /// `ensure-network-device`: choose the device of a network or VPC, or keep the present one, and answer its
    /// details. The server stores them and hands them back with every later command of that network or VPC.
    ///
    /// Comes before almost every other command, twice before `implement-network`, and never before
    /// `custom-action`, `shutdown-vpc` and `update-vpc-source-nat-ip`. So it must be quick, and must answer the
    /// same device again while that device can be used: another answer moves the network. If it fails the server
    /// logs that and sends the other command all the same. Details are one JSON object of at most 1024 bytes
    /// without a `status`; they are stored readable, so they are no place for a secret. `None` keeps the old ones.
    ///
    /// By default the present details: those of the request, else those that came with it.
    #[doc = include_str!("device/examples/ensure-network-device.md")]
    async fn ensure_network_device(
        &self,
        context: &Context,
        request: EnsureNetworkDevice,
    ) -> Result<Option<DeviceDetails>, DeviceError> {
        let current = request.current_details;
        Ok(Some(if current.is_empty() { context.device_details().clone() } else { current }))
    }

    /// `implement-network`: bring a network into being, or bring it back.
    ///
    /// Comes with the first instance, again after a shutdown, and possibly for a network that is there already:
    /// then it heals what is missing and disturbs nothing else. `vlan` may be absent the second time. A device
    /// that owns its segments (`network.isolation.method=NetworkExtension`) answers where the network lives; a
    /// device on VLANs answers `None`.
    #[doc = include_str!("device/examples/implement-network.md")]
    async fn implement_network(
        &self,
        context: &Context,
        request: ImplementNetwork,
    ) -> Result<Option<NetworkUpdate>, DeviceError>;

    /// `shutdown-network`: take a network down, because its last instance is gone or it is restarted.
    ///
    /// The server forgets the device's details and replays every rule when it implements the network again, so
    /// nothing that it replays may be kept. Passwords that no instance has read yet are not replayed. A network
    /// that is not there is down already: success.
    #[doc = include_str!("device/examples/shutdown-network.md")]
    async fn shutdown_network(&self, context: &Context, request: ShutdownNetwork) -> Result<(), DeviceError>;

    /// `destroy-network`: forget a network.
    ///
    /// May come for a network that was never implemented here, and with empty details after a shutdown: both
    /// succeed. One tier's end must leave every other tier of its VPC as it was.
    #[doc = include_str!("device/examples/destroy-network.md")]
    async fn destroy_network(&self, context: &Context, request: DestroyNetwork) -> Result<(), DeviceError>;

    /// `restore-network`: put back the DHCP, DNS and user data of all instances of a network in one call, after
    /// a restart. What the request does not name is no more, except for passwords, which are not replayed: one
    /// that was not read yet must have survived the restart.
    #[doc = include_str!("device/examples/restore-network.md")]
    async fn restore_network(&self, context: &Context, request: RestoreNetwork) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::RestoreNetwork))
    }

    /// `implement-vpc`: bring a VPC into being, before any of its tiers. The source NAT address may be absent
    /// and come later. A VPC that is there already is left as it is.
    #[doc = include_str!("device/examples/implement-vpc.md")]
    async fn implement_vpc(&self, context: &Context, request: ImplementVpc) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ImplementVpc))
    }

    /// `shutdown-vpc`: take a VPC down. Comes after `destroy-network` of every tier; a VPC that is not there is
    /// down already.
    #[doc = include_str!("device/examples/shutdown-vpc.md")]
    async fn shutdown_vpc(&self, context: &Context, request: ShutdownVpc) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ShutdownVpc))
    }

    /// `destroy-vpc`: forget a VPC. No server sends it yet; a VPC that is not there is forgotten already.
    #[doc = include_str!("device/examples/destroy-vpc.md")]
    async fn destroy_vpc(&self, context: &Context, request: DestroyVpc) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::DestroyVpc))
    }

    /// `update-vpc-source-nat-ip`: guests of a VPC without an address of their own leave by this address from now
    /// on. Everything on the VPC's other addresses goes on undisturbed.
    #[doc = include_str!("device/examples/update-vpc-source-nat-ip.md")]
    async fn update_vpc_source_nat_ip(
        &self,
        context: &Context,
        request: UpdateVpcSourceNatIp,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::UpdateVpcSourceNatIp))
    }

    /// `assign-ip`: take up a public address, as the network's source NAT address if `source_nat` says so.
    ///
    /// Comes for an address that any service uses: `SourceNat`, `Gateway`, `StaticNat`, `PortForwarding`,
    /// `Firewall` or `Lb`. An address that is there already is left as it is. The source NAT address of a VPC tier
    /// is the VPC's affair.
    #[doc = include_str!("device/examples/assign-ip.md")]
    async fn assign_ip(&self, context: &Context, request: AssignIp) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::AssignIp))
    }

    /// `release-ip`: give up a public address and whatever flows through it: the next tenant gets it. Comes for an
    /// address that any service used. Releasing one that was never here succeeds.
    #[doc = include_str!("device/examples/release-ip.md")]
    async fn release_ip(&self, context: &Context, request: ReleaseIp) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ReleaseIp))
    }

    /// `add-static-nat`: a public address belongs to one instance from now on, in both directions. What it lets
    /// in is the firewall's affair.
    #[doc = include_str!("device/examples/add-static-nat.md")]
    async fn add_static_nat(&self, context: &Context, request: AddStaticNat) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::AddStaticNat))
    }

    /// `delete-static-nat`: the public address no longer belongs to the instance; its connections end. One that
    /// is gone already, or that belongs to another instance by now, is no error.
    #[doc = include_str!("device/examples/delete-static-nat.md")]
    async fn delete_static_nat(
        &self,
        context: &Context,
        request: DeleteStaticNat,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::DeleteStaticNat))
    }

    /// `add-port-forward`: lead a port or a range of ports of a public address to an instance. The same forward
    /// twice is one.
    #[doc = include_str!("device/examples/add-port-forward.md")]
    async fn add_port_forward(&self, context: &Context, request: AddPortForward) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::AddPortForward))
    }

    /// `delete-port-forward`: no longer lead these ports there; their connections end.
    ///
    /// The protocol gives forwards no id, and deletes may come late: a forward of the same ports that leads
    /// elsewhere is a newer one and stays.
    #[doc = include_str!("device/examples/delete-port-forward.md")]
    async fn delete_port_forward(
        &self,
        context: &Context,
        request: DeletePortForward,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::DeletePortForward))
    }

    /// `apply-fw-rules`: replace **all** firewall rules of a network.
    ///
    /// Ingress rules allow, everything else that comes for a public address is dropped; egress rules are what
    /// `default_egress_allow` makes of them. May come before `implement-network`, and takes effect with it then.
    /// A list that cannot be applied as a whole must leave the old one in force.
    #[doc = include_str!("device/examples/apply-fw-rules.md")]
    async fn apply_fw_rules(&self, context: &Context, request: ApplyFwRules) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ApplyFwRules))
    }

    /// `apply-network-acl`: replace the whole access list of a VPC tier.
    ///
    /// The first item that matches, by ascending number, decides; then everything is denied. Established flows
    /// pass, traffic inside the tier's subnet is not asked, other tiers' lists are not touched. For egress the
    /// items' `source_cidrs` are destinations.
    #[doc = include_str!("device/examples/apply-network-acl.md")]
    async fn apply_network_acl(
        &self,
        context: &Context,
        request: ApplyNetworkAcl,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ApplyNetworkAcl))
    }

    /// `prepare-nic`: an instance's NIC is about to be used. On a shared network it may be the first command that
    /// the device ever sees of the network.
    ///
    /// By default does nothing, and succeeds: the server sends it for every NIC whatever services a device
    /// declares, and what most devices need to know of a NIC comes with the commands of those services.
    #[doc = include_str!("device/examples/prepare-nic.md")]
    async fn prepare_nic(&self, context: &Context, request: PrepareNic) -> Result<(), DeviceError> {
        Ok(())
    }

    /// `release-nic`: an instance's NIC is no longer used; one that was never prepared is no error.
    ///
    /// By default does nothing, and succeeds, for the same reason as [`prepare_nic`](Self::prepare_nic).
    #[doc = include_str!("device/examples/release-nic.md")]
    async fn release_nic(&self, context: &Context, request: ReleaseNic) -> Result<(), DeviceError> {
        Ok(())
    }

    /// `config-dhcp-subnet`: serve DHCP on a network. Comes with every NIC, so mostly for a network that is served
    /// already; not at all for a device without the capability `DhcpAccrossMultipleSubnets`, so `add-dhcp-entry`
    /// must work without it.
    #[doc = include_str!("device/examples/config-dhcp-subnet.md")]
    async fn config_dhcp_subnet(
        &self,
        context: &Context,
        request: ConfigDhcpSubnet,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ConfigDhcpSubnet))
    }

    /// `remove-dhcp-subnet`: no longer serve DHCP on a network; one that is not served is no error.
    #[doc = include_str!("device/examples/remove-dhcp-subnet.md")]
    async fn remove_dhcp_subnet(
        &self,
        context: &Context,
        request: RemoveDhcpSubnet,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::RemoveDhcpSubnet))
    }

    /// `add-dhcp-entry`: reserve an instance's address, in place of an earlier reservation of the same hardware
    /// address. A NIC that is not the instance's default one is given no router.
    #[doc = include_str!("device/examples/add-dhcp-entry.md")]
    async fn add_dhcp_entry(&self, context: &Context, request: AddDhcpEntry) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::AddDhcpEntry))
    }

    /// `remove-dhcp-entry`: drop an instance's reservation; one that is not there is no error.
    #[doc = include_str!("device/examples/remove-dhcp-entry.md")]
    async fn remove_dhcp_entry(
        &self,
        context: &Context,
        request: RemoveDhcpEntry,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::RemoveDhcpEntry))
    }

    /// `set-dhcp-options`: set a NIC's own DHCP options, in place of earlier ones. No server sends it yet.
    #[doc = include_str!("device/examples/set-dhcp-options.md")]
    async fn set_dhcp_options(&self, context: &Context, request: SetDhcpOptions) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::SetDhcpOptions))
    }

    /// `config-dns-subnet`: serve DNS on a network, and let the name `data-server` resolve to the extension's
    /// address. Comes with every NIC that has no IPv6 address, before or after DHCP, or without it.
    #[doc = include_str!("device/examples/config-dns-subnet.md")]
    async fn config_dns_subnet(
        &self,
        context: &Context,
        request: ConfigDnsSubnet,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ConfigDnsSubnet))
    }

    /// `remove-dns-subnet`: no longer serve DNS on a network. DHCP goes on.
    #[doc = include_str!("device/examples/remove-dns-subnet.md")]
    async fn remove_dns_subnet(
        &self,
        context: &Context,
        request: RemoveDnsSubnet,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::RemoveDnsSubnet))
    }

    /// `add-dns-entry`: make an instance's name resolve to its address, in place of earlier names of the address.
    #[doc = include_str!("device/examples/add-dns-entry.md")]
    async fn add_dns_entry(&self, context: &Context, request: AddDnsEntry) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::AddDnsEntry))
    }

    /// `remove-dns-entry`: drop all names of an address. The server sends no host name; an address without names
    /// is no error.
    #[doc = include_str!("device/examples/remove-dns-entry.md")]
    async fn remove_dns_entry(&self, context: &Context, request: RemoveDnsEntry) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::RemoveDnsEntry))
    }

    /// `save-vm-data`: replace an instance's metadata, user data included. `dir` and `file` are foreign text and
    /// never a path to open as it stands. An instance is known by its NIC's address.
    #[doc = include_str!("device/examples/save-vm-data.md")]
    async fn save_vm_data(&self, context: &Context, request: SaveVmData) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::SaveVmData))
    }

    /// `save-password`: hand an instance a new password, to be read once. It is not replayed: it must survive
    /// restarts of the network until it was read.
    #[doc = include_str!("device/examples/save-password.md")]
    async fn save_password(&self, context: &Context, request: SavePassword) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::SavePassword))
    }

    /// `save-userdata`: set an instance's user data, and leave its other metadata alone. Today's server sends text
    /// only: binary user data are damaged before they arrive.
    #[doc = include_str!("device/examples/save-userdata.md")]
    async fn save_userdata(&self, context: &Context, request: SaveUserdata) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::SaveUserdata))
    }

    /// `save-sshkey`: set an instance's public key, and leave its other metadata alone.
    #[doc = include_str!("device/examples/save-sshkey.md")]
    async fn save_sshkey(&self, context: &Context, request: SaveSshkey) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::SaveSshkey))
    }

    /// `save-hypervisor-hostname`: tell an instance the name of its hypervisor, and leave its other metadata
    /// alone.
    #[doc = include_str!("device/examples/save-hypervisor-hostname.md")]
    async fn save_hypervisor_hostname(
        &self,
        context: &Context,
        request: SaveHypervisorHostname,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::SaveHypervisorHostname))
    }

    /// `apply-lb-rules`: add, change or revoke load balancer rules.
    ///
    /// The request holds the rules that changed, or all: only a rule that says `revoke` is removed, one that is
    /// not named stays as it is. In a VPC members may be instances of other tiers. Today's server says `tcp` of
    /// every rule, and sends no source CIDRs, stickiness or health checks.
    #[doc = include_str!("device/examples/apply-lb-rules.md")]
    async fn apply_lb_rules(&self, context: &Context, request: ApplyLbRules) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ApplyLbRules))
    }

    /// `custom-action`: do what an operator asked for. The server refuses an action on a network unless
    /// `CustomAction` is one of that network's services, and asks for no device before it. The answer goes to the
    /// caller of the API; parameters are foreign text and may be credentials. An action that the device does not
    /// know is an [`invalid`](DeviceError::invalid) request.
    #[doc = include_str!("device/examples/custom-action.md")]
    async fn custom_action(
        &self,
        context: &Context,
        request: CustomAction,
    ) -> Result<ActionResult, DeviceError> {
        Err(DeviceError::not_implemented(Command::CustomAction))
    }
}
