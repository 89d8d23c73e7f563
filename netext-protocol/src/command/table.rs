//! The one table of commands.

/// Hands the command table to a macro: the only place where the protocol's commands are listed.
///
/// Each row is `/// meaning`, then `Variant, method, "name", Scope, [Services], Output;`. The variant is also
/// the name of the request type in this crate; the method is the one of a device that answers the command;
/// no service means that every device gets the command.
///
/// ```
/// macro_rules! count {
///     ($($(#[$doc:meta])* $variant:ident, $method:ident, $name:literal, $scope:ident, [$($service:ident)*], $output:ident;)*) => {
///         [$($name),*].len()
///     };
/// }
/// assert_eq!(netext_protocol::for_each_command!(count), netext_protocol::Command::ALL.len());
/// ```
#[macro_export]
macro_rules! for_each_command {
    ($macro:ident) => {
        $macro! {
            /// Choose or keep the device of a network or VPC; comes before every other command.
            EnsureNetworkDevice, ensure_network_device, "ensure-network-device", Either, [], DeviceDetails;
            /// Bring a network into being, or bring it back.
            ImplementNetwork, implement_network, "implement-network", Network, [], NetworkUpdate;
            /// Take a network down; the server replays its rules when it implements it again.
            ShutdownNetwork, shutdown_network, "shutdown-network", Network, [], Nothing;
            /// Forget a network.
            DestroyNetwork, destroy_network, "destroy-network", Network, [], Nothing;
            /// Put back what all instances of a network were given, after a restart.
            RestoreNetwork, restore_network, "restore-network", Network, [Dhcp Dns UserData], Nothing;
            /// Bring a VPC into being.
            ImplementVpc, implement_vpc, "implement-vpc", Vpc, [], Nothing;
            /// Take a VPC down, after its tiers are gone.
            ShutdownVpc, shutdown_vpc, "shutdown-vpc", Vpc, [], Nothing;
            /// Forget a VPC.
            DestroyVpc, destroy_vpc, "destroy-vpc", Vpc, [], Nothing;
            /// Change the address that a VPC's guests leave by.
            UpdateVpcSourceNatIp, update_vpc_source_nat_ip, "update-vpc-source-nat-ip", Vpc, [], Nothing;
            /// Take up a public address.
            AssignIp, assign_ip, "assign-ip", Network, [SourceNat], Nothing;
            /// Give up a public address.
            ReleaseIp, release_ip, "release-ip", Network, [SourceNat], Nothing;
            /// Give an instance a public address of its own.
            AddStaticNat, add_static_nat, "add-static-nat", Network, [StaticNat], Nothing;
            /// Take it back.
            DeleteStaticNat, delete_static_nat, "delete-static-nat", Network, [StaticNat], Nothing;
            /// Lead ports of a public address to an instance.
            AddPortForward, add_port_forward, "add-port-forward", Network, [PortForwarding], Nothing;
            /// No longer do so.
            DeletePortForward, delete_port_forward, "delete-port-forward", Network, [PortForwarding], Nothing;
            /// Replace all firewall rules of a network.
            ApplyFwRules, apply_fw_rules, "apply-fw-rules", Network, [Firewall], Nothing;
            /// Replace the access list of a tier.
            ApplyNetworkAcl, apply_network_acl, "apply-network-acl", Network, [NetworkAcl], Nothing;
            /// An instance's NIC is about to be used; on shared networks possibly the first command ever.
            PrepareNic, prepare_nic, "prepare-nic", Network, [], Nothing;
            /// An instance's NIC is no longer used.
            ReleaseNic, release_nic, "release-nic", Network, [], Nothing;
            /// Serve DHCP on a network.
            ConfigDhcpSubnet, config_dhcp_subnet, "config-dhcp-subnet", Network, [Dhcp], Nothing;
            /// No longer do so.
            RemoveDhcpSubnet, remove_dhcp_subnet, "remove-dhcp-subnet", Network, [Dhcp], Nothing;
            /// Reserve an instance's address.
            AddDhcpEntry, add_dhcp_entry, "add-dhcp-entry", Network, [Dhcp], Nothing;
            /// Drop a reservation.
            RemoveDhcpEntry, remove_dhcp_entry, "remove-dhcp-entry", Network, [Dhcp], Nothing;
            /// Set a NIC's own DHCP options.
            SetDhcpOptions, set_dhcp_options, "set-dhcp-options", Network, [Dhcp], Nothing;
            /// Serve DNS on a network.
            ConfigDnsSubnet, config_dns_subnet, "config-dns-subnet", Network, [Dns], Nothing;
            /// No longer do so.
            RemoveDnsSubnet, remove_dns_subnet, "remove-dns-subnet", Network, [Dns], Nothing;
            /// Make an instance's name resolve.
            AddDnsEntry, add_dns_entry, "add-dns-entry", Network, [Dns], Nothing;
            /// Drop the names of an address.
            RemoveDnsEntry, remove_dns_entry, "remove-dns-entry", Network, [Dns], Nothing;
            /// Replace an instance's metadata, user data included.
            SaveVmData, save_vm_data, "save-vm-data", Network, [UserData], Nothing;
            /// Hand an instance a new password.
            SavePassword, save_password, "save-password", Network, [UserData], Nothing;
            /// Set an instance's user data.
            SaveUserdata, save_userdata, "save-userdata", Network, [UserData], Nothing;
            /// Set an instance's public key.
            SaveSshkey, save_sshkey, "save-sshkey", Network, [UserData], Nothing;
            /// Tell an instance the name of its hypervisor.
            SaveHypervisorHostname, save_hypervisor_hostname, "save-hypervisor-hostname", Network, [UserData], Nothing;
            /// Add, change or revoke load balancer rules.
            ApplyLbRules, apply_lb_rules, "apply-lb-rules", Network, [Lb], Nothing;
            /// Do what an operator asked for.
            CustomAction, custom_action, "custom-action", Either, [CustomAction], ActionResult;
        }
    };
}
