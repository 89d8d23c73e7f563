//! A guest network behind a router.
//!
//! A shared network may have several ranges of addresses on one segment, each with a subnet and a gateway of its own.
//! The server describes the first one in the fields of the network, and any other one only in commands about its NICs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netext_protocol::{
    AclRule, FirewallRules, FirewallSubject, GuestType, HostName, Network, Nic, NicId, Resolvers,
    RestoreData, Segment,
};
use serde::{Deserialize, Serialize};

use super::{Balancer, GuestNic, Nics, OptionValue};

/// A guest network: a tier of a VPC, or the only one of a router outside of VPCs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tier {
    /// Whether it is in force. Otherwise it keeps what came before `implement-network`, or what must survive a
    /// shutdown.
    pub implemented: bool,
    /// Its type.
    pub guest_type: Option<GuestType>,
    /// The segment that the guests' NICs are on; untagged if the server never named one.
    pub segment: Option<Segment>,
    /// The guests' IPv4 gateway.
    pub gateway: Option<Ipv4Addr>,
    /// The guests' IPv4 subnet.
    pub cidr: Option<Ipv4Net>,
    /// The ranges of addresses beyond `cidr`, by their subnets. They outlive their NICs: the server describes them only
    /// in commands about NICs, and not in a restore.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ranges: BTreeMap<Ipv4Net, AddressRange>,
    /// The router's address in the guest network, if it is not the gateway.
    pub extension_ip: Option<Ipv4Addr>,
    /// The guests' IPv6 subnet.
    pub ipv6: Option<Ipv6Subnet>,
    /// The firewall rules; `None` if none were ever received: then everything that NAT leads in passes.
    pub firewall: Option<FirewallRules>,
    /// The public addresses that it assigned and did not release. Other tiers may have assigned them, too.
    pub assigned: BTreeSet<Ipv4Addr>,
    /// Whether the firewall rules of a tier of a VPC never named a public address.
    pub unrestricted: bool,
    /// The public addresses that its rules restricted when it was shut down, until it has rules again.
    pub restricted_before: BTreeSet<Ipv4Addr>,
    /// The access list; `None` if none was ever received: then everything passes.
    pub access_list: Option<Vec<AclRule>>,
    /// The load balancer rules by their ids. One that came before its public address waits for it, and a member for
    /// its tier.
    pub balancers: BTreeMap<u64, Balancer>,
    /// The services for the guests.
    pub services: TierServices,
    /// How guests resolve names.
    pub resolvers: Resolvers,
    /// The instances' NICs.
    pub nics: Nics,
    /// NICs' own DHCP options, which may be known before the NIC is.
    pub options: BTreeMap<NicId, BTreeMap<u8, OptionValue>>,
}

/// A range beyond the network's first, as commands about its NICs describe it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressRange {
    /// The gateway of its guests.
    pub gateway: Option<Ipv4Addr>,
    /// The router's address in the range, if it has one.
    pub extension_ip: Option<Ipv4Addr>,
}

/// A range whose guests are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServedRange {
    /// Its subnet.
    pub subnet: Ipv4Net,
    /// The gateway of its guests, if they have one.
    pub gateway: Option<Ipv4Addr>,
    /// The router's address that its guests ask: one of the range, or else one of another range, which they reach
    /// through their gateway.
    pub address: Ipv4Addr,
}

impl ServedRange {
    /// Whether the router has no address in the range.
    pub fn is_remote(&self) -> bool {
        !self.subnet.contains(&self.address)
    }
}

/// An IPv6 subnet with the router's address in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ipv6Subnet {
    /// The guests' gateway.
    pub gateway: Ipv6Addr,
    /// The prefix.
    pub cidr: Ipv6Net,
}

/// The services of a router for the guests of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierServices {
    /// DHCP.
    pub dhcp: bool,
    /// DNS.
    pub dns: bool,
    /// Metadata, user data, passwords and keys.
    pub user_data: bool,
}

impl Tier {
    /// Fills in fields that are not known yet. Known ones stay, because any command may be late.
    pub fn learn(&mut self, network: &Network) {
        self.learn_segment(network);
        self.learn_gateway(network.gateway);
    }

