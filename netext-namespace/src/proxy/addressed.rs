//! What a payload says about where it belongs. The rest of it is for the host: the proxy does not read it.

use std::str::FromStr;

use netext_core::{DeviceError, Invocation};
use netext_protocol::{DeviceDetails, NetworkId, PhysicalDetails, VpcId};
use serde::Deserialize;
use serde_json::Value;

use crate::model::RouterId;

/// The outside of a payload.
#[derive(Debug)]
pub(super) struct Addressed {
    /// What the operator registered.
    pub(super) physical: PhysicalDetails,
    /// What we last said about the device; empty if the server has nothing stored.
    pub(super) details: DeviceDetails,
    /// The router that it is about, by what the payload or else the details say.
    pub(super) router: RouterId,
    /// The network that it is about, if it is about one.
    pub(super) network: Option<NetworkId>,
}

#[derive(Deserialize)]
struct Outside {
    #[serde(default, rename = "physical-network-extension-details")]
    #[serde(alias = "physical_network_extension_details")]
    physical: PhysicalDetails,
    #[serde(default, rename = "network-extension-details", alias = "network_extension_details")]
    details: DeviceDetails,
    payload: Option<Inside>,
    // A custom action's stand beside the details.
    network_id: Option<Value>,
    vpc_id: Option<Value>,
}

#[derive(Deserialize)]
struct Inside {
    network_id: Option<Value>,
    vpc_id: Option<Value>,
    #[serde(default)]
    current_details: DeviceDetails,
}

impl Addressed {
    /// Reads the outside of a payload. `None` if it has no such outside, and must be read as a whole to tell what
    /// is wrong with it.
    pub(super) fn read(invocation: &Invocation) -> Result<Self, DeviceError> {
        if let Some(addressed) = Self::of(invocation.payload()) {
            return Ok(addressed);
        }
        invocation.parse()?;
        Err(DeviceError::invalid("the payload names neither a network_id nor a vpc_id"))
    }

    fn of(payload: &[u8]) -> Option<Self> {
        let outside: Outside = serde_json::from_slice(payload).ok()?;
        let (network, vpc, current) = match outside.payload {
            Some(inside) => (inside.network_id, inside.vpc_id, inside.current_details),
            None => (outside.network_id, outside.vpc_id, DeviceDetails::default()),
        };
        let network: Option<NetworkId> = id(network.as_ref()).ok()?;
        let vpc: Option<VpcId> = id(vpc.as_ref()).ok()?;
        let details = if current.is_empty() { outside.details } else { current };
        // Not every command about a tier names the VPC.
        let vpc = vpc.or_else(|| id(details.get("vpc_id")).ok()?);
        let router = vpc.map(RouterId::Vpc).or(network.map(RouterId::Network))?;
        Some(Self { physical: outside.physical, details, router, network })
    }
}

/// An id; `None` if it is absent.
fn id<T: FromStr>(value: Option<&Value>) -> Result<Option<T>, T::Err> {
    let text = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(other) => other.to_string(),
    };
    if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_payload_tells_its_router() {
        let (network, vpc) = (RouterId::Network(209.into()), RouterId::Vpc(7.into()));
        for (payload, router) in [
            (r#"{"payload":{"network_id":"209","vpc_id":"","x":[1]}}"#, network),
            (r#"{"payload":{"network_id":209}}"#, network),
            (r#"{"payload":{"network_id":"209","vpc_id":"7"}}"#, vpc),
            (r#"{"payload":{"vpc_id":7,"network_id":null}}"#, vpc),
            (r#"{"network-extension-details":{"vpc_id":"7"},"payload":{"network_id":"209"}}"#, vpc),
            (r#"{"network_id":"209","action":"dump","action-params":{}}"#, network),
        ] {
            assert_eq!(Addressed::of(payload.as_bytes()).unwrap().router, router, "{payload}");
        }
        for payload in [r#"{"payload":{}}"#, r#"{"payload":{"network_id":"x"}}"#, "{}", "[]", ""] {
            assert!(Addressed::of(payload.as_bytes()).is_none(), "{payload}");
        }
    }

    #[test]
    fn the_current_details_are_newer_than_the_stored_ones() {
        let payload = r#"{"network-extension-details":"{\"host\":\"a\"}",
            "payload":{"network_id":"1","current_details":"{\"host\":\"b\"}"}}"#;
        assert_eq!(Addressed::of(payload.as_bytes()).unwrap().details.get_str("host"), Some("b"));
        let empty = payload.replace(r#"{\"host\":\"b\"}"#, "{}");
        assert_eq!(Addressed::of(empty.as_bytes()).unwrap().details.get_str("host"), Some("a"));
    }
}
