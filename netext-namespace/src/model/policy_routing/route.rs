//! A route of an operator's table.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use super::words::{AnyOrNetwork, WordError, WordReader, excerpt, family, number, once, without_host_bits};
use crate::model::InterfaceName;

const KNOWN: &str = "via, dev, src, metric, mtu, scope, onlink, and before the destination unicast, blackhole, \
                     unreachable, prohibit, throw";

/// A route.
///
/// ```
/// use netext_namespace::model::Route;
///
/// let route: Route = "default via 198.51.100.2 dev vpn-101-209".parse()?;
/// assert_eq!(route.to_string(), "default via 198.51.100.2 dev vpn-101-209");
/// assert!("10.0.0.0/8 via 10.1.1.5; reboot".parse::<Route>().is_err());
/// # Ok::<(), netext_namespace::model::WordError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Route {
    /// The destination; the network of length 0 is `default`.
    pub destination: IpNet,
    /// Of several routes to one destination, the kernel uses the one with the least metric. Without one, the kernel
    /// sets 0 for IPv4 and 1024 for IPv6.
    pub metric: Option<u32>,
    /// Its effect on packets.
    pub action: RouteAction,
}

/// The effect of a route on packets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteAction {
    /// They are forwarded.
    Unicast(NextHop),
    /// They are dropped silently.
    Blackhole,
    /// They are dropped, and the sender gets the error that the host is unreachable.
    Unreachable,
    /// They are dropped, and the sender gets the error that it is prohibited.
    Prohibit,
    /// The next rule decides about them.
    Throw,
}

/// The next hop of packets: there is a gateway, an interface, or both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NextHop {
    /// The gateway; without one the destination is a neighbour.
    pub gateway: Option<IpAddr>,
    /// The interface.
    pub device: Option<InterfaceName>,
    /// The source address of the router's own packets.
    pub source: Option<IpAddr>,
    /// The largest packet, in bytes.
    pub mtu: Option<u32>,
    /// How far the destination is.
    pub scope: Option<HopScope>,
    /// The gateway is a neighbour, even if no address of the interface says so.
    pub onlink: bool,
}

/// How far a destination is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HopScope {
    /// Beyond a gateway.
    Global,
    /// On the link.
    Link,
    /// On the host.
    Host,
}

const SCOPES: [(HopScope, &str); 3] =
    [(HopScope::Global, "global"), (HopScope::Link, "link"), (HopScope::Host, "host")];

impl RouteAction {
    /// The word before the destination; none for a route that forwards.
    fn word(&self) -> Option<&'static str> {
        match self {
            Self::Unicast(_) => None,
            Self::Blackhole => Some("blackhole"),
            Self::Unreachable => Some("unreachable"),
            Self::Prohibit => Some("prohibit"),
            Self::Throw => Some("throw"),
        }
    }
}

/// The words of a route, before they are checked together.
#[derive(Default)]
struct RouteWords {
    gateway: Option<IpAddr>,
    device: Option<InterfaceName>,
    source: Option<IpAddr>,
    metric: Option<u32>,
    mtu: Option<u32>,
    scope: Option<HopScope>,
    onlink: Option<()>,
}

impl RouteWords {
    fn read(words: &mut WordReader<'_>) -> Result<Self, WordError> {
        let mut written = Self::default();
        while let Some(word) = words.next() {
            match word {
                "via" => words.set(&mut written.gateway, "via", "an address", |value| value.parse().ok())?,
                "dev" => {
                    let expected = "the name of an interface";
                    words.set(&mut written.device, "dev", expected, |value| value.parse().ok())?;
                }
                "src" => words.set(&mut written.source, "src", "an address", |value| value.parse().ok())?,
                "metric" | "preference" | "priority" => {
                    words.set(&mut written.metric, "metric", "a number", number)?;
                }
                "mtu" => {
                    let sensible = |value: &str| number(value).filter(|mtu| (68..=65535).contains(mtu));
                    words.set(&mut written.mtu, "mtu", "a number from 68 to 65535", sensible)?;
                }
                "scope" => {
                    let named =
                        |value: &str| SCOPES.iter().find(|(_, name)| *name == value).map(|(scope, _)| *scope);
                    words.set(&mut written.scope, "scope", "global, link or host", named)?;
                }
                "onlink" => once(&mut written.onlink, "onlink", ())?,
                other => return Err(WordError::Unknown { word: excerpt(other), known: KNOWN }),
            }
        }
        Ok(written)
    }

    /// A given word that only a route that forwards can have.
    fn of_next_hops(&self) -> Option<&'static str> {
        let words = [
            ("via", self.gateway.is_some()),
            ("dev", self.device.is_some()),
            ("src", self.source.is_some()),
            ("mtu", self.mtu.is_some()),
            ("scope", self.scope.is_some()),
            ("onlink", self.onlink.is_some()),
        ];
        words.into_iter().find(|(_, given)| *given).map(|(word, _)| word)
    }
}