    /// The same from a command about a NIC, which carries that NIC's own gateway.
    pub fn learn_by_nic(&mut self, network: &Network, nic: &Nic, extension_ip: Option<Ipv4Addr>) {
        self.learn_segment(network);
        self.learn_range(network, nic, extension_ip);
    }

    fn learn_segment(&mut self, network: &Network) {
        self.guest_type = self.guest_type.or(network.guest_type);
        self.segment = self.segment.take().or_else(|| network.vlan.clone());
        self.cidr = self.cidr.or(network.cidr);
        self.ipv6 = self.ipv6.or_else(|| ipv6_subnet(network));
    }

    /// Puts it in force as `implement-network` describes it. Fields that the command omits stay.
    pub fn implement(&mut self, network: &Network, extension_ip: Option<Ipv4Addr>) {
        self.implemented = true;
        self.guest_type = network.guest_type.or(self.guest_type);
        self.segment = network.vlan.clone().or_else(|| self.segment.take());
        self.gateway = network.gateway.or(self.gateway);
        self.cidr = network.cidr.or(self.cidr);
        self.extension_ip = extension_ip.or(self.extension_ip);
        self.ipv6 = ipv6_subnet(network).or(self.ipv6);
    }

    /// Puts it in force: on a shared network the first command may be about an instance's NIC.
    pub fn serve(&mut self, extension_ip: Option<Ipv4Addr>) {
        self.implemented = true;
        self.extension_ip = self.extension_ip.or(extension_ip);
    }

    /// Applies how guests resolve names. Fields that the command omits stay.
    pub fn resolve_by(&mut self, resolvers: Resolvers) {
        let known = &mut self.resolvers;
        known.domain = resolvers.domain.or_else(|| known.domain.take());
        for (known, said) in [(&mut known.dns, resolvers.dns), (&mut known.dns6, resolvers.dns6)] {
            if !said.is_empty() {
                *known = said;
            }
        }
    }

    /// The NIC that a command is about, after the command's description is applied; `None` if it names no NIC.
    pub fn nic(&mut self, nic: &Nic, hostname: Option<&HostName>) -> Option<&mut GuestNic> {
        self.nics.learn(nic, hostname)
    }

    /// Forgets a NIC with everything that was kept for it.
    pub fn forget_nic(&mut self, nic: &Nic) {
        for id in self.nics.forget(nic).into_iter().chain(nic.nic_id) {
            self.options.remove(&id);
        }
    }

    /// Restores the instances of a network: these and no others.
    pub fn restore(&mut self, data: &RestoreData) {
        self.nics.restore(data);
        // Every instance repeats the fields of its network; a payload may have them only there.
        if self.resolvers.domain.is_none() {
            self.resolvers.domain = data.vms.iter().find_map(|vm| vm.domain.clone());
        }
        if self.resolvers.dns.is_empty() {
            let said = data.vms.iter().find(|vm| !vm.dns.is_empty());
            self.resolvers.dns = said.map(|vm| vm.dns.clone()).unwrap_or_default();
        }
        self.services = TierServices {
            dhcp: data.dhcp_enabled.unwrap_or(self.services.dhcp),
            dns: data.dns_enabled.unwrap_or(self.services.dns),
            user_data: data.userdata_enabled.unwrap_or(self.services.user_data),
        };
    }

    /// The NIC that a late command is about, unless another NIC has its address by now.
    pub fn known_nic(&mut self, nic: &Nic) -> Option<&mut GuestNic> {
        self.nics.find_mut(nic).filter(|known| nic.ip.is_none() || known.ip == nic.ip)
    }

    /// Takes it out of force. Its segment is kept, because it is not sent again. If it was ever filtered, it stays
    /// closed, so that nothing gets in between the replay of its NAT and that of its rules.
    pub fn shut_down(&mut self) {
        self.implemented = false;
        self.services = TierServices::default();
        self.nics.clear();
        self.options.clear();
        self.balancers.clear();
        self.assigned.clear();
        if self.firewall.is_some() {
            self.firewall = Some(FirewallRules::new(false, Vec::new()));
        }
        if self.access_list.is_some() {
            self.access_list = Some(Vec::new());
        }
    }

