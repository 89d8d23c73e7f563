//! Payload files as the server writes them, a realistic one for every command.

use crate::{Command, for_each_command};

/// A payload file as the server writes it: what it sends for one event of an example's life.
///
/// All of them tell of the same few networks: the isolated network 209, the shared network 215, the layer-2
/// network 240, and the VPC 7 with its tier 231.
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
    text: &'static str,
}

macro_rules! define_samples {
    ($($(#[$meta:meta])* $variant:ident, $method:ident, $name:literal, $scope:ident, [$($service:ident)*], $output:ident;)*) => {
        impl Sample {
            /// The plainest payload of every command, in the order of the command table.
            const PLAIN: &'static [Self] = &[$(Self::of(Command::$variant)),*];

            /// The plainest payload of a command.
            pub const fn of(command: Command) -> Self {
                match command {
                    $(Command::$variant => Self {
                        name: $name,
                        command: Command::$variant,
                        text: include_str!(concat!("../fixtures/wire/", $name, ".json")),
                    },)*
                }
            }
        }
    };
}

for_each_command!(define_samples);

macro_rules! variants {
    ($($command:ident $name:literal,)*) => {
        /// Other payloads of some commands: another kind of network, another field that is there or not.
        const VARIANTS: &[Sample] = &[$(Sample {
            name: $name,
            command: Command::$command,
            text: include_str!(concat!("../fixtures/wire/", $name, ".json")),
        }),*];
    };
}

variants! {
    AddDhcpEntry "add-dhcp-entry.secondary",
    AddPortForward "add-port-forward.range",
    AssignIp "assign-ip.tier",
    AssignIp "assign-ip.untagged",
    CustomAction "custom-action.vpc",
    EnsureNetworkDevice "ensure-network-device.current",
    EnsureNetworkDevice "ensure-network-device.vpc",
    ImplementNetwork "implement-network.dualstack",
    ImplementNetwork "implement-network.l2",
    ImplementNetwork "implement-network.shared",
    ImplementNetwork "implement-network.tier",
    ImplementVpc "implement-vpc.no-ip",
    PrepareNic "prepare-nic.shared",
}

impl Sample {
    /// Every sample: those of [`of`](Self::of) in the order of the command table, then the others by name.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::PLAIN.iter().chain(VARIANTS).copied()
    }

    /// Every sample of a command, the plainest first.
    pub fn all_of(command: Command) -> impl Iterator<Item = Self> {
        Self::all().filter(move |sample| sample.command == command)
    }

    /// The sample of a name, such as `assign-ip.tier`.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|sample| sample.name == name)
    }

    /// Its name: the command, and behind a dot what is special about it.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The command that it is a payload of.
    pub const fn command(&self) -> Command {
        self.command
    }

    /// The payload file: one line of JSON.
    pub const fn text(&self) -> &'static str {
        self.text
    }
}
