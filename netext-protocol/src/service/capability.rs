//! The capabilities of services, with the server's names.

use std::fmt;

use serde_json::Value;

use super::Service;
use crate::wire::refusal::excerpt;

/// The values that a capability accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CapabilityValues {
    /// `true` or `false`.
    Flag,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A comma-separated list of these words, without repetition.
    ListOf(&'static [&'static str]),
    /// Any text. The server shows it to everyone who lists capabilities.
    Text,
}

impl CapabilityValues {
    fn allow(self, value: &str) -> bool {
        match self {
            Self::Flag => ["true", "false"].contains(&value),
            Self::OneOf(words) => words.contains(&value),
            Self::ListOf(words) => {
                let given: Vec<_> = value.split(',').collect();
                let is_repeated = |(index, word)| given[..index].contains(word);
                given.iter().all(|word| words.contains(word)) && !given.iter().enumerate().any(is_repeated)
            }
            Self::Text => true,
        }
    }
}

/// The values in words, such as `a comma-separated list out of tcp, udp`.
impl fmt::Display for CapabilityValues {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => formatter.write_str("true or false"),
            Self::OneOf(words) => formatter.write_str(&words.join(" or ")),
            Self::ListOf(words) => write!(formatter, "a comma-separated list out of {}", words.join(", ")),
            Self::Text => formatter.write_str("any text"),
        }
    }
}

/// The error for a value that a capability does not accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}.{}: {} is not {}", capability.service(), capability.name(), excerpt(value), capability.values())]
pub struct InvalidCapability {
    capability: Capability,
    value: String,
}

impl InvalidCapability {
    /// The capability.
    pub fn capability(&self) -> Capability {
        self.capability
    }
}

macro_rules! capabilities {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident = $service:ident.$name:ident {
            values: $values:expr,
            full: $full:expr,
            without: $without:expr,
        }
    )*) => {
        /// A capability of a service in CloudStack. An extension registers its capabilities as
        /// `network.service.capabilities`: service to capability to value, all texts.
        ///
        /// The server uses some capabilities without a check: if they are missing, an API call fails or ends
        /// in a null pointer. [`without`](Self::without) describes what happens.
        ///
        /// ```
        /// use netext_protocol::{Capability, Service};
        ///
        /// let protocols = Capability::PortForwardingProtocols; assert_eq!((protocols.service(),
        /// protocols.name()), (Service::PortForwarding, "SupportedProtocols")); assert_eq!(protocols.full(),
        /// Some("tcp,udp")); assert!(protocols.check("udp").is_ok()); assert_eq!(
        ///     protocols.check("sctp").unwrap_err().to_string(),
        ///     r#"PortForwarding.SupportedProtocols: "sctp" is not a comma-separated list out of tcp, udp"#,
        /// );
        /// assert!(protocols.without().is_some());
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Capability {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Capability {
            /// Every capability, by service.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The service that has the capability.
            pub const fn service(self) -> Service {
                match self {
                    $(Self::$variant => Service::$service,)*
                }
            }

            /// The capability's name in CloudStack, which compares names without regard to case. Several
            /// services have one of the same name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($name),)*
                }
            }

            /// The meaning of the capability, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),*).trim_ascii(),)*
                }
            }

            /// The values that it accepts.
            pub const fn values(self) -> CapabilityValues {
                match self {
                    $(Self::$variant => $values,)*
                }
            }

            /// The value for a device that supports everything that the protocol offers for the service;
            /// `None` if such a device does not declare the capability.
            pub const fn full(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => $full,)*
                }
            }

            /// What goes wrong on the server if a device does not declare the capability; `None` if nothing
            /// does.
            pub const fn without(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => $without,)*
                }
            }
        }
    };
}

use CapabilityValues::{Flag, ListOf, OneOf, Text};