    /// Its type; isolated if no command named another one.
    pub fn guest_type(&self) -> GuestType {
        self.guest_type.unwrap_or(GuestType::Isolated)
    }

    /// The segment that the guests' NICs are on.
    pub fn segment(&self) -> Segment {
        self.segment.clone().unwrap_or(Segment::Untagged)
    }

    /// The router's own address in the guest network, with the subnet's prefix length.
    pub fn address(&self) -> Option<Ipv4Net> {
        let address = match self.guest_type() {
            GuestType::L2 => None,
            GuestType::Shared => self.extension_ip,
            _ => self.extension_ip.or(self.gateway),
        }?;
        let first = self.cidr?;
        let other = self.ranges.keys().find(|subnet| !first.contains(&address) && subnet.contains(&address));
        Ipv4Net::new(address, other.unwrap_or(&first).prefix_len()).ok()
    }

    /// All of the router's addresses in the guest network.
    pub fn addresses(&self) -> impl Iterator<Item = IpNet> {
        let ipv6 = self.ipv6.and_then(|subnet| Ipv6Net::new(subnet.gateway, subnet.cidr.prefix_len()).ok());
        let ipv6 = ipv6.filter(|_| self.routes());
        self.own_addresses().into_iter().map(IpNet::V4).chain(ipv6.map(IpNet::V6))
    }

    /// Whether the router is the guests' gateway: it forwards, translates and filters. Otherwise it only serves them
    /// from an address in their subnet.
    pub fn routes(&self) -> bool {
        self.guest_type() == GuestType::Isolated
            && self.gateway.is_some()
            && self.extension_ip.is_none_or(|address| Some(address) == self.gateway)
    }

    /// Whether its guests may be in several ranges.
    pub(super) fn has_ranges(&self) -> bool {
        self.guest_type() != GuestType::L2 && !self.routes()
    }

    /// The guests' subnet.
    pub fn subnet(&self) -> Option<Ipv4Net> {
        self.cidr.map(|cidr| cidr.trunc())
    }

    /// Applies a command about a NIC to the NIC's range. `network.gateway` is the NIC's own gateway, so it is not the
    /// network's if the NIC is in another range than the first.
    pub(super) fn learn_range(&mut self, network: &Network, nic: &Nic, extension_ip: Option<Ipv4Addr>) {
        let is_in_first = self.cidr.is_some_and(|cidr| nic.ip.is_none_or(|ip| cidr.contains(&ip)));
        if is_in_first {
            self.learn_gateway(network.gateway);
        }
        let mut extension_ip = extension_ip;
        if let Some(subnet) = self.other_subnet(network, nic) {
            // An older range was given up if it overlaps this one.
            self.ranges.retain(|other, _| *other == subnet || !overlap(*other, subnet));
            let range = self.ranges.entry(subnet).or_default();
            range.gateway = network.gateway.or(range.gateway);
            if let Some(own) = extension_ip.take_if(|own| subnet.contains(&*own)) {
                range.extension_ip = Some(own);
            }
        }
        self.extension_ip = self.extension_ip.or(extension_ip);
    }

    /// Sets the gateway of the network if none is known yet. A gateway outside of the subnet belongs to another range:
    /// a command that names no NIC may be about any range.
    pub(super) fn learn_gateway(&mut self, said: Option<Ipv4Addr>) {
        let is_own = |gateway: &Ipv4Addr| self.cidr.is_none_or(|cidr| cidr.contains(gateway));
        self.gateway = self.gateway.filter(is_own).or(said.filter(is_own)).or(self.gateway);
    }