impl FromStr for Route {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let route = RoutePattern::from_str(text)?;
        let action = route.action.unwrap_or(RouteAction::Unicast(route.next_hop));
        match &action {
            RouteAction::Unicast(hop) if hop.gateway.is_none() && hop.device.is_none() => {
                Err(WordError::NoWay(route.destination))
            }
            _ => Ok(Self { destination: route.destination, metric: route.metric, action }),
        }
    }
}

/// A description of routes for deleting: a destination, and any of the other words of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutePattern {
    destination: IpNet,
    metric: Option<u32>,
    /// For a route that does not forward.
    action: Option<RouteAction>,
    is_unicast: bool,
    next_hop: NextHop,
}

impl RoutePattern {
    /// Whether a route matches.
    pub fn matches(&self, route: &Route) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none() || wanted == found
        }
        let same_action = match (&self.action, &route.action) {
            (Some(action), found) => action == found,
            (None, RouteAction::Unicast(found)) => {
                let wanted = &self.next_hop;
                is(wanted.gateway.as_ref(), found.gateway.as_ref())
                    && is(wanted.device.as_ref(), found.device.as_ref())
                    && is(wanted.source.as_ref(), found.source.as_ref())
                    && is(wanted.mtu.as_ref(), found.mtu.as_ref())
                    && is(wanted.scope.as_ref(), found.scope.as_ref())
                    && (!wanted.onlink || found.onlink)
            }
            (None, _) => !self.is_unicast,
        };
        same_action
            && self.destination == route.destination
            && is(self.metric.as_ref(), route.metric.as_ref())
    }
}

impl FromStr for RoutePattern {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let mut words = WordReader::of(text)?;
        let kinds =
            [RouteAction::Blackhole, RouteAction::Unreachable, RouteAction::Prohibit, RouteAction::Throw];
        let action = kinds.into_iter().find(|kind| kind.word() == words.peek());
        let named_unicast = words.peek() == Some("unicast");
        if action.is_some() || named_unicast {
            words.next();
        }
        let destination =
            words.value("the destination", "default, a network or an address", AnyOrNetwork::read)?.network();
        let written = RouteWords::read(&mut words)?;
        if let (Some(_), Some(word)) = (&action, written.of_next_hops()) {
            return Err(WordError::Meaningless { word });
        }
        let is_ipv6 = family([
            destination.map(|destination| destination.addr().is_ipv6()),
            written.gateway.map(|address| address.is_ipv6()),
            written.source.map(|address| address.is_ipv6()),
        ])?;
        let destination = match destination {
            Some(destination) => without_host_bits(destination)?,
            None if is_ipv6 == Some(true) => Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0).into(),
            None => Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0).into(),
        };
        let is_unicast = named_unicast || written.of_next_hops().is_some();
        let next_hop = NextHop {
            gateway: written.gateway,
            device: written.device,
            source: written.source,
            mtu: written.mtu,
            scope: written.scope,
            onlink: written.onlink.is_some(),
        };
        Ok(Self { destination, metric: written.metric, action, is_unicast, next_hop })
    }
}

/// As `ip route` writes it.
impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(word) = self.action.word() {
            write!(formatter, "{word} ")?;
        }
        let destination = self.destination;
        match (destination.prefix_len(), &self.action) {
            // Without an IPv6 address beside it, `default` would be read as an IPv4 route.
            (0, RouteAction::Unicast(hop))
                if destination.addr().is_ipv4() || hop.gateway.is_some_and(|g| g.is_ipv6()) =>
            {
                formatter.write_str("default")?;
            }
            (0, _) if destination.addr().is_ipv4() => formatter.write_str("default")?,
            (length, _) if length == destination.max_prefix_len() => {
                write!(formatter, "{}", destination.addr())?;
            }
            _ => write!(formatter, "{destination}")?,
        }
        if let RouteAction::Unicast(hop) = &self.action {
            hop.fmt(formatter)?;
        }
        if let Some(metric) = self.metric {
            write!(formatter, " metric {metric}")?;
        }
        Ok(())
    }
}

impl fmt::Display for NextHop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(gateway) = self.gateway {
            write!(formatter, " via {gateway}")?;
        }
        if let Some(device) = &self.device {
            write!(formatter, " dev {device}")?;
        }
        if let Some(source) = self.source {
            write!(formatter, " src {source}")?;
        }
        if let Some(mtu) = self.mtu {
            write!(formatter, " mtu {mtu}")?;
        }
        if let Some((_, name)) = SCOPES.iter().find(|(scope, _)| self.scope == Some(*scope)) {
            write!(formatter, " scope {name}")?;
        }
        if self.onlink {
            formatter.write_str(" onlink")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Route {
    type Error = WordError;

    fn try_from(text: String) -> Result<Self, WordError> {
        text.parse()
    }
}

impl From<Route> for String {
    fn from(route: Route) -> Self {
        route.to_string()
    }
}
