//! The trait that a vendor implements.

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

/// A device that carries CloudStack's networks: one method per command of the protocol. The [front page](crate) shows
/// a whole device.
///
/// The runner calls at most one method per process, with the payload read, checked and typed. A method succeeds
/// silently, or says why it failed. A failure must leave the previous configuration in force, because the server sends
/// the command again. Two rules hold for every method:
///
/// - **It is idempotent.** The server repeats commands, replays all of them when a network restarts, and deletes
///   things that never existed.
/// - **It is not alone.** Each command is a process of its own, and several run at once, also for one network: state
///   that they share needs a lock.
///
/// A method may block; the runner enforces the deadline all the same. A method that awaits runs on tokio, with the
/// features that the vendor's own crate asks for, such as `net` and `process`.
///
/// Commands of services that [`describe`](Self::describe) does not declare never reach a method: they succeed without
/// doing anything, as the protocol demands. A method of a declared service that is not written fails and says so; name
/// its command with [`Description::without`], so that `--describe` tells the truth. The methods about a VPC as a whole
/// belong to no service: [`Description::vpc`] declares them.
///
/// The examples of the methods are of a device behind a controller that stores objects by path: `put` creates or
/// replaces an object, `patch` changes some of its fields, and `delete` succeeds if it does not exist. Each example is
/// run twice with what the server sends. `examples/rest-controller` shows the client that such a device needs.
///
/// # Failures
///
#[doc = include_str!("device/failures.md")]
#[async_trait]
#[allow(unused_variables, reason = "the documentation shows the names that an implementation uses")]
pub trait NetworkDevice: Send + Sync {
    /// Describes the device, which decides which commands reach it. The description is the same at every call.
    #[doc = include_str!("device/examples/describe.md")]
    fn describe(&self) -> Description;

    /// `ensure-network-device`: chooses the device of a network or VPC, or keeps the current one, and answers its
    /// details. The server stores them and sends them with every later command of that network or VPC.
    ///
    /// The server sends it before almost every other command, twice before `implement-network`, and never before
    /// `custom-action`, `shutdown-vpc` and `update-vpc-source-nat-ip`. So it must be quick, and must answer the same
    /// device again while that device is usable: another answer moves the network. If it fails, the server logs that
    /// and still sends the other command. Details are one JSON object of at most 1024 bytes without a `status`. They
    /// are stored in plain text: never put a secret there. `None` keeps the stored details.
    ///
    /// By default answers the current details: those of the request, else those that came with it.
    #[doc = include_str!("device/examples/ensure-network-device.md")]
    async fn ensure_network_device(
        &self,
        context: &Context,
        request: EnsureNetworkDevice,
    ) -> Result<Option<DeviceDetails>, DeviceError> {
        let current = request.current_details;
        Ok(Some(if current.is_empty() { context.device_details().clone() } else { current }))
    }

    /// `implement-network`: creates a network, or restores it.
    ///
    /// The server sends it with the first instance, again after a shutdown, and possibly for a network that exists:
    /// then it repairs what is missing and disturbs nothing else. `vlan` may be absent the second time. A device that
    /// owns its segments (`network.isolation.method=NetworkExtension`) answers the segment; a device on VLANs answers
    /// `None`.
    #[doc = include_str!("device/examples/implement-network.md")]
    async fn implement_network(
        &self,
        context: &Context,
        request: ImplementNetwork,
    ) -> Result<Option<NetworkUpdate>, DeviceError>;

    /// `shutdown-network`: takes a network down, because its last instance is gone or it restarts.
    ///
    /// The server forgets the device's details and replays every rule when it implements the network again, so the
    /// device must not keep what the server replays. The server does not replay passwords that no instance has read
    /// yet: keep these. Shutting down a network that does not exist succeeds.
    #[doc = include_str!("device/examples/shutdown-network.md")]
    async fn shutdown_network(&self, context: &Context, request: ShutdownNetwork) -> Result<(), DeviceError>;