    /// The subnet of a NIC that is not in the first range. A command without a netmask means the range that is known,
    /// or one of the first one's size.
    fn other_subnet(&self, network: &Network, nic: &Nic) -> Option<Ipv4Net> {
        let (first, ip) = (self.cidr?, nic.ip?);
        if first.contains(&ip) {
            return None;
        }
        let said = || Ipv4Net::with_netmask(ip, nic.netmask?).ok();
        let of_payload = || network.cidr.filter(|cidr| cidr.contains(&ip));
        let known = || self.ranges.keys().find(|subnet| subnet.contains(&ip)).copied();
        let of_same_size = || {
            let subnet = Ipv4Net::new(ip, first.prefix_len()).ok()?;
            network.gateway.is_none_or(|gateway| subnet.contains(&gateway)).then_some(subnet)
        };
        let subnet = said().or_else(of_payload).or_else(known).or_else(of_same_size)?.trunc();
        (!overlap(subnet, first)).then_some(subnet)
    }

    /// The ranges whose guests are served: the first, and the others that have NICs. Empty if the router has no address
    /// in the network.
    pub fn ranges(&self) -> Vec<ServedRange> {
        let own = self.own_addresses();
        let (Some(first), Some(subnet)) = (own.first(), self.subnet()) else { return Vec::new() };
        let served = |subnet: Ipv4Net, gateway| {
            let inside = own.iter().find(|own| subnet.contains(&own.addr()));
            ServedRange { subnet, gateway, address: inside.unwrap_or(first).addr() }
        };
        let others = self.ranges_in_use().map(|(subnet, range)| served(subnet, range.gateway));
        std::iter::once(served(subnet, self.gateway)).chain(others).collect()
    }

    /// The router's own IPv4 addresses in the guest network, each with the prefix length of its subnet; the one of the
    /// network itself comes first.
    pub fn own_addresses(&self) -> Vec<Ipv4Net> {
        let of_range = |(subnet, range): (Ipv4Net, &AddressRange)| {
            Ipv4Net::new(range.extension_ip?, subnet.prefix_len()).ok()
        };
        self.address().into_iter().chain(self.ranges_in_use().filter_map(of_range)).collect()
    }

    /// The ranges beyond the first that NICs have addresses of. Only if the router is not the gateway: it routes for
    /// one subnet per guest network.
    pub(super) fn ranges_in_use(&self) -> impl Iterator<Item = (Ipv4Net, &AddressRange)> {
        let first = self.cidr.filter(|_| self.has_ranges());
        self.ranges.iter().map(|(subnet, range)| (*subnet, range)).filter(move |(subnet, _)| {
            first.is_some_and(|first| !overlap(first, *subnet))
                && self.nics.iter().any(|nic| nic.ip.is_some_and(|ip| subnet.contains(&ip)))
        })
    }

    /// Whether its firewall rules restrict the public addresses that it uses.
    pub fn restricts_ingress(&self) -> bool {
        self.firewall.is_some() && !self.unrestricted
    }

    /// Whether any of its firewall rules is about a public address.
    pub(super) fn opens_any(&self) -> bool {
        let mut rules = self.firewall.iter().flat_map(|firewall| &firewall.rules);
        rules.any(|rule| rule.subject != FirewallSubject::Egress)
    }

    /// Whether any of its firewall rules opens this public address.
    pub fn names(&self, public: Ipv4Addr) -> bool {
        let rules = self.firewall.iter().flat_map(|firewall| &firewall.rules);
        rules.into_iter().any(|rule| rule.subject == FirewallSubject::Ingress { public_ip: public })
    }

    /// Whether an address may be a guest's.
    pub fn may_have_guest(&self, address: Ipv4Addr) -> bool {
        self.subnet().is_some_and(|subnet| is_host(subnet, address)) && !self.is_routers(address)
    }

    pub(super) fn is_routers(&self, address: Ipv4Addr) -> bool {
        self.gateway == Some(address) || self.extension_ip == Some(address)
    }
}

fn ipv6_subnet(network: &Network) -> Option<Ipv6Subnet> {
    Some(Ipv6Subnet { gateway: network.network_ip6_gateway?, cidr: network.network_ip6_cidr? })
}

fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

pub(super) fn is_host(subnet: Ipv4Net, address: Ipv4Addr) -> bool {
    subnet.contains(&address) && address != subnet.network() && address != subnet.broadcast()
}
