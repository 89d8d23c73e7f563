//! Realistic payload files for every command.

use crate::command::Command;
use crate::command::table::for_each_command;

/// A payload file for one event.
///
/// The server's samples use the same few networks: the isolated network 209, the shared network 215, the
/// layer-2 network 240, and the VPC 7 with its tier 231. Those of the README use the network 42, which is
/// also a tier of the VPC 7.
///
/// ```
/// use netext_protocol::{Command, Envelope, Sample};
///
/// let sample = Sample::of(Command::AssignIp);
/// assert_eq!(sample.name(), "assign-ip");
/// assert!(Envelope::parse(sample.command(), sample.text().as_bytes()).is_ok());
///
/// let tier = Sample::named("assign-ip.tier").expect("a sample of an address of a VPC's tier");
/// assert_eq!(tier.command(), Command::AssignIp);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    name: &'static str,
    command: Command,
    sender: Sender,
    text: &'static str,
}

/// The writer of a payload. The server and the published README differ, and a device accepts both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sender {
    /// Today's server.
    Server,
    /// A sender that follows the published README: it writes exactly the documented fields.
    Readme,
    /// A sender that follows an older README: it writes rule lists and metadata as text or Base64, and gives
    /// some fields other names.
    Older,
}

macro_rules! define_samples {
    ($($(#[$meta:meta])* $variant:ident { method: $method:ident, name: $name:literal, $($fact:tt)* })*) => {
        impl Sample {
            /// The plainest payload of every command, in the order of the command table.
            const PLAIN: &'static [Self] = &[$(Self::of(Command::$variant)),*];

            /// The plainest payload of a command.
            pub const fn of(command: Command) -> Self {
                match command {
                    $(Command::$variant => Self {
                        name: $name,
                        command: Command::$variant,
                        sender: Sender::Server,
                        text: include_str!(concat!("../fixtures/wire/", $name, ".json")),
                    },)*
                }
            }
        }
    };
}

for_each_command!(define_samples);

macro_rules! samples {
    ($($command:ident $name:literal $sender:ident,)*) => {
        /// The other samples: other kinds of networks, other fields, other senders.
        const OTHERS: &[Sample] = &[$(Sample {
            name: $name,
            command: Command::$command,
            sender: Sender::$sender,
            text: include_str!(concat!("../fixtures/wire/", $name, ".json")),
        }),*];
    };
}

samples! {
    AddDhcpEntry "add-dhcp-entry.secondary" Server,
    AddPortForward "add-port-forward.range" Server,
    AssignIp "assign-ip.tier" Server,
    AssignIp "assign-ip.untagged" Server,
    CustomAction "custom-action.vpc" Server,
    EnsureNetworkDevice "ensure-network-device.current" Server,
    EnsureNetworkDevice "ensure-network-device.vpc" Server,
    ImplementNetwork "implement-network.dualstack" Server,
    ImplementNetwork "implement-network.l2" Server,
    ImplementNetwork "implement-network.shared" Server,
    ImplementNetwork "implement-network.tier" Server,
    ImplementVpc "implement-vpc.no-ip" Server,
    PrepareNic "prepare-nic.shared" Server,
    AddDhcpEntry "readme/add-dhcp-entry" Readme,
    AddDhcpEntry "readme/add-dhcp-entry.nouuid" Readme,
    AddDnsEntry "readme/add-dns-entry" Readme,
    AddPortForward "readme/add-port-forward" Readme,
    AddStaticNat "readme/add-static-nat" Readme,
    ApplyFwRules "readme/apply-fw-rules" Readme,
    ApplyFwRules "readme/apply-fw-rules.base64" Older,
    ApplyFwRules "readme/apply-fw-rules.string" Older,
    ApplyLbRules "readme/apply-lb-rules" Readme,
    ApplyLbRules "readme/apply-lb-rules.string" Older,
    ApplyNetworkAcl "readme/apply-network-acl" Readme,
    ApplyNetworkAcl "readme/apply-network-acl.base64" Older,
    AssignIp "readme/assign-ip" Readme,
    ConfigDhcpSubnet "readme/config-dhcp-subnet" Readme,
    ConfigDhcpSubnet "readme/config-dhcp-subnet.uuid" Readme,
    ConfigDnsSubnet "readme/config-dns-subnet" Readme,
    CustomAction "readme/custom-action" Readme,
    CustomAction "readme/custom-action.vpc" Readme,
    DeletePortForward "readme/delete-port-forward" Readme,
    DeleteStaticNat "readme/delete-static-nat" Readme,
    DestroyNetwork "readme/destroy-network" Readme,
    DestroyVpc "readme/destroy-vpc" Readme,
    EnsureNetworkDevice "readme/ensure-network-device" Readme,
    EnsureNetworkDevice "readme/ensure-network-device.vpc" Readme,
    ImplementNetwork "readme/implement-network" Readme,
    ImplementNetwork "readme/implement-network.tier" Readme,
    ImplementVpc "readme/implement-vpc" Readme,
    ImplementVpc "readme/implement-vpc.cidr" Older,
    PrepareNic "readme/prepare-nic" Readme,
    ReleaseIp "readme/release-ip" Readme,
    ReleaseNic "readme/release-nic" Readme,
    RemoveDhcpEntry "readme/remove-dhcp-entry" Readme,
    RemoveDhcpSubnet "readme/remove-dhcp-subnet" Readme,
    RemoveDnsEntry "readme/remove-dns-entry" Readme,
    RemoveDnsSubnet "readme/remove-dns-subnet" Readme,
    RestoreNetwork "readme/restore-network" Readme,
    RestoreNetwork "readme/restore-network.base64" Older,
    SaveHypervisorHostname "readme/save-hypervisor-hostname" Readme,
    SavePassword "readme/save-password" Readme,
    SaveSshkey "readme/save-sshkey" Readme,
    SaveUserdata "readme/save-userdata" Readme,
    SaveVmData "readme/save-vm-data" Readme,
    SaveVmData "readme/save-vm-data.base64" Older,
    SetDhcpOptions "readme/set-dhcp-options" Readme,
    ShutdownNetwork "readme/shutdown-network" Readme,
    ShutdownVpc "readme/shutdown-vpc" Readme,
    UpdateVpcSourceNatIp "readme/update-vpc-source-nat-ip" Readme,
}

impl Sample {
    /// Every sample: those of [`of`](Self::of) in the order of the command table, then the server's others by
    /// name, then those of the README.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::PLAIN.iter().chain(OTHERS).copied()
    }

    /// The samples that a kind of sender writes.
    pub fn all_from(sender: Sender) -> impl Iterator<Item = Self> {
        Self::all().filter(move |sample| sample.sender == sender)
    }

    /// Every sample of a command, the server's plainest first.
    pub fn all_of(command: Command) -> impl Iterator<Item = Self> {
        Self::all().filter(move |sample| sample.command == command)
    }

    /// The sample of a name, such as `assign-ip.tier` or `readme/assign-ip`.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|sample| sample.name == name)
    }

    /// The sample's name: the command, often followed by a dot and its special feature. Samples of the README
    /// begin with `readme/`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The command of the payload.
    pub const fn command(&self) -> Command {
        self.command
    }

    /// The writer of such a payload.
    pub const fn sender(&self) -> Sender {
        self.sender
    }

    /// The payload file: one line of JSON.
    pub const fn text(&self) -> &'static str {
        self.text
    }
}
