//! The desired state of a network: the sum of the server's commands. It is stored in the database beside the rows that
//! follow from it, so that both change in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use netext_core::DeviceError;
use netext_core::protocol::{
    AddressList, DomainName, FirewallRules, GuestType, HostName, LoadBalancerAlgorithm, LoadBalancerProtocol,
    LoadBalancerRule, MacAddr, Network, Nic, NicUuid, PortForward, PublicIp, Resolvers, RestoreData,
};
use serde::{Deserialize, Serialize};

/// A network, from its first command to its last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) network: Network,
    /// Whether the network is up: earlier commands take effect with `implement-network`.
    pub(crate) is_implemented: bool,
    /// The address of the network's services: the gateway, or an address of its own.
    pub(crate) extension_ip: Option<Ipv4Addr>,
    pub(crate) domain: Option<DomainName>,
    pub(crate) resolvers: AddressList,
    pub(crate) serves_dns: bool,
    pub(crate) addresses: BTreeMap<Ipv4Addr, PublicIp>,
    /// Instances by their public addresses.
    pub(crate) static_nats: BTreeMap<Ipv4Addr, Ipv4Addr>,
    pub(crate) forwards: Vec<(Ipv4Addr, PortForward)>,
    pub(crate) balancers: BTreeMap<u64, LoadBalancerRule>,
    /// The firewall, once rules were received: before that, NAT alone decides.
    pub(crate) firewall: Option<FirewallRules>,
    pub(crate) nics: BTreeMap<MacAddr, InstanceNic>,
}

/// An instance's NIC, and how the network serves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstanceNic {
    pub(crate) uuid: Option<NicUuid>,
    pub(crate) ip: Option<Ipv4Addr>,
    pub(crate) is_default: bool,
    pub(crate) hostname: Option<HostName>,
    pub(crate) has_dhcp: bool,
    pub(crate) has_dns: bool,
}

/// A NIC is its instance's default NIC unless a command says otherwise.
impl Default for InstanceNic {
    fn default() -> Self {
        Self { uuid: None, ip: None, is_default: true, hostname: None, has_dhcp: false, has_dns: false }
    }
}

impl State {
    pub(crate) fn new(network: Network) -> Self {
        Self {
            network,
            is_implemented: false,
            extension_ip: None,
            domain: None,
            resolvers: AddressList::default(),
            serves_dns: false,
            addresses: BTreeMap::new(),
            static_nats: BTreeMap::new(),
            forwards: Vec::new(),
            balancers: BTreeMap::new(),
            firewall: None,
            nics: BTreeMap::new(),
        }
    }

    /// Merges the fields of a command about the network itself. Absent fields keep their values. Commands about a NIC do
    /// not count, because their gateway is that of the NIC.
    pub(crate) fn learn(&mut self, network: &Network) {
        let known = &mut self.network;
        known.cidr = network.cidr.or(known.cidr);
        known.gateway = network.gateway.or(known.gateway);
        known.guest_type = network.guest_type.or(known.guest_type);
        known.vlan = network.vlan.clone().or(known.vlan.take());
    }

    /// The guest type. Senders that follow the README do not send it: a network without a gateway is a layer-2 network,
    /// and a network whose extension has an address besides the gateway is shared: another router routes it.
    pub(crate) fn guest_type(&self) -> GuestType {
        self.network.guest_type.unwrap_or_else(|| match (self.network.gateway, self.extension_ip) {
            (None, _) => GuestType::L2,
            (Some(gateway), Some(own)) if own != gateway => GuestType::Shared,
            _ => GuestType::Isolated,
        })
    }

    /// Takes the network down. NICs stay plugged in during a restart, and names resolve as before. If there were rules,
    /// the firewall stays closed until the server has replayed them, even if it replays NAT first.
    pub(crate) fn shut_down(&mut self) {
        let closed = self.firewall.as_ref().map(|_| FirewallRules::new(false, Vec::new()));
        let mut nics = std::mem::take(&mut self.nics);
        nics.values_mut().for_each(InstanceNic::no_longer_served);
        *self = Self {
            firewall: closed,
            nics,
            extension_ip: self.extension_ip,
            domain: self.domain.take(),
            resolvers: std::mem::take(&mut self.resolvers),
            ..Self::new(self.network.clone())
        };
    }

    /// Assigns a public address. NAT and balancers on it stay as they are.
    pub(crate) fn assign(&mut self, public: PublicIp) {
        let is_source_nat = public.is_source_nat();
        if is_source_nat {
            self.addresses.values_mut().for_each(|other| other.source_nat = Some(false));
        }
        let known = self.mention(public);
        known.source_nat = Some(is_source_nat || known.is_source_nat());
    }

    /// Merges the fields of an address that a NAT command names. `assign-ip` usually sent it before, perhaps as source
    /// NAT. Absent fields keep their values.
    pub(crate) fn mention(&mut self, public: PublicIp) -> &mut PublicIp {
        let known = self.addresses.entry(public.public_ip).or_insert_with(|| public.clone());
        known.public_vlan = public.public_vlan.or(known.public_vlan.take());
        known.public_gateway = public.public_gateway.or(known.public_gateway);
        known.public_cidr = public.public_cidr.or(known.public_cidr);
        known
    }

    /// Releases a public address with all NAT and balancers on it, because another tenant may get it.
    pub(crate) fn release(&mut self, address: Ipv4Addr) {
        self.addresses.remove(&address);
        self.static_nats.remove(&address);
        self.forwards.retain(|(public, _)| *public != address);
        self.balancers.retain(|_, rule| rule.public_ip != address);
    }

