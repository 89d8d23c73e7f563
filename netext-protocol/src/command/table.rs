//! The one table of commands.

/// Passes the command table to a macro. This table is the only list of the protocol's commands.
///
/// Each row is `/// summary`, then `Variant { method: .., name: .., output: .., scope: .., services: [..],
/// effect: .., shape: .., ensured: .., is_sent: .., sent: .., }`, in this order:
///
/// - the variant is also the request type of this crate;
/// - `method` is the device's method for the command, `name` the command's name on the command line;
/// - `output`, `scope`, `effect` and `shape` are variants of [`Output`](crate::Output),
///   [`Scope`](crate::Scope), [`Effect`](crate::Effect) and [`Shape`](crate::Shape);
/// - a command without services goes to every device;
/// - `ensured` is the number of times that the server sends `ensure-network-device` right before the command;
/// - `is_sent` says whether a server sends the command, `sent` for which API calls and events.
///
/// A macro that needs only the first columns takes the rest as tokens:
///
/// ```
/// macro_rules! count {
///     ($($(#[$doc:meta])* $variant:ident { method: $method:ident, name: $name:literal, $($rest:tt)* })*) => {
///         [$($name),*].len()
///     };
/// }
/// assert_eq!(netext_protocol::for_each_command!(count), netext_protocol::Command::ALL.len());
/// ```
#[macro_export]
macro_rules! for_each_command {
    ($macro:ident) => {
        $macro! {
            /// Choose the device of a network or VPC, or keep the current one.
            EnsureNetworkDevice {
                method: ensure_network_device, name: "ensure-network-device", output: DeviceDetails,
                scope: Either, services: [], effect: Creates, shape: Enveloped, ensured: 0,
                is_sent: true, sent: "Right before almost every other command of the network or VPC, as often as that command says; before a command of a tier it names the tier's VPC.",
            }
            /// Create a network, or restore an existing one.
            ImplementNetwork {
                method: implement_network, name: "implement-network", output: NetworkUpdate,
                scope: Network, services: [], effect: Creates, shape: Enveloped, ensured: 2,
                is_sent: true, sent: "deployVirtualMachine, startVirtualMachine or addNicToVirtualMachine for the first running instance of the network; createNetwork of a persistent network; restartNetwork with or without cleanup=true.",
            }
            /// Take a network down; the server replays its rules when it implements it again.
            ShutdownNetwork {
                method: shutdown_network, name: "shutdown-network", output: Nothing,
                scope: Network, services: [], effect: Removes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "restartNetwork with cleanup=true; deleteNetwork, before destroy-network; the server's garbage collector, some time after the last instance has stopped; after a failed implementation.",
            }
            /// Delete a network for good.
            DestroyNetwork {
                method: destroy_network, name: "destroy-network", output: Nothing,
                scope: Network, services: [], effect: Removes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "deleteNetwork; deleteVPC for each tier; deleteAccount; restartVPC with cleanup=true for each tier where the global setting network.rolling.restart is false.",
            }
            /// Restore the leases, names and metadata of all instances of a network.
            RestoreNetwork {
                method: restore_network, name: "restore-network", output: Nothing,
                scope: Network, services: [Dhcp Dns UserData], effect: Creates, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "At the end of every implementation of a network on which instances have NICs, after all of its rules: restartNetwork, and every other event that leads to implement-network.",
            }
            /// Create a VPC, or restore an existing one.
            ImplementVpc {
                method: implement_vpc, name: "implement-vpc", output: Nothing,
                scope: Vpc, services: [], effect: Creates, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "createVPC; restartVPC, with cleanup=true possibly twice.",
            }
            /// Take a VPC down, after its tiers are gone.
            ShutdownVpc {
                method: shutdown_vpc, name: "shutdown-vpc", output: Nothing,
                scope: Vpc, services: [], effect: Removes, shape: Enveloped, ensured: 0,
                is_sent: true, sent: "deleteVPC, after destroy-network of every tier; restartVPC with cleanup=true where the global setting network.rolling.restart is false.",
            }
            /// Delete a VPC for good.
            DestroyVpc {
                method: destroy_vpc, name: "destroy-vpc", output: Nothing,
                scope: Vpc, services: [], effect: Removes, shape: Enveloped, ensured: 1,
                is_sent: false, sent: "No server sends it yet; the bash reference answers it.",
            }
            /// Change the source NAT address of a VPC.
            UpdateVpcSourceNatIp {
                method: update_vpc_source_nat_ip, name: "update-vpc-source-nat-ip", output: Nothing,
                scope: Vpc, services: [], effect: Changes, shape: Enveloped, ensured: 0,
                is_sent: true, sent: "updateVPC with sourcenatipaddress.",
            }
            /// Use a public address for a network.
            AssignIp {
                method: assign_ip, name: "assign-ip", output: Nothing,
                scope: Network, services: [SourceNat Gateway StaticNat PortForwarding Firewall Lb], effect: Creates, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "Right after implement-network, for the source NAT address and the addresses in use; the first rule of any service that uses the address: enableStaticNat, createPortForwardingRule, createFirewallRule, createLoadBalancerRule.",
            }
            /// Stop using a public address.
            ReleaseIp {
                method: release_ip, name: "release-ip", output: Nothing,
                scope: Network, services: [SourceNat Gateway StaticNat PortForwarding Firewall Lb], effect: Removes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "disassociateIpAddress; deleteNetwork.",
            }
            /// Give an instance a public address of its own.
            AddStaticNat {
                method: add_static_nat, name: "add-static-nat", output: Nothing,
                scope: Network, services: [StaticNat], effect: Creates, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "enableStaticNat; after every implement-network, once for each address.",
            }
            /// Take an instance's own public address away.
            DeleteStaticNat {
                method: delete_static_nat, name: "delete-static-nat", output: Nothing,
                scope: Network, services: [StaticNat], effect: Removes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "disableStaticNat; disassociateIpAddress; expungeVirtualMachine.",
            }
            /// Forward ports of a public address to an instance.
            AddPortForward {
                method: add_port_forward, name: "add-port-forward", output: Nothing,
                scope: Network, services: [PortForwarding], effect: Creates, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "createPortForwardingRule; after every implement-network, once for each forward.",
            }
            /// Stop forwarding ports of a public address to an instance.
            DeletePortForward {
                method: delete_port_forward, name: "delete-port-forward", output: Nothing,
                scope: Network, services: [PortForwarding], effect: Removes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "deletePortForwardingRule; disassociateIpAddress; expungeVirtualMachine.",
            }
            /// Replace all firewall rules of a network.
            ApplyFwRules {
                method: apply_fw_rules, name: "apply-fw-rules", output: Nothing,
                scope: Network, services: [Firewall], effect: Changes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "createFirewallRule, updateFirewallRule, deleteFirewallRule, createEgressFirewallRule, updateEgressFirewallRule, deleteEgressFirewallRule; disassociateIpAddress; several times after every implement-network.",
            }
            /// Replace the access list of a tier.
            ApplyNetworkAcl {
                method: apply_network_acl, name: "apply-network-acl", output: Nothing,
                scope: Network, services: [NetworkAcl], effect: Changes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "createNetworkACL, updateNetworkACLItem, moveNetworkAclItem, deleteNetworkACL, for each tier that uses the list; replaceNetworkACLList; after every implement-network of the tier.",
            }
            /// Prepare the network for an instance's NIC; on a shared network it may be the first command.
            PrepareNic {
                method: prepare_nic, name: "prepare-nic", output: Nothing,
                scope: Network, services: [], effect: Creates, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "deployVirtualMachine, startVirtualMachine, addNicToVirtualMachine; the first of the commands about a NIC. Not sent for a live migration, which leaves the NIC unchanged.",
            }
            /// Release what was prepared for an instance's NIC.
            ReleaseNic {
                method: release_nic, name: "release-nic", output: Nothing,
                scope: Network, services: [], effect: Removes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "stopVirtualMachine, destroyVirtualMachine, removeNicFromVirtualMachine; after a failed start of an instance.",
            }
            /// Serve DHCP on a network.
            ConfigDhcpSubnet {
                method: config_dhcp_subnet, name: "config-dhcp-subnet", output: Nothing,
                scope: Network, services: [Dhcp], effect: Creates, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "Right before every add-dhcp-entry, if the capability Dhcp.DhcpAccrossMultipleSubnets is true.",
            }
            /// Stop serving DHCP on a network.
            RemoveDhcpSubnet {
                method: remove_dhcp_subnet, name: "remove-dhcp-subnet", output: Nothing,
                scope: Network, services: [Dhcp], effect: Removes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "expungeVirtualMachine or removeNicFromVirtualMachine of the last NIC in a subnet of a shared network, if the capability Dhcp.DhcpAccrossMultipleSubnets is true.",
            }
            /// Reserve an instance's address in DHCP.
            AddDhcpEntry {
                method: add_dhcp_entry, name: "add-dhcp-entry", output: Nothing,
                scope: Network, services: [Dhcp], effect: Creates, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "deployVirtualMachine, startVirtualMachine, addNicToVirtualMachine. updateVmNicIp accepts only a stopped instance, and the new address comes with its next start.",
            }
            /// Remove a DHCP reservation.
            RemoveDhcpEntry {
                method: remove_dhcp_entry, name: "remove-dhcp-entry", output: Nothing,
                scope: Network, services: [Dhcp], effect: Removes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "expungeVirtualMachine, destroyVirtualMachine with expunge=true, removeNicFromVirtualMachine.",
            }
            /// Set a NIC's own DHCP options.
            SetDhcpOptions {
                method: set_dhcp_options, name: "set-dhcp-options", output: Nothing,
                scope: Network, services: [Dhcp], effect: Changes, shape: Enveloped, ensured: 1,
                is_sent: false, sent: "No server sends it yet; the README documents it for extra DHCP options of a NIC.",
            }
            /// Serve DNS on a network.
            ConfigDnsSubnet {
                method: config_dns_subnet, name: "config-dns-subnet", output: Nothing,
                scope: Network, services: [Dns], effect: Creates, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "Right before every add-dns-entry. Not sent for a NIC with IPv6.",
            }
            /// Stop serving DNS on a network; DHCP goes on.
            RemoveDnsSubnet {
                method: remove_dns_subnet, name: "remove-dns-subnet", output: Nothing,
                scope: Network, services: [Dns], effect: Removes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "expungeVirtualMachine or removeNicFromVirtualMachine of the last NIC in a subnet of a shared network.",
            }
            /// Make an instance's name resolve.
            AddDnsEntry {
                method: add_dns_entry, name: "add-dns-entry", output: Nothing,
                scope: Network, services: [Dns], effect: Creates, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "deployVirtualMachine, startVirtualMachine, addNicToVirtualMachine.",
            }
            /// Remove the names of an address.
            RemoveDnsEntry {
                method: remove_dns_entry, name: "remove-dns-entry", output: Nothing,
                scope: Network, services: [Dns], effect: Removes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "expungeVirtualMachine, destroyVirtualMachine with expunge=true, removeNicFromVirtualMachine.",
            }
            /// Replace an instance's metadata, user data included.
            SaveVmData {
                method: save_vm_data, name: "save-vm-data", output: Nothing,
                scope: Network, services: [UserData], effect: Changes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "deployVirtualMachine, startVirtualMachine, addNicToVirtualMachine.",
            }
            /// Give an instance a new password.
            SavePassword {
                method: save_password, name: "save-password", output: Nothing,
                scope: Network, services: [UserData], effect: Changes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "resetPasswordForVirtualMachine. The password of a new instance comes with save-vm-data.",
            }
            /// Set an instance's user data.
            SaveUserdata {
                method: save_userdata, name: "save-userdata", output: Nothing,
                scope: Network, services: [UserData], effect: Changes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "updateVirtualMachine with userdata; resetUserDataForVirtualMachine. Not sent when the user data becomes empty.",
            }
            /// Set an instance's public key.
            SaveSshkey {
                method: save_sshkey, name: "save-sshkey", output: Nothing,
                scope: Network, services: [UserData], effect: Changes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "resetSSHKeyForVirtualMachine.",
            }
            /// Set the name of the hypervisor that an instance can read.
            SaveHypervisorHostname {
                method: save_hypervisor_hostname, name: "save-hypervisor-hostname", output: Nothing,
                scope: Network, services: [UserData], effect: Changes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "deployVirtualMachine and startVirtualMachine, after save-vm-data, which also holds the name; migrateVirtualMachine.",
            }
            /// Add, change or revoke load balancer rules.
            ApplyLbRules {
                method: apply_lb_rules, name: "apply-lb-rules", output: Nothing,
                scope: Network, services: [Lb], effect: Changes, shape: Enveloped, ensured: 1,
                is_sent: true, sent: "createLoadBalancerRule, updateLoadBalancerRule, deleteLoadBalancerRule, assignToLoadBalancerRule, removeFromLoadBalancerRule; disassociateIpAddress; expungeVirtualMachine of a member; after every implement-network.",
            }
            /// Run an action that an operator defined.
            CustomAction {
                method: custom_action, name: "custom-action", output: ActionResult,
                scope: Either, services: [CustomAction], effect: Changes, shape: Flat, ensured: 0,
                is_sent: true, sent: "runCustomAction on a network or VPC whose offering has the service CustomAction.",
            }
        }
    };
}
pub(crate) use for_each_command;
