//! The kinds of broadcast domains.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! broadcast_domain_types {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// The kind of broadcast domain that a network is on, by the name that the server gives it. It decides
        /// what the hypervisor's agent does with an instance's NIC.
        ///
        /// ```
        /// use netext_protocol::BroadcastDomainType;
        ///
        /// assert_eq!(BroadcastDomainType::from("Lswitch"), BroadcastDomainType::Lswitch);
        /// // The server compares names without regard to case.
        /// assert_eq!(BroadcastDomainType::from("lswitch"), BroadcastDomainType::Lswitch);
        /// assert_eq!(BroadcastDomainType::from("l2"), BroadcastDomainType::Other("l2".to_owned()));
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum BroadcastDomainType {
            $($(#[doc = $doc])* $variant,)*
            /// A name that this version of the protocol does not know. A server that does not know it either
            /// logs it and ignores it, but stores the URI that came with it: the network's NICs are then
            /// handled as before, on a segment that their agent does not understand.
            Other(String),
        }

        impl BroadcastDomainType {
            /// The kinds that the server knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),*];

            /// What the kind is, in a sentence or two.
            pub const fn meaning(&self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),*).trim_ascii(),)*
                    Self::Other(_) => "A kind that this version of the protocol does not know.",
                }
            }

            /// The name on the wire.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other(name) => name,
                }
            }
        }

        impl From<&str> for BroadcastDomainType {
            fn from(name: &str) -> Self {
                match name {
                    $(_ if name.eq_ignore_ascii_case($name) => Self::$variant,)*
                    _ => Self::Other(name.to_owned()),
                }
            }
        }
    };
}

broadcast_domain_types! {
    /// An 802.1Q VLAN: `vlan://1910`.
    Vlan = "Vlan",
    /// A switch of a hypervisor, without a tag. An L2 device on a Mac answers this.
    Vswitch = "Vswitch",
    /// The VLANs of the hypervisor's own networking.
    Vnet = "Vnet",
    /// A logical switch of an overlay: `ovn://cs-net-42`. The KVM agent then writes the NIC's uuid as
    /// `iface-id`, without which OVN binds no port.
    Lswitch = "Lswitch",
    /// A MidoNet bridge.
    Mido = "Mido",
    /// A private VLAN.
    Pvlan = "Pvlan",
    /// A VXLAN: `vxlan://5000`.
    Vxlan = "Vxlan",
    /// A virtual cluster switch.
    Vcs = "Vcs",
    /// Not decided yet.
    UnDecided = "UnDecided",
    /// A network of an OpenDaylight controller.
    OpenDaylight = "OpenDaylight",
    /// A network of Tungsten Fabric.
    Tungsten = "TUNGSTEN",
    /// A segment of VMware NSX.
    Nsx = "NSX",
    /// A network of a Netris controller.
    Netris = "Netris",
}

impl From<String> for BroadcastDomainType {
    fn from(name: String) -> Self {
        name.as_str().into()
    }
}

impl FromStr for BroadcastDomainType {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(name.into())
    }
}

impl fmt::Display for BroadcastDomainType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for BroadcastDomainType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for BroadcastDomainType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}