capabilities! {
    /// Whether a network may have several IP ranges.
    DhcpAcrossSubnets = Dhcp.DhcpAccrossMultipleSubnets {
        values: Flag,
        full: Some("true"),
        without: Some("config-dhcp-subnet is never sent, and a second IP range of a shared network gets no service"),
    }
    /// Whether NICs may have DHCP options of their own. No server sends `set-dhcp-options` yet.
    DhcpExtraOptions = Dhcp.ExtraDhcpOptions { values: Flag, full: None, without: None, }
    /// Whether a network may have a DNS domain of its own.
    DnsSuffixModification = Dns.AllowDnsSuffixModification {
        values: Flag,
        full: Some("true"),
        without: Some(
            "createNetwork refuses a networkdomain and assigns none, so `domain` arrives empty; tiers of a VPC with a domain cannot be made"
        ),
    }
    /// Whether networks may name resolvers of their own.
    DnsExternal = Dns.ExternalDns {
        values: Flag,
        full: Some("true"),
        without: Some("resolvers of a network's own are not offered"),
    }
    /// The README registers it; the server does not read it.
    UserDataSupported = UserData.Supported { values: Flag, full: Some("true"), without: None, }
    /// Whether an account or a zone shares a source NAT address.
    SourceNatTypes = SourceNat.SupportedSourceNatTypes {
        values: ListOf(&["peraccount", "perzone"]),
        full: Some("peraccount"),
        without: Some("createNetworkOffering and createVPCOffering refuse SourceNat"),
    }
    /// Whether two routers serve a network.
    SourceNatRedundantRouter = SourceNat.RedundantRouter {
        values: Flag,
        full: Some("false"),
        without: Some("createNetworkOffering and createVPCOffering refuse SourceNat"),
    }
    /// The README registers it; the server does not read it.
    StaticNatSupported = StaticNat.Supported { values: Flag, full: Some("true"), without: None, }
    /// Whether every instance gets a public address of its own.
    StaticNatElasticIp = StaticNat.ElasticIp { values: Flag, full: None, without: None, }
    /// Whether an elastic address is assigned at once.
    StaticNatAssociatePublicIp = StaticNat.AssociatePublicIP { values: Flag, full: None, without: None, }
    /// The transport protocols that can be forwarded.
    PortForwardingProtocols = PortForwarding.SupportedProtocols {
        values: ListOf(&["tcp", "udp"]),
        full: Some("tcp,udp"),
        without: Some("createPortForwardingRule ends in a null pointer"),
    }
    /// The directions that rules can have.
    FirewallDirections = Firewall.SupportedTrafficDirection {
        values: ListOf(&["ingress", "egress"]),
        full: Some("ingress,egress"),
        without: Some("createFirewallRule ends in a null pointer"),
    }
    /// The protocols of ingress rules.
    FirewallProtocols = Firewall.SupportedProtocols {
        values: ListOf(&["tcp", "udp", "icmp"]),
        full: Some("tcp,udp,icmp"),
        without: Some("createFirewallRule ends in a null pointer"),
    }
    /// The protocols of egress rules.
    FirewallEgressProtocols = Firewall.SupportedEgressProtocols {
        values: ListOf(&["tcp", "udp", "icmp", "all"]),
        full: Some("tcp,udp,icmp,all"),
        without: Some("createEgressFirewallRule ends in a null pointer"),
    }
    /// The unit of traffic statistics.
    FirewallStatistics = Firewall.TrafficStatistics {
        values: OneOf(&["per public ip"]),
        full: Some("per public ip"),
        without: Some("traffic statistics are not offered"),
    }
    /// Whether a network may have several public addresses.
    FirewallMultipleIps = Firewall.MultipleIps {
        values: Flag,
        full: Some("true"),
        without: Some("further public addresses are not offered"),
    }
    /// The protocols that can be balanced.
    LbProtocols = Lb.SupportedProtocols {
        values: ListOf(&["tcp", "udp", "tcp-proxy"]),
        full: Some("tcp,udp,tcp-proxy"),
        without: Some("createLoadBalancerRule is refused"),
    }
    /// The ways to choose a member.
    LbAlgorithms = Lb.SupportedLBAlgorithms {
        values: ListOf(&["roundrobin", "leastconn", "source"]),
        full: Some("roundrobin,leastconn,source"),
        without: Some("createLoadBalancerRule is refused"),
    }
    /// Whether networks share a balancer.
    LbIsolation = Lb.SupportedLBIsolation {
        values: ListOf(&["dedicated", "shared"]),
        full: Some("dedicated"),
        without: Some("createNetworkOffering and createVPCOffering refuse Lb"),
    }
    /// The addresses that balancers listen on.
    LbSchemes = Lb.LbSchemes {
        values: ListOf(&["Public", "Internal"]),
        full: Some("Public"),
        without: Some("createNetworkOffering and createVPCOffering refuse Lb"),
    }
    /// Methods that keep a client on the same member, as JSON. The protocol does not carry stickiness
    /// policies.
    LbStickinessMethods = Lb.SupportedStickinessMethods { values: Text, full: None, without: None, }
    /// Whether the balancer terminates TLS. The server checks only whether the capability is present, so a
    /// device without TLS support must leave it out: `false` counts as support.
    LbSslTermination = Lb.SslTermination { values: OneOf(&["true"]), full: None, without: None, }
    /// The unit of traffic statistics.
    LbStatistics = Lb.TrafficStatistics { values: OneOf(&["per public ip"]), full: None, without: None, }
    /// Which public addresses may be balanced.
    LbSupportedIps = Lb.LoadBalancingSupportedIps { values: OneOf(&["additional"]), full: None, without: None, }
    /// Whether a public address is acquired for every rule.
    LbElastic = Lb.ElasticLb { values: Flag, full: None, without: None, }
    /// Counters for the server's autoscaling, as JSON.
    LbAutoScaleCounters = Lb.AutoScaleCounters { values: Text, full: None, without: None, }
    /// Whether the balancer is in front of the firewall.
    LbInlineMode = Lb.InlineMode { values: Flag, full: None, without: None, }
    /// Whether members are checked. The protocol does not carry health check policies.
    LbHealthCheckPolicy = Lb.HealthCheckPolicy { values: Flag, full: None, without: None, }
    /// Whether groups of instances scale by the balancer's counters.
    LbVmAutoScaling = Lb.VmAutoScaling { values: Flag, full: None, without: None, }
    /// The protocols of access list items. Items may also name a protocol by its number.
    NetworkAclProtocols = NetworkAcl.SupportedProtocols {
        values: ListOf(&["tcp", "udp", "icmp"]),
        full: Some("tcp,udp,icmp"),
        without: Some("createNetworkACL is refused"),
    }
    /// Whether two routers serve a network.
    GatewayRedundantRouter = Gateway.RedundantRouter { values: Flag, full: Some("false"), without: None, }
    /// The README registers it; the server does not read it.
    CustomActionSupported = CustomAction.Supported { values: Flag, full: Some("true"), without: None, }
}