    /// Adds a port forward, and replaces one of the same ports.
    pub(crate) fn forward(&mut self, address: Ipv4Addr, forward: PortForward) -> Result<(), DeviceError> {
        const MOST_PORTS: u32 = 1024;
        let (public, private) = (forward.public_port, forward.private_port);
        if public.count() != private.count() && !private.is_single() {
            let message = format!(
                "private_port {private} does not match public_port {public}: give the same number of ports, or one"
            );
            return Err(DeviceError::invalid(message));
        }
        if public.count() > MOST_PORTS {
            let message = format!(
                "public_port {public}: OVN stores every port separately, so at most {MOST_PORTS} are allowed"
            );
            return Err(DeviceError::invalid(message));
        }
        let competes = |(other_address, other): &&(Ipv4Addr, PortForward)| {
            *other_address == address
                && other.protocol == forward.protocol
                && other.public_port != public
                && other.public_port.overlaps(public)
        };
        if let Some((_, other)) = self.forwards.iter().find(competes) {
            let message = format!("public_port {public} overlaps the forward of {}", other.public_port);
            return Err(DeviceError::device(message));
        }
        self.forwards.retain(|(other_address, other)| {
            !(*other_address == address && other.protocol == forward.protocol && other.public_port == public)
        });
        self.forwards.push((address, forward));
        Ok(())
    }

    /// Adds, changes or revokes load balancer rules; other rules stay.
    pub(crate) fn balance(&mut self, rules: Vec<LoadBalancerRule>) -> Result<(), DeviceError> {
        for rule in rules {
            if rule.revoke {
                self.balancers.remove(&rule.id);
                continue;
            }
            let lacks = |what: &str| {
                Err(DeviceError::invalid(format!("load balancer rule {}: OVN has no {what}", rule.id)))
            };
            match (rule.protocol, rule.algorithm) {
                (LoadBalancerProtocol::TcpProxy, _) => return lacks("PROXY protocol (tcp-proxy)"),
                (_, LoadBalancerAlgorithm::LeastConn) => return lacks("counting of connections (leastconn)"),
                _ => drop(self.balancers.insert(rule.id, rule)),
            }
        }
        Ok(())
    }

    /// The MAC address of a command's NIC. A command without one names the NIC by its uuid or its address.
    pub(crate) fn mac_of(&self, nic: &Nic) -> Option<MacAddr> {
        let by = |is_it: &dyn Fn(&InstanceNic) -> bool| {
            self.nics.iter().find(|(_, known)| is_it(known)).map(|(mac, _)| *mac)
        };
        let by_uuid = || by(&|known| nic.nic_uuid.is_some() && known.uuid == nic.nic_uuid);
        let is_another = |known: &InstanceNic| known.uuid.is_some() && nic.nic_uuid.is_some();
        let by_address = || by(&|known| nic.ip.is_some() && known.ip == nic.ip && !is_another(known));
        nic.mac.or_else(by_uuid).or_else(by_address)
    }

    /// Merges the fields of a command about a NIC, and answers the NIC.
    pub(crate) fn nic(
        &mut self,
        nic: &Nic,
        hostname: Option<HostName>,
    ) -> Result<&mut InstanceNic, DeviceError> {
        let own = self.mac_of(nic).map_or_else(|| nic.require_mac(), Ok)?;
        // A NIC has one MAC address.
        self.nics.retain(|mac, known| *mac == own || known.uuid.is_none() || known.uuid != nic.nic_uuid);
        let known = self.nics.entry(own).or_default();
        known.uuid = nic.nic_uuid.clone().or(known.uuid.take());
        known.ip = nic.ip.or(known.ip);
        known.is_default = nic.default_nic.unwrap_or(known.is_default);
        known.hostname = hostname.or(known.hostname.take());
        Ok(known)
    }

    pub(crate) fn resolve_by(&mut self, resolvers: Resolvers) {
        self.domain = resolvers.domain.or(self.domain.take());
        if !resolvers.dns.is_empty() {
            self.resolvers = resolvers.dns;
        }
    }

    /// Removes the names of an address, of all NICs that had it.
    pub(crate) fn drop_names(&mut self, address: Option<Ipv4Addr>) {
        let named = |nic: &&mut InstanceNic| address.is_some() && nic.ip == address;
        self.nics.values_mut().filter(named).for_each(|nic| nic.has_dns = false);
    }

    /// Serves the named NICs and no others.
    pub(crate) fn restore(&mut self, restored: RestoreData) {
        let named: BTreeSet<MacAddr> = restored.vms.iter().map(|vm| vm.mac).collect();
        let others = self.nics.iter_mut().filter(|(mac, _)| !named.contains(mac));
        others.for_each(|(_, nic)| nic.no_longer_served());
        self.serves_dns |= restored.dns_enabled.unwrap_or_default();
        for vm in restored.vms {
            let nic = self.nics.entry(vm.mac).or_default();
            nic.uuid = vm.nic_uuid.or(nic.uuid.take());
            nic.ip = vm.ip.or(nic.ip);
            nic.is_default = vm.default_nic.unwrap_or(nic.is_default);
            nic.hostname = vm.hostname.or(nic.hostname.take());
            nic.has_dhcp = restored.dhcp_enabled.unwrap_or(nic.has_dhcp);
            nic.has_dns = restored.dns_enabled.unwrap_or(nic.has_dns);
        }
    }
}

impl InstanceNic {
    fn no_longer_served(&mut self) {
        (self.has_dhcp, self.has_dns) = (false, false);
    }
}
