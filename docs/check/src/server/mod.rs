//! CloudStack's API as the guides use it.
//!
//! It knows the calls of the guides and their parameters, keeps registered and created objects, and looks up the
//! capabilities of an extension as the management server does: it uses some without checking that they exist, and then
//! fails with a null pointer.

mod call;
mod capability;
mod network;
mod offering;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use call::ApiParameters;
use capability::RegisteredExtension;
use offering::Offering;

/// A management server with one zone, one physical network, and an account with all rights.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ApiServer {
    /// The number of created objects; the id of the latest one.
    created: u32,
    extensions: BTreeMap<String, RegisteredExtension>,
    /// Extensions that are registered on the physical network.
    registered: Vec<String>,
    offerings: BTreeMap<String, Offering>,
    /// VPCs, and the domain of each.
    vpcs: BTreeMap<String, Option<String>>,
    /// Networks, and the offering of each.
    networks: BTreeMap<String, String>,
    /// Public addresses, and the network of each.
    addresses: BTreeMap<String, String>,
    /// Rules of load balancers, and the network of each.
    balancers: BTreeMap<String, String>,
    /// Custom actions, and the extension of each.
    actions: BTreeMap<String, String>,
}

/// The reason why a call is refused, in the words of `cmk`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiRefusal {
    /// A parameter is unknown, missing or wrong, or asks for something that is not supported.
    Parameter(String),
    /// A provider lacks a service or a capability.
    Unsupported(String),
    /// The server used a value that does not exist.
    NullPointer,
}

impl fmt::Display for ApiRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(why) => write!(formatter, "Error: (HTTP 431, error code 4350) {why}"),
            Self::Unsupported(why) => write!(formatter, "Error: (HTTP 431, error code 4390) {why}"),
            Self::NullPointer => formatter.write_str(
                "Error: (HTTP 530, error code 4250) Cannot invoke \"String.toLowerCase()\" because the return value of \
                 \"java.util.Map.get(Object)\" is null",
            ),
        }
    }
}

/// Refuses a call because of a parameter.
fn wrong<T>(why: impl Into<String>) -> Result<T, ApiRefusal> {
    Err(ApiRefusal::Parameter(why.into()))
}

/// An object that a call names by its id.
fn known<'a, T>(objects: &'a BTreeMap<String, T>, kind: &str, id: &str) -> Result<&'a T, ApiRefusal> {
    objects.get(id).ok_or_else(|| ApiRefusal::Parameter(format!("Unable to find {kind} by id {id}")))
}

impl ApiServer {
    /// Executes a call with parameters in the form of `cmk`, `name=value`.
    ///
    /// ```
    /// use netext_book::server::ApiServer;
    ///
    /// let mut server = ApiServer::default();
    /// let made = server.call("createExtension", ["name=acme", "type=NetworkOrchestrator"]).unwrap();
    /// assert_eq!(made["extension"]["name"], "acme");
    /// assert!(server.call("createExtension", ["name=acme"]).unwrap_err().to_string().contains("type"));
    /// ```
    pub fn call<'a>(
        &mut self,
        name: &str,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Result<Value, ApiRefusal> {
        let given = ApiParameters::read(name, words)?;
        match name {
            "createExtension" => self.create_extension(&given),
            "updateExtension" => self.update_extension(&given),
            "registerExtension" | "updateRegisteredExtension" => self.register(&given),
            "createNetworkOffering" | "createVPCOffering" => self.create_offering(&given),
            "updateNetworkOffering" | "updateVPCOffering" => self.enable_offering(&given),
            "createVPC" => self.create_vpc(&given),
            "createNetwork" => self.create_network(&given),
            "restartNetwork" => {
                known(&self.networks, "network", given.required("id")).map(|_| json!({"success": true}))
            }
            "associateIpAddress" => self.associate_address(&given),
            "createFirewallRule" => self.create_firewall_rule(&given),
            "createEgressFirewallRule" => self.create_egress_rule(&given),
            "createPortForwardingRule" => self.forward_port(&given),
            "createLoadBalancerRule" => self.balance(&given),
            "assignCertToLoadBalancer" => self.assign_certificate(&given),
            "createNetworkACL" => self.create_acl_item(&given),
            "addCustomAction" => self.add_action(&given),
            "runCustomAction" => self.run_action(&given),
            _ => Ok(given.object_of_a_full_zone()),
        }
    }

    /// Gives a new object its id. Returns the id, and the response with the object.
    fn created(&mut self, given: &ApiParameters<'_>) -> (String, Value) {
        self.created += 1;
        let id = format!("6a3f-{}", self.created);
        let mut object = json!({"id": id});
        if let Some(name) = given.get("name") {
            object["name"] = name.into();
        }
        (id, given.object(object))
    }

    fn create_extension(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let extension = RegisteredExtension::default().named(given.required("name")).with_details(given)?;
        let (id, response) = self.created(given);
        self.extensions.insert(id, extension);
        Ok(response)
    }

    fn update_extension(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let id = given.required("id");
        let updated = known(&self.extensions, "extension", id)?.clone().with_details(given)?;
        self.extensions.insert(id.to_owned(), updated);
        Ok(given.object(json!({"id": id})))
    }

    fn register(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let id = given.required("extensionid");
        known(&self.extensions, "extension", id)?;
        self.registered.push(id.to_owned());
        Ok(given.object(json!({"id": id})))
    }

    /// The extension of a provider, which has the extension's name.
    fn provider(&self, name: &str) -> Result<&RegisteredExtension, ApiRefusal> {
        let registered = self.registered.iter().filter_map(|id| self.extensions.get(id));
        let mut named = registered.filter(|extension| extension.name() == name);
        named.next().ok_or_else(|| ApiRefusal::Parameter(format!("Invalid service provider: {name}")))
    }

    fn add_action(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let extension = given.required("extensionid");
        known(&self.extensions, "extension", extension)?;
        let (id, response) = self.created(given);
        self.actions.insert(id, extension.to_owned());
        Ok(response)
    }
}