impl Capability {
    /// The capability of a service with this name, in any case; `None` if the server knows no such
    /// capability.
    pub fn of(service: Service, name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.service() == service && it.name().eq_ignore_ascii_case(name))
    }

    /// The capabilities of a service.
    pub fn all_of(service: Service) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |it| it.service() == service)
    }

    /// Whether a device can declare the capability with this value.
    pub fn check(self, value: &str) -> Result<(), InvalidCapability> {
        if self.values().allow(value) {
            return Ok(());
        }
        Err(InvalidCapability { capability: self, value: value.to_owned() })
    }

    /// The capabilities that the server needs for these services, but that are not `registered`: the value of
    /// `network.service.capabilities`, read as JSON.
    ///
    /// ```
    /// use netext_protocol::{Capability, Service};
    /// use serde_json::json;
    ///
    /// let registered = json!({"Firewall": {"supportedprotocols": "tcp", "SupportedTrafficDirection":
    /// "ingress,egress"}}); let missing: Vec<_> = Capability::missing_of([Service::Firewall],
    /// &registered).collect(); assert_eq!(missing[0], Capability::FirewallEgressProtocols);
    /// assert_eq!(missing[0].without(), Some("createEgressFirewallRule ends in a null pointer"));
    /// ```
    pub fn missing_of(
        services: impl IntoIterator<Item = Service>,
        registered: &Value,
    ) -> impl Iterator<Item = Self> {
        let declares = |capability: &Self| {
            named(registered, capability.service().name())
                .and_then(|of_service| named(of_service, capability.name()))
                .is_some_and(|value| value.as_str().is_some_and(|text| !text.is_empty()))
        };
        let read = services.into_iter().flat_map(Self::all_of).filter(|it| it.without().is_some());
        read.filter(move |capability| !declares(capability))
    }
}

/// An object's entry with this name, in any case.
fn named<'a>(entries: &'a Value, name: &str) -> Option<&'a Value> {
    let mut entries = entries.as_object().into_iter().flatten();
    entries.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
