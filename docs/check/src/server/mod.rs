//! CloudStack's API as the guides see it.
//!
//! It knows the calls that they make and the parameters of these, keeps what is registered and created, and looks up
//! what an extension declares as the management server does: some capabilities it uses without asking whether they are
//! there, so that a call ends in a null pointer.

mod call;
mod capability;
mod network;
mod offering;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use call::{Call, Parameters};
use capability::Extension;
use offering::Offering;

/// A management server with one zone, one physical network, and an account that may do everything.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Server {
    /// How many objects were created: the next one's id.
    created: u32,
    extensions: BTreeMap<String, Extension>,
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

/// Why a call is refused. It reads as `cmk` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A parameter is unknown, missing or wrong, or asks for something that is not supported.
    Parameter(String),
    /// A provider lacks a service or a capability.
    Unsupported(String),
    /// The server used an answer that was not there.
    NullPointer,
}

impl fmt::Display for Refusal {
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
fn wrong<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Parameter(why.into()))
}

/// An object that a call names by its id.
fn known<'a, T>(objects: &'a BTreeMap<String, T>, kind: &str, id: &str) -> Result<&'a T, Refusal> {
    objects.get(id).ok_or_else(|| Refusal::Parameter(format!("Unable to find {kind} by id {id}")))
}

impl Server {
    /// Answers a call with parameters as `cmk` takes them, `name=value`.
    ///
    /// ```
    /// use netext_book::server::Server;
    ///
    /// let mut server = Server::default();
    /// let made = server.call("createExtension", ["name=acme", "type=NetworkOrchestrator"]).unwrap();
    /// assert_eq!(made["extension"]["name"], "acme");
    /// assert!(server.call("createExtension", ["name=acme"]).unwrap_err().to_string().contains("type"));
    /// ```
    pub fn call<'a>(
        &mut self,
        name: &str,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Result<Value, Refusal> {
        let call = Call::named(name)?;
        let given = call.read(words)?;
        match name {
            "createExtension" => self.create_extension(&given),
            "updateExtension" => self.update_extension(&given),
            "registerExtension" | "updateRegisteredExtension" => self.register(&given),
            "createNetworkOffering" | "createVPCOffering" => self.create_offering(call, &given),
            "updateNetworkOffering" | "updateVPCOffering" => self.enable_offering(call, &given),
            "createVPC" => self.create_vpc(&given),
            "createNetwork" => self.create_network(&given),
            "restartNetwork" => {
                known(&self.networks, "network", given.of("id")).map(|_| json!({"success": true}))
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
            _ => Ok(call.answer_of_a_full_zone()),
        }
    }

    /// Notes a new object and answers it.
    fn created(&mut self, kind: &str, given: &Parameters<'_>) -> (String, Value) {
        self.created += 1;
        let id = format!("6a3f-{}", self.created);
        let mut object = json!({"id": id});
        if let Some(name) = given.get("name") {
            object["name"] = name.into();
        }
        (id, json!({ kind: object }))
    }

    fn create_extension(&mut self, given: &Parameters<'_>) -> Result<Value, Refusal> {
        let extension = Extension::default().named(given.of("name")).with_details(given)?;
        let (id, answer) = self.created("extension", given);
        self.extensions.insert(id, extension);
        Ok(answer)
    }

    fn update_extension(&mut self, given: &Parameters<'_>) -> Result<Value, Refusal> {
        let id = given.of("id");
        let updated = known(&self.extensions, "extension", id)?.clone().with_details(given)?;
        self.extensions.insert(id.to_owned(), updated);
        Ok(json!({"extension": {"id": id}}))
    }

    fn register(&mut self, given: &Parameters<'_>) -> Result<Value, Refusal> {
        let id = given.of("extensionid");
        known(&self.extensions, "extension", id)?;
        self.registered.push(id.to_owned());
        Ok(json!({"extension": {"id": id}}))
    }

    /// The extension behind a provider, which has the extension's name.
    fn provider(&self, name: &str) -> Result<&Extension, Refusal> {
        let registered = self.registered.iter().filter_map(|id| self.extensions.get(id));
        let mut named = registered.filter(|extension| extension.name() == name);
        named.next().ok_or_else(|| Refusal::Parameter(format!("Invalid service provider: {name}")))
    }

    fn add_action(&mut self, given: &Parameters<'_>) -> Result<Value, Refusal> {
        let extension = given.of("extensionid");
        known(&self.extensions, "extension", extension)?;
        let (id, answer) = self.created("extensioncustomaction", given);
        self.actions.insert(id, extension.to_owned());
        Ok(answer)
    }
}
