//! What is desired of a network: the server's commands, added up. It lies in the database beside the rows that
//! follow from it, so both change in one transaction.

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
    /// Whether it is up: what comes before `implement-network` takes effect with it.
    pub(crate) is_implemented: bool,
    /// What the network answers on: the gateway, or an address of its own.
    pub(crate) extension_ip: Option<Ipv4Addr>,
    pub(crate) domain: Option<DomainName>,
    pub(crate) resolvers: AddressList,
    pub(crate) serves_dns: bool,
    pub(crate) addresses: BTreeMap<Ipv4Addr, PublicIp>,
    /// Instances by their public addresses.
    pub(crate) static_nats: BTreeMap<Ipv4Addr, Ipv4Addr>,
    pub(crate) forwards: Vec<(Ipv4Addr, PortForward)>,
    pub(crate) balancers: BTreeMap<u64, LoadBalancerRule>,
    /// What is allowed, once rules were ever received: before that, translation alone decides.
    pub(crate) firewall: Option<FirewallRules>,
    pub(crate) nics: BTreeMap<MacAddr, InstanceNic>,
}

/// An instance's NIC, as far as the network serves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstanceNic {
    pub(crate) uuid: Option<NicUuid>,
    pub(crate) ip: Option<Ipv4Addr>,
    pub(crate) is_default: bool,
    pub(crate) hostname: Option<HostName>,
    pub(crate) has_dhcp: bool,
    pub(crate) has_dns: bool,
}

/// A NIC is its instance's default one unless a command says otherwise.
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

    /// The server's word about the network. What a command leaves out stays as it is known, and the gateway of a
    /// NIC's command is that NIC's, so only commands about the network itself say it.
    pub(crate) fn hear(&mut self, network: &Network) {
        let known = &mut self.network;
        known.cidr = network.cidr.or(known.cidr);
        known.gateway = network.gateway.or(known.gateway);
        known.guest_type = network.guest_type.or(known.guest_type);
        known.vlan = network.vlan.clone().or(known.vlan.take());
    }

    /// How guests use the network. Senders that follow the README do not say it: a network without a gateway is
    /// one of layer 2, and one whose extension has an address besides the gateway is routed by somebody else.
    pub(crate) fn guest_type(&self) -> GuestType {
        self.network.guest_type.unwrap_or_else(|| match (self.network.gateway, self.extension_ip) {
            (None, _) => GuestType::L2,
            (Some(gateway), Some(own)) if own != gateway => GuestType::Shared,
            _ => GuestType::Isolated,
        })
    }

    /// Takes the network down. NICs stay plugged in over a restart, names are resolved as before if nobody says
    /// otherwise, and where there were rules nothing gets in between the replay of translations and that of the rules.
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

    /// Takes up a public address; what leads from it is left as it is.
    pub(crate) fn assign(&mut self, public: PublicIp) {
        let is_source_nat = public.is_source_nat();
        if is_source_nat {
            self.addresses.values_mut().for_each(|other| other.source_nat = Some(false));
        }
        let known = self.mention(public);
        known.source_nat = Some(is_source_nat || known.is_source_nat());
    }

    /// An address that a translation names: known by `assign-ip` mostly, and perhaps as source NAT. What the command
    /// leaves out stays as it is known.
    pub(crate) fn mention(&mut self, public: PublicIp) -> &mut PublicIp {
        let known = self.addresses.entry(public.public_ip).or_insert_with(|| public.clone());
        known.public_vlan = public.public_vlan.or(known.public_vlan.take());
        known.public_gateway = public.public_gateway.or(known.public_gateway);
        known.public_cidr = public.public_cidr.or(known.public_cidr);
        known
    }

    /// Gives up a public address with all that leads from it: the next tenant gets it.
    pub(crate) fn release(&mut self, address: Ipv4Addr) {
        self.addresses.remove(&address);
        self.static_nats.remove(&address);
        self.forwards.retain(|(public, _)| *public != address);
        self.balancers.retain(|_, rule| rule.public_ip != address);
    }

    /// Adds a port forward, in place of one of the same ports.
    pub(crate) fn forward(&mut self, address: Ipv4Addr, forward: PortForward) -> Result<(), DeviceError> {
        const MOST_PORTS: u32 = 1024;
        let (public, private) = (forward.public_port, forward.private_port);
        if public.count() != private.count() && !private.is_single() {
            let message =
                format!("private_port {private} does not fit public_port {public}: give as many or one");
            return Err(DeviceError::invalid(message));
        }
        if public.count() > MOST_PORTS {
            let message =
                format!("public_port {public}: OVN keeps every port by itself, so at most {MOST_PORTS}");
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

    /// Adds, changes or revokes load balancer rules; those that are not named stay.
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

    /// The MAC of the NIC that a command is about. One that does not say it names a NIC by its uuid or its address.
    pub(crate) fn mac_of(&self, nic: &Nic) -> Option<MacAddr> {
        let by = |is_it: &dyn Fn(&InstanceNic) -> bool| {
            self.nics.iter().find(|(_, known)| is_it(known)).map(|(mac, _)| *mac)
        };
        let by_uuid = || by(&|known| nic.nic_uuid.is_some() && known.uuid == nic.nic_uuid);
        let is_another = |known: &InstanceNic| known.uuid.is_some() && nic.nic_uuid.is_some();
        let by_address = || by(&|known| nic.ip.is_some() && known.ip == nic.ip && !is_another(known));
        nic.mac.or_else(by_uuid).or_else(by_address)
    }

    /// What is known of a NIC, with what a command says about it.
    pub(crate) fn nic(
        &mut self,
        nic: &Nic,
        hostname: Option<HostName>,
    ) -> Result<&mut InstanceNic, DeviceError> {
        let own = self.mac_of(nic).map_or_else(|| nic.require_mac(), Ok)?;
        // One NIC has one hardware address.
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

    /// Drops the names of an address, whichever NIC had it.
    pub(crate) fn drop_names(&mut self, address: Option<Ipv4Addr>) {
        let named = |nic: &&mut InstanceNic| address.is_some() && nic.ip == address;
        self.nics.values_mut().filter(named).for_each(|nic| nic.has_dns = false);
    }

    /// Serves the NICs that are named and no others.
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
