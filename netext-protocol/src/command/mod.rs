//! The command table, and what is generated from it.

mod table;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::for_each_command;

/// What a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A network: the payload has a `network_id`.
    Network,
    /// A VPC as a whole.
    Vpc,
    /// Either of them.
    Either,
}

impl Scope {
    /// The scope's name in the schemas' index.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Vpc => "vpc",
            Self::Either => "either",
        }
    }
}

/// What a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Nothing at all.
    Nothing,
    /// One line of JSON: a [`DeviceDetails`](crate::DeviceDetails); or nothing, which keeps the old ones.
    DeviceDetails,
    /// One line of JSON: a [`NetworkUpdate`](crate::NetworkUpdate); or nothing.
    NetworkUpdate,
    /// An [`ActionResult`](crate::ActionResult): free text or one line of JSON.
    ActionResult,
}

impl Output {
    /// The kind's name in the schemas' index.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::DeviceDetails => "device-details",
            Self::NetworkUpdate => "network-update",
            Self::ActionResult => "action-result",
        }
    }
}

macro_rules! services {
    ($($(#[$meta:meta])* $service:ident = $name:literal,)*) => {
        /// A service of a network that a device may provide, as `network.services` names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Service {
            $($(#[$meta])* #[serde(rename = $name)] $service,)*
        }

        impl Service {
            /// Every service.
            pub const ALL: &'static [Self] = &[$(Self::$service),*];

            /// The service's name in CloudStack.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$service => $name,)*
                }
            }
        }
    };
}

services! {
    /// Addresses for instances.
    Dhcp = "Dhcp",
    /// Name resolution for instances.
    Dns = "Dns",
    /// Metadata, user data, passwords and keys for instances.
    UserData = "UserData",
    /// Guests leave by a shared public address.
    SourceNat = "SourceNat",
    /// An instance has a public address of its own.
    StaticNat = "StaticNat",
    /// Ports of a public address lead to instances.
    PortForwarding = "PortForwarding",
    /// What a public address lets in, and what guests may reach.
    Firewall = "Firewall",
    /// Connections to a public address are spread over instances.
    Lb = "Lb",
    /// Ordered access lists between the tiers of a VPC and the outside.
    NetworkAcl = "NetworkACL",
    /// The device is the guests' gateway.
    Gateway = "Gateway",
    /// Actions that an operator triggers.
    CustomAction = "CustomAction",
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A word that names no command of the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is not a command of the Network Extension protocol", crate::wire::text::excerpt(.0))]
pub struct UnknownCommand(String);

macro_rules! define_command {
    ($($(#[doc = $doc:literal])* $variant:ident, $method:ident, $name:literal, $scope:ident, [$($service:ident)*], $output:ident;)*) => {
        /// A command of the protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Command {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Command {
            /// Every command, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The command's name on the command line.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What the command asks for, in a sentence.
            pub const fn summary(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),*).trim_ascii(),)*
                }
            }

            /// What the command is about.
            pub const fn scope(self) -> Scope {
                match self {
                    $(Self::$variant => Scope::$scope,)*
                }
            }

            /// The services that the command belongs to; none means that every device gets it. A device that
            /// declares none of a command's services answers it by doing nothing.
            pub const fn services(self) -> &'static [Service] {
                match self {
                    $(Self::$variant => &[$(Service::$service),*],)*
                }
            }

            /// What the command prints.
            pub const fn output(self) -> Output {
                match self {
                    $(Self::$variant => Output::$output,)*
                }
            }
        }

        impl FromStr for Command {
            type Err = UnknownCommand;

            fn from_str(name: &str) -> Result<Self, UnknownCommand> {
                match name {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(UnknownCommand(name.to_owned())),
                }
            }
        }

        /// The root schema of a command's payload file.
        #[cfg(feature = "schema")]
        pub(crate) fn envelope_schema(command: Command, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
            match command {
                Command::CustomAction => crate::schema::flat::<crate::CustomAction>(generator),
                $(#[allow(unreachable_patterns, reason = "the flat command stands above")]
                Command::$variant => crate::schema::enveloped::<crate::$variant>(generator),)*
            }
        }
    };
}

for_each_command!(define_command);

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

macro_rules! define_request {
    ($($(#[$meta:meta])* $variant:ident, $method:ident, $name:literal, $scope:ident, [$($service:ident)*], $output:ident;)*) => {
        /// The payload of any command.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Request {
            $($(#[$meta])* $variant(crate::$variant),)*
        }

        impl Request {
            /// The command that this is the payload of.
            pub const fn command(&self) -> Command {
                match self {
                    $(Self::$variant(_) => Command::$variant,)*
                }
            }
        }

        $(
            impl From<crate::$variant> for Request {
                fn from(request: crate::$variant) -> Self {
                    Self::$variant(request)
                }
            }

            impl crate::envelope::Payload for crate::$variant {
                const COMMAND: Command = Command::$variant;
            }
        )*

        impl crate::Envelope<Request> {
            /// Reads the payload file of a command.
            ///
            /// ```
            /// use netext_protocol::{Command, Envelope, Request};
            ///
            /// let file = br#"{"payload": {"network_id": "209", "vlan": "1910"}}"#;
            /// let envelope = Envelope::parse(Command::ShutdownNetwork, file)?;
            /// let Request::ShutdownNetwork(request) = envelope.request else { unreachable!() };
            /// assert_eq!(request.network.network_id.get(), 209);
            /// # Ok::<(), netext_protocol::ParseError>(())
            /// ```
            pub fn parse(command: Command, file: &[u8]) -> Result<Self, crate::ParseError> {
                match command {
                    $(Command::$variant => Ok(crate::envelope::parse::<crate::$variant>(file)?.map(Request::from)),)*
                }
            }

            /// Writes the payload file that the server would write.
            pub fn to_json(&self) -> String {
                match &self.request {
                    $(Request::$variant(request) => self.with(request).to_json_text(),)*
                }
            }
        }
    };
}

for_each_command!(define_request);
