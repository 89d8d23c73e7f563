//! Instances' network interfaces.

use std::net::{Ipv4Addr, Ipv6Addr};

use netext_protocol::{HostName, Nic, NicId, RestoredVm};
use serde::{Deserialize, Serialize};

/// An instance's NIC, known by its hardware address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestNic {
    /// The server's id of it, which a restore does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nic_id: Option<NicId>,
    /// Its IPv4 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Ipv4Addr>,
    /// Its IPv6 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip6: Option<Ipv6Addr>,
    /// The instance's host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<HostName>,
    /// Whether the instance's default route leaves by it.
    #[serde(default = "yes", skip_serializing_if = "is_so")]
    pub default_nic: bool,
    /// Whether DHCP reserves its addresses.
    #[serde(default = "yes", skip_serializing_if = "is_so")]
    pub reserved: bool,
    /// Whether DNS knows its addresses by the host name.
    #[serde(default = "yes", skip_serializing_if = "is_so")]
    pub named: bool,
}

/// What a NIC is unless its state says otherwise: there may be thousands of them, and nearly all are alike.
fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over like this")]
fn is_so(answer: &bool) -> bool {
    *answer
}

impl GuestNic {
    /// Takes over what a command says about it.
    pub fn learn(&mut self, nic: &Nic, hostname: Option<&HostName>) {
        self.nic_id = nic.nic_id.or(self.nic_id);
        self.ip = nic.ip.or(self.ip);
        self.ip6 = nic.ip6_address.or(self.ip6);
        self.hostname = hostname.or(self.hostname.as_ref()).cloned();
        self.default_nic = nic.default_nic.unwrap_or(true);
    }

    /// The NIC of an instance that is restored, on a network with these services.
    pub fn restored(vm: &RestoredVm, nic_id: Option<NicId>, dhcp: bool, dns: bool) -> Self {
        Self {
            nic_id,
            ip: vm.ip,
            ip6: vm.ip6_address,
            hostname: vm.hostname.clone(),
            default_nic: vm.default_nic.unwrap_or(true),
            reserved: dhcp,
            named: dns,
        }
    }
}
