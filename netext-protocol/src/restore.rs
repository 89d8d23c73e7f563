//! Everything that a network's instances were given, in one call.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::error::Place;
use crate::wire::embedded::Embedded;
use crate::wire::field::structured_field;
use crate::wire::object::object;
use crate::{AddressList, DomainName, HostName, MacAddr, Network, NicUuid, Resolvers, VmDataEntry};

object! { payload
    /// `restore-network`: put back what all instances of a network were given, after a restart. Passwords
    /// are not among it: one that was not read yet must have survived.
    pub struct RestoreNetwork {
        groups {
            /// The network.
            network: Network,
            /// What guests are told about name resolution.
            resolvers: Resolvers,
        }
        embedded {
            /// The instances.
            restore_data: RestoreData = "restore_data",
        }
        optional {
            /// What the device answers on inside the guest network.
            extension_ip: Ipv4Addr = "extension_ip",
        }
    }
}

structured_field!(RestoreData, RestoredVm);

impl Embedded for RestoreData {
    fn decode_contents(&mut self) -> Result<(), (Vec<Place>, &'static str)> {
        for (index, vm) in self.vms.iter_mut().enumerate() {
            vm.vm_data.decode_contents().map_err(|(inside, problem)| {
                let outside = [Place::key("vms"), Place::Index(index), Place::key("vm_data")];
                (outside.into_iter().chain(inside).collect(), problem)
            })?;
        }
        Ok(())
    }
}

object! { native
    /// The instances of a network with what they were given.
    pub struct RestoreData {
        required {
            /// The instances, all of them.
            vms: Vec<RestoredVm> = "vms",
        }
        optional {
            /// Whether the network serves DHCP.
            dhcp_enabled: bool = "dhcp_enabled",
            /// Whether the network serves DNS.
            dns_enabled: bool = "dns_enabled",
            /// Whether the network serves user data.
            userdata_enabled: bool = "userdata_enabled",
        }
    }
}

object! { native
    /// One instance's NIC with what it was given.
    pub struct RestoredVm {
        required {
            /// The NIC's hardware address.
            mac: MacAddr = "mac",
        }
        optional {
            /// Its IPv4 address.
            ip: Ipv4Addr = "ip",
            /// Its IPv6 address.
            ip6_address: Ipv6Addr = "ip6_address" | "nic_ip6_address",
            /// The NIC's id in the API.
            nic_uuid: NicUuid = "nic_uuid",
            /// The instance's host name.
            hostname: HostName = "hostname",
            /// The NIC's place among the instance's NICs, from 0.
            device_id: u32 = "device_id",
            /// Whether the instance's default route leaves by this NIC.
            default_nic: bool = "default_nic",
            /// The network's domain.
            domain: DomainName = "domain",
        }
        defaulted {
            /// The resolvers.
            dns: AddressList = "dns",
            /// The instance's metadata and user data.
            vm_data: Vec<VmDataEntry> = "vm_data",
        }
    }
}
