//! The commands and their facts, generated from the table.

pub(crate) mod table;

use std::fmt;
use std::str::FromStr;

use table::for_each_command;

use crate::service::Service;
use crate::wire::refusal::excerpt;

/// The version of the wire protocol. It is independent of the crate's version.
pub const PROTOCOL_VERSION: u32 = 1;

/// The subject of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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

/// The output of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Output {
    /// Nothing at all.
    Nothing,
    /// [`DeviceDetails`](crate::DeviceDetails) as one line of JSON, or nothing, which keeps the old ones.
    DeviceDetails,
    /// A [`NetworkUpdate`](crate::NetworkUpdate) as one line of JSON, or nothing.
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

/// The effect of a command on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// Creates or restores something.
    Creates,
    /// Changes or replaces something.
    Changes,
    /// Removes something. Removing something that does not exist succeeds.
    Removes,
}

impl Effect {
    /// The effect's name in the schemas' index.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Creates => "creates",
            Self::Changes => "changes",
            Self::Removes => "removes",
        }
    }
}

/// The place of a request's fields in the payload file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// Under the key `payload`.
    Enveloped,
    /// Beside the details.
    Flat,
}

impl Shape {
    /// The key that holds the request's fields; `None` if they stand beside the details.
    pub const fn key(self) -> Option<&'static str> {
        match self {
            Self::Enveloped => Some("payload"),
            Self::Flat => None,
        }
    }
}

/// The error for a word that is not a command of the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is not a command of the Network Extension protocol", excerpt(.0))]
pub struct UnknownCommand(String);

macro_rules! define_command {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident {
            method: $method:ident,
            name: $name:literal,
            output: $output:ident,
            scope: $scope:ident,
            services: [$($service:ident)*],
            effect: $effect:ident,
            shape: $shape:ident,
            ensured: $ensured:literal,
            is_sent: $is_sent:literal,
            sent: $sent:literal,
        }
    )*) => {
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

            /// The purpose of the command, in a sentence.
            pub const fn summary(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),*).trim_ascii(),)*
                }
            }

            /// The subject of the command.
            pub const fn scope(self) -> Scope {
                match self {
                    $(Self::$variant => Scope::$scope,)*
                }
            }

            /// The services that the command belongs to. A command without services goes to every device. A
            /// device that declares none of a command's services succeeds without doing anything.
            pub const fn services(self) -> &'static [Service] {
                match self {
                    $(Self::$variant => &[$(Service::$service),*],)*
                }
            }

            /// The API calls and events for which the server sends the command.
            pub const fn sent(self) -> &'static str {
                match self {
                    $(Self::$variant => $sent,)*
                }
            }

            /// Whether a server sends the command. The others come from the README or the reference
            /// extension.
            pub const fn is_sent(self) -> bool {
                match self {
                    $(Self::$variant => $is_sent,)*
                }
            }

            /// The number of times that the server sends `ensure-network-device` right before the command.
            pub const fn ensured(self) -> u8 {
                match self {
                    $(Self::$variant => $ensured,)*
                }
            }

            /// The effect of the command on the device.
            pub const fn effect(self) -> Effect {
                match self {
                    $(Self::$variant => Effect::$effect,)*
                }
            }

            /// The place of the request's fields in the payload file.
            pub const fn shape(self) -> Shape {
                match self {
                    $(Self::$variant => Shape::$shape,)*
                }
            }

            /// The output of the command.
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
    };
}

for_each_command!(define_command);

impl Command {
    /// Whether the command belongs to one of these services, or goes to every device. A device that provides
    /// none of a command's services succeeds without doing or printing anything.
    ///
    /// ```
    /// use netext_protocol::{Command, Service};
    ///
    /// assert!(Command::AddDhcpEntry.belongs_to(&[Service::Dhcp, Service::Dns]));
    /// assert!(!Command::AddDhcpEntry.belongs_to(&[Service::Firewall]));
    /// assert!(Command::ImplementNetwork.belongs_to(&[]));
    /// ```
    pub fn belongs_to<'a>(self, provided: impl IntoIterator<Item = &'a Service>) -> bool {
        let services = self.services();
        services.is_empty() || provided.into_iter().any(|service| services.contains(service))
    }
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
