//! The payloads of the commands by subject, and what commands print.

pub(crate) mod acl;
pub(crate) mod custom_action;
pub(crate) mod firewall;
pub(crate) mod lifecycle;
pub(crate) mod load_balancer;
pub(crate) mod metadata;
pub(crate) mod nic;
pub(crate) mod public_address;
pub(crate) mod restore;

/// Defines payloads as [`object!`](crate::wire::object::object) does, with the fields that all commands about
/// a `network` share, about its `guests`, whom the device answers on an address in the network, or about one
/// `nic`.
macro_rules! payload {
    ($about:ident $($(#[doc = $doc:literal])* pub struct $name:ident)and+ { $($fields:tt)* }) => {
        $crate::message::payload!(@$about [$($(#[doc = $doc])* pub struct $name)and+] $($fields)*);
    };
    (@network [$($structs:tt)*] $($fields:tt)*) => {
        $crate::wire::object::object! { payload
            $($structs)* {
                groups {
                    /// The network.
                    network: $crate::group::Network,
                }
                $($fields)*
            }
        }
    };
    (@guests $structs:tt $($fields:tt)*) => { $crate::message::payload!(@answered $structs {} $($fields)*); };
    (@nic $structs:tt $($fields:tt)*) => {
        $crate::message::payload! { @answered $structs {
            groups {
                /// The instance's NIC.
                nic: $crate::group::Nic,
            }
        } $($fields)* }
    };
    (@answered $structs:tt { $($groups:tt)* } $($fields:tt)*) => {
        $crate::message::payload! { @network $structs
            $($groups)*
            optional {
                /// The address that the device answers on inside the guest network: the gateway if the device
                /// provides `SourceNat` or `Gateway`, otherwise an address of its own. Absent if the device
                /// needs none.
                extension_ip: ::std::net::Ipv4Addr = "extension_ip",
            }
            $($fields)*
        }
    };
}
pub(crate) use payload;
