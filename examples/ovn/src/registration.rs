//! The details of the OVN deployment that the operator registered.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use netext_core::protocol::PhysicalDetails;
use netext_core::{Context, DeviceError};

/// The deployment.
pub(crate) struct Registration {
    /// `northbound`: the endpoints of the northbound database; the first that answers is used.
    pub(crate) northbound: Vec<Endpoint>,
    /// `gateway.chassis`: the chassis that may carry traffic to and from external networks, the preferred one first.
    pub(crate) gateway_chassis: Vec<Name>,
    /// `public.network.name`: the name of the external network in the chassis' `ovn-bridge-mappings`.
    pub(crate) public_network: Name,
    /// `guest.network.name`: the same for shared networks, whose VLANs the data centre routes.
    pub(crate) guest_network: Name,
}

impl Registration {
    pub(crate) fn of(context: &Context) -> Result<Self, DeviceError> {
        let details = context.physical_details();
        Ok(Self {
            northbound: list(details, "northbound", "unix:/run/ovn/ovnnb_db.sock")?,
            gateway_chassis: list(details, "gateway.chassis", "")?,
            public_network: detail(
                "public.network.name",
                details.get("public.network.name").unwrap_or("public"),
            )?,
            guest_network: detail(
                "guest.network.name",
                details.get("guest.network.name").unwrap_or("guest"),
            )?,
        })
    }
}

fn list<T: FromStr>(details: &PhysicalDetails, name: &str, default: &str) -> Result<Vec<T>, DeviceError> {
    let listed = details.get(name).unwrap_or(default).split(',').map(str::trim);
    listed.filter(|part| !part.is_empty()).map(|part| detail(name, part)).collect()
}

fn detail<T: FromStr>(name: &str, text: &str) -> Result<T, DeviceError> {
    text.parse().map_err(|_| DeviceError::invalid(format!("cannot use the registered `{name}`: {text:?}")))
}

/// The endpoint of a database, as OVN's own tools write it: `unix:/path`, `tcp:192.0.2.5:6641`. For `ssl:`, run a local
/// `ovsdb-server` in relay mode and register its socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

impl FromStr for Endpoint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(':').ok_or(())? {
            ("unix", path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            ("tcp", address) => address.parse().map(Self::Tcp).map_err(drop),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
            Self::Tcp(address) => write!(formatter, "tcp:{address}"),
        }
    }
}

/// A name in OVN: letters, digits and `-_.`, at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Name {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_name = (1..=64).contains(&text.len()) && text.bytes().all(plain);
        is_name.then(|| Self(text.to_owned())).ok_or(())
    }
}
