//! Leases, names and metadata of all instances, in one call.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::metadata::VmDataEntry;
use super::payload;
use crate::group::Resolvers;
use crate::value::identifier::{AddressList, DomainName, HostName, MacAddr, NicUuid};
use crate::wire::embedded::Embedded;
use crate::wire::object::object;
use crate::wire::refusal::PathStep;

payload! { guests
    /// `restore-network`: restore the leases, names and metadata of all instances of a network after a
    /// restart. It holds no passwords: an unread one must survive the restart on the device.
    pub struct RestoreNetwork {
        groups {
            /// The resolvers and the domain for guests.
            resolvers: Resolvers,
        }
        embedded {
            /// The leases, names and metadata of all instances.
            restore_data: RestoreData = "restore_data",
        }
    }
}

impl Embedded for RestoreData {
    fn decode_contents(&mut self) -> Result<(), (Vec<PathStep>, &'static str)> {
        for (index, vm) in self.vms.iter_mut().enumerate() {
            vm.vm_data.decode_contents().map_err(|(inside, problem)| {
                let outside = [PathStep::key("vms"), PathStep::Index(index), PathStep::key("vm_data")];
                (outside.into_iter().chain(inside).collect(), problem)
            })?;
        }
        Ok(())
    }
}

object! { native
    /// The instances of a network with their leases, names and metadata.
    pub struct RestoreData {
        required {
            /// All instances with a NIC on the network. An instance that is missing here has no lease, name
            /// or metadata.
            vms: Vec<RestoredVm> = "vms",
        }
        optional {
            /// Whether the device serves DHCP on the network.
            dhcp_enabled: bool = "dhcp_enabled",
            /// Whether the device serves DNS on the network.
            dns_enabled: bool = "dns_enabled",
            /// Whether the device serves metadata and user data on the network.
            userdata_enabled: bool = "userdata_enabled",
        }
    }
}

object! { native
    /// One instance's NIC with its lease, names and metadata.
    pub struct RestoredVm {
        required {
            /// The NIC's hardware address.
            mac: MacAddr = "mac",
        }
        optional {
            /// The NIC's IPv4 address.
            ip: Ipv4Addr = "ip",
            /// The NIC's IPv6 address, if it has one.
            ip6_address: Ipv6Addr = "ip6_address" | "nic_ip6_address",
            /// The NIC's id in the API.
            nic_uuid: NicUuid = "nic_uuid",
            /// The instance's host name, one label or several.
            hostname: HostName = "hostname",
            /// The NIC's place among the instance's NICs, counted from 0.
            device_id: u32 = "device_id",
            /// Whether this NIC carries the instance's default route. A NIC with `false` gets no router from
            /// DHCP. Absent means `true`.
            default_nic: bool = "default_nic",
            /// The network's DNS domain.
            domain: DomainName = "domain",
        }
        defaulted {
            /// The resolvers for guests, in order of preference.
            dns: AddressList = "dns",
            /// The instance's metadata and user data, without its password.
            vm_data: Vec<VmDataEntry> = "vm_data",
        }
    }
}
