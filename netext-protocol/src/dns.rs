//! Name resolution for instances.

use std::net::Ipv4Addr;

use crate::wire::object::object;
use crate::{HostName, Network, Nic, Resolvers};

object! { payload
    /// `config-dns-subnet`: serve DNS on a network; the name `data-server` resolves to the extension IP.
    pub struct ConfigDnsSubnet {
        groups {
            /// The network.
            network: Network,
            /// The NIC that is being set up.
            nic: Nic,
            /// Where names that are not of this network are asked for.
            resolvers: Resolvers,
        }
        optional {
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
            extension_ip: Ipv4Addr = "extension_ip",
        }
    }
}

object! { payload
    /// `remove-dns-subnet`: no longer serve DNS on a network; DHCP goes on.
    pub struct RemoveDnsSubnet {
        groups {
            /// The network.
            network: Network,
            /// As they were.
            resolvers: Resolvers,
        }
        optional {
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
            extension_ip: Ipv4Addr = "extension_ip",
        }
    }
}

object! { payload
    /// `add-dns-entry`: make an instance's name resolve.
    pub struct AddDnsEntry {
        groups {
            /// The network.
            network: Network,
            /// The NIC.
            nic: Nic,
            /// The network's domain.
            resolvers: Resolvers,
        }
        optional {
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
            extension_ip: Ipv4Addr = "extension_ip",
            /// The instance's host name, one label or several.
            hostname: HostName = "hostname",
        }
    }
}

object! { payload
    /// `remove-dns-entry`: drop the names of an address. The server sends no host name.
    pub struct RemoveDnsEntry {
        groups {
            /// The network.
            network: Network,
            /// The NIC.
            nic: Nic,
            /// The network's domain.
            resolvers: Resolvers,
        }
        optional {
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
            extension_ip: Ipv4Addr = "extension_ip",
        }
    }
}