    /// `destroy-network`: removes a network.
    ///
    /// Succeeds for a network that was never implemented here, and with empty details after a shutdown. Destroying a
    /// tier leaves the other tiers of its VPC as they are.
    #[doc = include_str!("device/examples/destroy-network.md")]
    async fn destroy_network(&self, context: &Context, request: DestroyNetwork) -> Result<(), DeviceError>;

    /// `restore-network`: restores the DHCP, DNS and user data of all instances of a network in one call, after a
    /// restart. It replaces everything except passwords: the server does not replay them, so an unread password must
    /// survive the restart.
    #[doc = include_str!("device/examples/restore-network.md")]
    async fn restore_network(&self, context: &Context, request: RestoreNetwork) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::RestoreNetwork))
    }

    /// `implement-vpc`: creates a VPC, before any of its tiers. The source NAT address may be absent and come later.
    /// A VPC that exists stays as it is.
    #[doc = include_str!("device/examples/implement-vpc.md")]
    async fn implement_vpc(&self, context: &Context, request: ImplementVpc) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ImplementVpc))
    }

    /// `shutdown-vpc`: takes a VPC down, after `destroy-network` of every tier. Shutting down a VPC that does not exist
    /// succeeds.
    #[doc = include_str!("device/examples/shutdown-vpc.md")]
    async fn shutdown_vpc(&self, context: &Context, request: ShutdownVpc) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ShutdownVpc))
    }

    /// `destroy-vpc`: removes a VPC. No server sends it yet. Destroying a VPC that does not exist succeeds.
    #[doc = include_str!("device/examples/destroy-vpc.md")]
    async fn destroy_vpc(&self, context: &Context, request: DestroyVpc) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::DestroyVpc))
    }

    /// `update-vpc-source-nat-ip`: makes this the source NAT address of a VPC, for instances without static NAT.
    /// Everything on the VPC's other addresses stays undisturbed.
    #[doc = include_str!("device/examples/update-vpc-source-nat-ip.md")]
    async fn update_vpc_source_nat_ip(
        &self,
        context: &Context,
        request: UpdateVpcSourceNatIp,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::UpdateVpcSourceNatIp))
    }

    /// `assign-ip`: assigns a public address to the network, as its source NAT address if `source_nat` says so.
    ///
    /// The server sends it for an address that any of these services uses: `SourceNat`, `Gateway`, `StaticNat`,
    /// `PortForwarding`, `Firewall`, `Lb`. An address that is assigned stays as it is. The source NAT address of a VPC
    /// tier belongs to the VPC.
    #[doc = include_str!("device/examples/assign-ip.md")]
    async fn assign_ip(&self, context: &Context, request: AssignIp) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::AssignIp))
    }

    /// `release-ip`: releases a public address and ends every connection through it, because another tenant may get it
    /// next. The server sends it for an address that any service used. Releasing an unknown address succeeds.
    #[doc = include_str!("device/examples/release-ip.md")]
    async fn release_ip(&self, context: &Context, request: ReleaseIp) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ReleaseIp))
    }

    /// `add-static-nat`: maps a public address to one instance, in both directions. The firewall decides which traffic
    /// may enter.
    #[doc = include_str!("device/examples/add-static-nat.md")]
    async fn add_static_nat(&self, context: &Context, request: AddStaticNat) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::AddStaticNat))
    }

    /// `delete-static-nat`: removes the mapping and ends its connections. Succeeds if the mapping does not exist, or
    /// leads to another instance by now.
    #[doc = include_str!("device/examples/delete-static-nat.md")]
    async fn delete_static_nat(
        &self,
        context: &Context,
        request: DeleteStaticNat,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::DeleteStaticNat))
    }

    /// `add-port-forward`: forwards a port or a range of ports of a public address to an instance.
    #[doc = include_str!("device/examples/add-port-forward.md")]
    async fn add_port_forward(&self, context: &Context, request: AddPortForward) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::AddPortForward))
    }

    /// `delete-port-forward`: removes a forward and ends its connections.
    ///
    /// The protocol gives forwards no id, and deletes may come late: a forward of the same ports to another target is a
    /// newer one and stays.
    #[doc = include_str!("device/examples/delete-port-forward.md")]
    async fn delete_port_forward(
        &self,
        context: &Context,
        request: DeletePortForward,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::DeletePortForward))
    }

    /// `apply-fw-rules`: replaces **all** firewall rules of a network.
    ///
    /// Ingress rules allow traffic; all other traffic to a public address is dropped. Egress rules allow or deny, as
    /// `default_egress_allow` says. If it comes before `implement-network`, the rules take effect with that command. If
    /// the list cannot be applied as a whole, the old one must stay in force.
    #[doc = include_str!("device/examples/apply-fw-rules.md")]
    async fn apply_fw_rules(&self, context: &Context, request: ApplyFwRules) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ApplyFwRules))
    }

    /// `apply-network-acl`: replaces the whole access list of a VPC tier.
    ///
    /// The first item that matches, by ascending number, decides; traffic that matches no item is denied. Established
    /// flows pass, traffic inside the tier's subnet is not filtered, other tiers' lists stay as they are. For egress
    /// the items' `source_cidrs` are destinations.
    #[doc = include_str!("device/examples/apply-network-acl.md")]
    async fn apply_network_acl(
        &self,
        context: &Context,
        request: ApplyNetworkAcl,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ApplyNetworkAcl))
    }

    /// `prepare-nic`: prepares for an instance's NIC. On a shared network it may be the first command that the device
    /// ever sees of the network.
    ///
    /// By default does nothing, and succeeds: the server sends it for every NIC, regardless of the declared services,
    /// and most devices learn what they need of a NIC from the commands of these services.
    #[doc = include_str!("device/examples/prepare-nic.md")]
    async fn prepare_nic(&self, context: &Context, request: PrepareNic) -> Result<(), DeviceError> {
        Ok(())
    }

    /// `release-nic`: forgets an instance's NIC. Succeeds for a NIC that was never prepared.
    ///
    /// By default does nothing, and succeeds, for the same reason as [`prepare_nic`](Self::prepare_nic).
    #[doc = include_str!("device/examples/release-nic.md")]
    async fn release_nic(&self, context: &Context, request: ReleaseNic) -> Result<(), DeviceError> {
        Ok(())
    }

    /// `config-dhcp-subnet`: serves DHCP on a network. The server sends it with every NIC, so mostly for a network that
    /// is served already. It does not send it to a device without the capability `DhcpAccrossMultipleSubnets`, so
    /// `add-dhcp-entry` must work without it.
    #[doc = include_str!("device/examples/config-dhcp-subnet.md")]
    async fn config_dhcp_subnet(
        &self,
        context: &Context,
        request: ConfigDhcpSubnet,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ConfigDhcpSubnet))
    }

    /// `remove-dhcp-subnet`: stops serving DHCP on a network. Succeeds if it is not served.
    #[doc = include_str!("device/examples/remove-dhcp-subnet.md")]
    async fn remove_dhcp_subnet(
        &self,
        context: &Context,
        request: RemoveDhcpSubnet,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::RemoveDhcpSubnet))
    }

    /// `add-dhcp-entry`: reserves an instance's address, and replaces an earlier reservation of the same MAC address.
    /// A NIC that is not the instance's default NIC gets no router.
    #[doc = include_str!("device/examples/add-dhcp-entry.md")]
    async fn add_dhcp_entry(&self, context: &Context, request: AddDhcpEntry) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::AddDhcpEntry))
    }

    /// `remove-dhcp-entry`: removes an instance's reservation. Succeeds if it does not exist.
    #[doc = include_str!("device/examples/remove-dhcp-entry.md")]
    async fn remove_dhcp_entry(
        &self,
        context: &Context,
        request: RemoveDhcpEntry,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::RemoveDhcpEntry))
    }

    /// `set-dhcp-options`: replaces a NIC's own DHCP options. No server sends it yet.
    #[doc = include_str!("device/examples/set-dhcp-options.md")]
    async fn set_dhcp_options(&self, context: &Context, request: SetDhcpOptions) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::SetDhcpOptions))
    }

    /// `config-dns-subnet`: serves DNS on a network, where the name `data-server` resolves to the extension's address.
    /// The server sends it with every NIC that has no IPv6 address, before or after DHCP, or without it.
    #[doc = include_str!("device/examples/config-dns-subnet.md")]
    async fn config_dns_subnet(
        &self,
        context: &Context,
        request: ConfigDnsSubnet,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ConfigDnsSubnet))
    }

    /// `remove-dns-subnet`: stops serving DNS on a network. DHCP goes on.
    #[doc = include_str!("device/examples/remove-dns-subnet.md")]
    async fn remove_dns_subnet(
        &self,
        context: &Context,
        request: RemoveDnsSubnet,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::RemoveDnsSubnet))
    }

    /// `add-dns-entry`: makes an instance's name resolve to its address, and replaces earlier names of the address.
    #[doc = include_str!("device/examples/add-dns-entry.md")]
    async fn add_dns_entry(&self, context: &Context, request: AddDnsEntry) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::AddDnsEntry))
    }

    /// `remove-dns-entry`: removes all names of an address. The server sends no host name. Succeeds for an address
    /// without names.
    #[doc = include_str!("device/examples/remove-dns-entry.md")]
    async fn remove_dns_entry(&self, context: &Context, request: RemoveDnsEntry) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::RemoveDnsEntry))
    }

    /// `save-vm-data`: replaces an instance's metadata, user data included. `dir` and `file` are untrusted input: do not
    /// use them as a path. The address of its NIC identifies the instance.
    #[doc = include_str!("device/examples/save-vm-data.md")]
    async fn save_vm_data(&self, context: &Context, request: SaveVmData) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::SaveVmData))
    }

    /// `save-password`: stores an instance's new password, to be read once. The server does not replay it: it must
    /// survive restarts of the network until the instance has read it.
    #[doc = include_str!("device/examples/save-password.md")]
    async fn save_password(&self, context: &Context, request: SavePassword) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::SavePassword))
    }

    /// `save-userdata`: sets an instance's user data; its other metadata stay as they are. Today's server sends text
    /// only: binary user data are damaged before they arrive.
    #[doc = include_str!("device/examples/save-userdata.md")]
    async fn save_userdata(&self, context: &Context, request: SaveUserdata) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::SaveUserdata))
    }

    /// `save-sshkey`: sets an instance's public key; its other metadata stay as they are.
    #[doc = include_str!("device/examples/save-sshkey.md")]
    async fn save_sshkey(&self, context: &Context, request: SaveSshkey) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::SaveSshkey))
    }

    /// `save-hypervisor-hostname`: sets the name of an instance's hypervisor; its other metadata stay as they are.
    #[doc = include_str!("device/examples/save-hypervisor-hostname.md")]
    async fn save_hypervisor_hostname(
        &self,
        context: &Context,
        request: SaveHypervisorHostname,
    ) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::SaveHypervisorHostname))
    }

    /// `apply-lb-rules`: adds, changes or revokes load balancer rules.
    ///
    /// The request holds the rules that changed, or all rules. A rule with `revoke` is removed; rules that the request
    /// does not name stay as they are. In a VPC members may be instances of other tiers. Today's server sends `tcp` for
    /// every rule, and no source CIDRs, stickiness or health checks.
    #[doc = include_str!("device/examples/apply-lb-rules.md")]
    async fn apply_lb_rules(&self, context: &Context, request: ApplyLbRules) -> Result<(), DeviceError> {
        Err(DeviceError::not_implemented(Command::ApplyLbRules))
    }

    /// `custom-action`: runs an operator's action. The server refuses an action on a network unless `CustomAction` is
    /// one of that network's services, and does not send `ensure-network-device` before it. The answer goes to the
    /// caller of the API. Parameters are untrusted input and may be credentials. Answer an unknown action with an
    /// [`invalid`](DeviceError::invalid) error.
    #[doc = include_str!("device/examples/custom-action.md")]
    async fn custom_action(
        &self,
        context: &Context,
        request: CustomAction,
    ) -> Result<ActionResult, DeviceError> {
        Err(DeviceError::not_implemented(Command::CustomAction))
    }
}
